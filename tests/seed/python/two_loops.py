import asyncio

from virtual_clock import VirtualClockEventLoop


async def work(name, delay):
    loop = asyncio.get_running_loop()
    start = loop.time()
    loop.call_soon(print, f"  {name}: a callback")
    print(f"  {name}: starts")
    await asyncio.sleep(delay)
    print(f"  {name}: ends after {loop.time() - start:.1f} seconds")


async def main():
    await asyncio.gather(work("A", 0.3), work("B", 0.1), work("C", 0.2))


LOOPS = {"EventLoop": asyncio.EventLoop, "VirtualClockEventLoop": VirtualClockEventLoop}

for name, loop_factory in LOOPS.items():
    print(name)
    asyncio.run(main(), loop_factory=loop_factory)
