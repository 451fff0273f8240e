import asyncio


async def main():
    loop = asyncio.get_running_loop()
    start = loop.time()

    def show(text):
        print(f"{loop.time() - start:.1f} {text}")

    loop.call_later(0.3, show, "asked for first, 0.3 seconds ahead")
    loop.call_later(0.1, show, "asked for second, 0.1 seconds ahead")
    loop.call_later(0.2, show, "asked for third, 0.2 seconds ahead")
    loop.call_later(0.25, show, "never: this one is cancelled").cancel()
    loop.call_soon(show, "call_soon does not wait")
    show("main has asked for all of them")
    await asyncio.sleep(0.4)
    show("main is back")


asyncio.run(main())
