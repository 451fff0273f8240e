import asyncio


async def main():
    loop = asyncio.get_running_loop()
    start = loop.time()
    finished = loop.create_future()

    def tick(count):
        print(f"tick {count} at {loop.time() - start:.1f}")
        if count == 5:
            finished.set_result("finished")
        else:
            # Counted from the start, so that late ticks do not add up.
            loop.call_at(start + (count + 1) * 0.1, tick, count + 1)

    handle = loop.call_at(start + 0.1, tick, 1)
    print(f"the first tick is due at {handle.when() - start:.1f}")
    print(await finished)


asyncio.run(main())
