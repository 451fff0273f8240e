import asyncio
import threading
import time


async def add(a, b):
    print("4. add: runs on the loop")
    await asyncio.sleep(0.05)
    print("5. add: done")
    return a + b


async def main():
    loop = asyncio.get_running_loop()
    finished = asyncio.Event()

    def elsewhere():
        time.sleep(0.05)
        print("3. elsewhere: hands a coroutine to the loop")
        future = asyncio.run_coroutine_threadsafe(add(1, 2), loop)
        future.add_done_callback(report)

    def report(future):
        print("6. elsewhere: the sum is", future.result())
        loop.call_soon_threadsafe(finished.set)

    print("1. main: someone who is not on the loop gets to work")
    threading.Thread(target=elsewhere).start()
    print("2. main: waits")
    await finished.wait()
    print("7. main: finished")


asyncio.run(main())
