"""A store of keys and values, with the protocol of Redis."""

import asyncio
import sys

IDLE_LIMIT = 300


class BadRequest(Exception):
    pass


class Closed(Exception):
    pass


class Failure:
    def __init__(self, message):
        self.message = message

    def __repr__(self):
        return f"Failure({self.message})"


async def receive(reader):
    try:
        async with asyncio.timeout(IDLE_LIMIT):
            kind = await reader.read(1)
    except TimeoutError:
        raise Closed
    if not kind:
        raise Closed
    line = (await reader.readline()).strip()
    if kind == b"+":
        return line
    if kind == b"-":
        return Failure(line.decode())
    if kind == b":":
        return int(line)
    if kind == b"$":
        return None if int(line) == -1 else (await reader.readexactly(int(line) + 2))[:-2]
    if kind == b"*":
        return [await receive(reader) for _ in range(int(line))]
    raise BadRequest("Bad first byte")


def send(writer, data):
    if data is None:
        writer.write(b"$-1\r\n")
    elif isinstance(data, bytes):
        writer.write(b"$%d\r\n%s\r\n" % (len(data), data))
    elif isinstance(data, int):
        writer.write(b":%d\r\n" % data)
    elif isinstance(data, Failure):
        writer.write(b"-%s\r\n" % data.message.encode())
    else:
        writer.write(b"*%d\r\n" % len(data))
        for item in data:
            send(writer, item)


store = {}


def process(name, *args):
    match name.upper(), args:
        case b"GET", [key]:
            return store.get(key)
        case b"SET", [key, value]:
            store[key] = value
            return 1
        case b"DEL", [key]:
            return 0 if store.pop(key, None) is None else 1
        case b"EXISTS", [_, *_]:
            return sum(key in store for key in args)
        case b"MSET", [_, _, *_] if len(args) % 2 == 0:
            store.update(zip(args[::2], args[1::2]))
            return None
        case b"MGET", [_, *_]:
            return [store.get(key) for key in args]
        case b"PING", []:
            return b"PONG"
        case b"ECHO" | b"PING", [text, *_]:
            return text
        case b"FLUSHDB", []:
            size = len(store)
            store.clear()
            return size
        case b"QUIT", _:
            raise Closed
    raise BadRequest("Bad command")


async def serve_client(reader, writer):
    try:
        while True:
            try:
                request = await receive(reader)
                answer = process(*request)
            except BadRequest as error:
                answer = Failure(str(error))
            send(writer, answer)
            await writer.drain()
    except Closed:
        writer.close()


async def serve():
    server = await asyncio.start_server(serve_client, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


COMMANDS = [
    "SET key value", "GET key", "PING", "EXISTS key key nokey", "MSET key1 val1 key2 val2",
    "MGET key2 key3", "ECHO Hello!", "PING Hello?", "DEL key1", "DEL key1", "NONSENSE", "SET key",
    "FLUSHDB", "GET key",
]


def shown(value):
    match value:
        case None:
            return "null"
        case bytes():
            return value.decode() if len(value) < 100 else f"{len(value)} bytes"
        case Failure():
            return f"-{value.message}"
        case list():
            return f"[{', '.join(map(shown, value))}]"
    return str(value)


async def client(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for command in COMMANDS:
        send(writer, command.encode().split())
        await writer.drain()
        print(command, "->", shown(await receive(reader)))
    # Much at once, and all answers afterwards.
    for i in range(200):
        send(writer, [b"SET", b"large%d" % i, bytes(5000)])
    send(writer, [b"GET", b"large7"])
    send(writer, [b"QUIT"])
    print(sum([await receive(reader) for _ in range(200)]), shown(await receive(reader)))
    print(await reader.read() == b"")
    writer.close()
    await writer.wait_closed()


asyncio.run(serve() if sys.argv[1] == "serve" else client(int(sys.argv[2])))
