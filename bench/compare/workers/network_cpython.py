"""The server of network_library.ts on CPython; "uvloop" as an argument runs it on that loop."""

import asyncio
import json
import sys
import time


async def echo(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def count_lines(reader, writer):
    count = 0
    while await reader.readline():
        count += 1
    writer.write(f"{count}\n".encode())
    writer.close()


async def main(handler):
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(int(time.process_time() * 1e6), flush=True)


if sys.argv[1] == "uvloop":
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
serve = json.loads(sys.argv[-1])["serve"]
asyncio.run(main(count_lines if serve == "lines" else echo))
