import asyncio


def ask(where):
    try:
        loop = asyncio.get_running_loop()
        print(f"{where}: a loop, running: {loop.is_running()}")
        return loop
    except RuntimeError as error:
        print(f"{where}: {error}")


async def nested():
    return ask("3. in a coroutine it awaits")


async def nested_task():
    return ask("4. in a task of its own")


async def main():
    loop = asyncio.get_running_loop()
    ask("2. in main")
    print("   the same one:", await nested() is loop)
    task = asyncio.create_task(nested_task())
    print("   the same one:", await task is loop)
    loop.call_soon(ask, "5. in a callback")
    await asyncio.sleep(0)
    return loop


ask("1. before run")
loop = asyncio.run(main())
ask("6. after run")
print("   the loop is closed:", loop.is_closed())
