"""An HTTP proxy, with CONNECT."""

import asyncio
import re
import sys


async def pipe(reader, writer):
    try:
        while not reader.at_eof():
            writer.write(await reader.read(4096))
            await writer.drain()
    finally:
        writer.close()


async def on_connect(reader, writer):
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if head.startswith("CONNECT"):
            host, port = head.split(" ")[1].split(":")
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
            await writer.drain()
        else:
            host, port = re.search(r"Host: (.+):(\d+)\r\n", head).groups()
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
            up_writer.write(head.encode())
            await up_writer.drain()
        await asyncio.gather(pipe(reader, up_writer), pipe(up_reader, writer))
    except OSError:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
    finally:
        writer.close()


async def serve():
    server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def upstream(reader, writer):
    """Answers each line with its length, and an empty one with the end."""
    while (line := await reader.readline()).strip():
        writer.write(f"{len(line.strip())}\n".encode())
    writer.write(b"end\n")
    writer.close()


async def through(port, *parts):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer.decode()


async def client(port):
    server = await asyncio.start_server(upstream, "127.0.0.1", 0, limit=2**20)
    up = server.sockets[0].getsockname()[1]
    connect = f"CONNECT 127.0.0.1:{up} HTTP/1.1\r\n\r\n".encode()
    get = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{up}\r\n\r\n".encode()
    server_gone = b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n"
    answers = await asyncio.gather(
        through(port, connect, b"hello\n", b"you", b" there\n\n"),
        through(port, connect, b"x" * 500_000 + b"\n", b"\n"),
        through(port, get),
        through(port, server_gone),
    )
    for answer in answers:
        print(repr(answer.replace(str(up), "PORT")).replace("'", '"'))
    server.close()


asyncio.run(serve() if sys.argv[1] == "serve" else client(int(sys.argv[2])))
