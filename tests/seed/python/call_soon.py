import asyncio


def outer(loop):
    print("3. outer runs in the order of the calls, and asks for inner")
    loop.call_soon(print, "6. inner had to wait for the next round")


async def main():
    loop = asyncio.get_running_loop()
    print("1. main asks for three callbacks")
    loop.call_soon(outer, loop)
    handle = loop.call_soon(print, "never: this one is cancelled")
    loop.call_soon(print, "4. the last of the three")
    handle.cancel()
    print("2. main goes on: nothing runs before it pauses")
    await asyncio.sleep(0)
    print("5. main is back after one round")
    await asyncio.sleep(0)
    print("7. main is back after two")


asyncio.run(main())
