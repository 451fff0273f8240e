import asyncio
import threading
import time


async def main():
    loop = asyncio.get_running_loop()
    answer = loop.create_future()

    def elsewhere():
        time.sleep(0.05)
        print("3. elsewhere: the answer is handed over")
        loop.call_soon_threadsafe(answer.set_result, 42)
        time.sleep(0.05)

    thread = threading.Thread(target=elsewhere)
    print("1. main: someone who is not on the loop gets to work")
    thread.start()
    print("2. main: waits, with nothing else to do")
    print("4. main: the answer is", await answer)


asyncio.run(main())
