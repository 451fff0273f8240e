"""A chat: each line is sent to all that are connected."""

import asyncio
import sys

writers = []


async def broadcast(message):
    for writer in writers:
        writer.write(message)
    await asyncio.gather(*(writer.drain() for writer in writers))


async def on_connect(reader, writer):
    writers.append(writer)
    while not writer.is_closing():
        try:
            message = await reader.readuntil(b"\n")
            asyncio.create_task(broadcast(message))
        except asyncio.IncompleteReadError:
            break
    writers.remove(writer)
    writer.close()


async def serve():
    server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def client(port):
    people = []
    for number in range(3):
        people.append(await asyncio.open_connection("127.0.0.1", port))
        people[-1][1].write(f"{number} is here\n".encode())
        for reader, _ in people:
            print((await reader.readline()).decode().strip())
    _, leaving = people.pop()
    leaving.close()
    await leaving.wait_closed()
    people[0][1].write(b"one ")
    people[0][1].write(b"has gone\nreally\n")
    for reader, writer in people:
        print((await reader.readline()).decode().strip(), (await reader.readline()).decode().strip())
    for _, writer in people:
        writer.close()
        await writer.wait_closed()


asyncio.run(serve() if sys.argv[1] == "serve" else client(int(sys.argv[2])))
