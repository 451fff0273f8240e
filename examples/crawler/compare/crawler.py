"""The same work in Python, written straight down: asyncio, http.client in threads, html.parser, sqlite3.

    python3 crawler.py START_URL DATABASE CONCURRENCY

Prints how many seconds the crawl took.
"""

import asyncio
import http.client
import re
import sqlite3
import sys
import threading
import time
import urllib.robotparser
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from urllib.parse import quote, urldefrag, urljoin, urlsplit, urlunsplit

USER_AGENT = "asyncio-crawler"
TIMEOUT = 30
RETRIES = 2
BACKOFF = 0.01
MOST_REDIRECTS = 10
TEMPORARY = {429, 500, 502, 503, 504}

SCHEMA = """
    CREATE TABLE pages (id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, depth INTEGER,
        outcome TEXT, status INTEGER, content_type TEXT, title TEXT, size INTEGER, location TEXT,
        problem TEXT, attempts INTEGER, fetched_at TEXT, seconds REAL);
    CREATE TABLE links (page INTEGER, target TEXT, PRIMARY KEY (page, target)) WITHOUT ROWID;
    CREATE TABLE frontier (place INTEGER PRIMARY KEY, url TEXT UNIQUE, depth INTEGER, redirects INTEGER);
"""


def canonical(href, base):
    """The one form of a link; None if it is nothing to visit."""
    try:
        parts = urlsplit(urldefrag(urljoin(base, href.strip())).url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    unescape = lambda match: (
        chr(int(match[1], 16))
        if re.match(r"[A-Za-z0-9._~-]", chr(int(match[1], 16)))
        else match[0].upper()
    )
    path = re.sub(r"%([0-9A-Fa-f]{2})", unescape, quote(parts.path or "/", safe="/%:@!$&'()*+,;=~"))
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, parts.query, ""))


class Page(HTMLParser):
    """Title and links of a page."""

    def __init__(self, url, text):
        super().__init__()
        self.url = url
        self.title = None
        self.in_title = False
        self.links = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag == "title" and self.title is None:
            self.in_title = True
            self.title = ""
        if tag == "a":
            href = dict(attrs).get("href")
            link = None if href is None else canonical(href, self.url)
            if link is not None:
                self.links[link] = None

    def handle_endtag(self, tag):
        if tag == "title":
            self.in_title = False

    def handle_data(self, data):
        if self.in_title:
            self.title += data


def decode(body, charset):
    """The text of a page, in the character set that its BOM, the server or the page names."""
    if body.startswith(b"\xff\xfe"):
        return body.decode("utf-16", "replace")
    if charset is None:
        named = re.search(rb"<meta[^>]+charset=[\"']?([\w-]+)", body[:1024], re.I)
        charset = named[1].decode() if named else "utf-8"
    return body.decode(charset, "replace")


class Client:
    """A connection a thread, kept open."""

    def __init__(self, host):
        self.host = host
        self.local = threading.local()

    def get(self, url):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT)
            self.local.connection = connection
        parts = urlsplit(url)
        path = parts.path + ("?" + parts.query if parts.query else "")
        try:
            connection.request("GET", path, headers={"User-Agent": USER_AGENT})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise


class Crawler:
    def __init__(self, start, database, concurrency):
        self.start = start
        self.concurrency = concurrency
        self.client = Client(urlsplit(start).netloc)
        self.database = sqlite3.connect(database, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.executescript(SCHEMA)
        self.robots = urllib.robotparser.RobotFileParser()
        self.queue = asyncio.Queue()
        self.seen = {start}

    async def fetch(self, url):
        loop = asyncio.get_running_loop()
        for attempt in range(1, RETRIES + 2):
            wait = BACKOFF * 2 ** (attempt - 1)
            try:
                status, headers, body = await loop.run_in_executor(None, self.client.get, url)
                if status not in TEMPORARY or attempt > RETRIES:
                    return status, headers, body, attempt
                after = headers.get("Retry-After")
                if after is not None:
                    wait = float(after) if after.isdigit() else (
                        parsedate_to_datetime(after).timestamp() - time.time()
                    )
            except (OSError, http.client.HTTPException):
                if attempt > RETRIES:
                    raise
            await asyncio.sleep(wait)

    async def visit(self, url, depth, redirects):
        page = dict.fromkeys(
            ("content_type", "title", "location", "problem", "status", "attempts"), None
        ) | {"url": url, "depth": depth, "outcome": "page", "size": 0}
        begun = time.perf_counter()
        links, found = [], []
        if not self.robots.can_fetch(USER_AGENT, url):
            page |= {"outcome": "disallowed", "problem": "robots.txt does not allow it"}
        else:
            try:
                status, headers, body, attempts = await self.fetch(url)
                page |= {"status": status, "attempts": attempts, "size": len(body)}
                page["content_type"] = headers.get_content_type()
                if 300 <= status < 400:
                    page["outcome"] = "redirect"
                    page["location"] = canonical(headers["Location"], url)
                    if redirects == MOST_REDIRECTS:
                        page |= {"outcome": "error", "problem": "too many redirects"}
                    else:
                        found = [(page["location"], depth, redirects + 1)]
                elif status >= 400:
                    page |= {"outcome": "error", "problem": f"status {status}"}
                elif page["content_type"] == "text/html":
                    parsed = Page(url, decode(body, headers.get_content_charset()))
                    page["title"] = " ".join((parsed.title or "").split()) or None
                    links = list(parsed.links)
                    found = [(link, depth + 1, 0) for link in links]
            except (OSError, http.client.HTTPException) as error:
                page |= {"outcome": "error", "problem": str(error)}
        page["seconds"] = time.perf_counter() - begun
        page["fetched_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        new = []
        for target in found:
            if target[0] not in self.seen:
                self.seen.add(target[0])
                new.append(target)
        self.save(page, links, new)
        for target in new:
            self.queue.put_nowait(target)

    def save(self, page, links, found):
        database = self.database
        database.execute("BEGIN IMMEDIATE")
        columns = ", ".join(page)
        places = ", ".join("?" * len(page))
        row = database.execute(
            f"INSERT INTO pages ({columns}) VALUES ({places})", list(page.values())
        ).lastrowid
        database.executemany("INSERT INTO links VALUES (?, ?)", [(row, link) for link in links])
        database.execute("DELETE FROM frontier WHERE url = ?", (page["url"],))
        database.executemany(
            "INSERT INTO frontier (url, depth, redirects) VALUES (?, ?, ?)", found
        )
        database.execute("COMMIT")

    async def work(self):
        while True:
            target = await self.queue.get()
            await self.visit(*target)
            self.queue.task_done()

    async def run(self):
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self.concurrency))
        _, _, body, _ = await self.fetch(urljoin(self.start, "/robots.txt"))
        self.robots.parse(body.decode().splitlines())
        self.queue.put_nowait((self.start, 0, 0))
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self.work()) for _ in range(self.concurrency)]
            await self.queue.join()
            for worker in workers:
                worker.cancel()
        self.database.close()


if __name__ == "__main__":
    start, database, concurrency = sys.argv[1:]
    began = time.perf_counter()
    asyncio.run(Crawler(start, database, int(concurrency)).run())
    print(time.perf_counter() - began)
