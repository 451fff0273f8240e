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


async def run_processes(reader, writer):
    count = int(await reader.readline())
    for _ in range(count):
        child = await asyncio.create_subprocess_exec("true")
        await child.wait()
    writer.write(f"{count}\n".encode())
    writer.close()


async def read_output(reader, writer):
    megabytes = int(await reader.readline())
    child = await asyncio.create_subprocess_exec(
        "head", "-c", f"{megabytes}M", "/dev/zero", stdout=asyncio.subprocess.PIPE
    )
    size = 0
    while data := await child.stdout.read(65_536):
        size += len(data)
    await child.wait()
    writer.write(f"{size // 2**20}\n".encode())
    writer.close()


HANDLERS = {"echo": echo, "lines": count_lines, "spawn": run_processes, "cat": read_output}


async def main(handler):
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(int(time.process_time() * 1e6), flush=True)


if sys.argv[1] == "uvloop":
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
asyncio.run(main(HANDLERS[json.loads(sys.argv[-1])["serve"]]))
