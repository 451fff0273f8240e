import asyncio
import inspect
import types


async def countdown():
    await asyncio.sleep(0)


async def powers():
    yield 1


def numbers():
    yield 1


@types.coroutine
def old_style():
    yield from asyncio.sleep(0)


class Ready:
    def __await__(self):
        return iter(())


async def main():
    coro = countdown()
    pause = asyncio.sleep(0)
    task = asyncio.create_task(countdown())
    future = asyncio.get_running_loop().create_future()
    kinds = [
        ("coroutine", coro),
        ("sleep(0)", pause),
        ("task", task),
        ("future", future),
        ("other awaitable", Ready()),
        ("coroutine function", countdown),
        ("generator", numbers()),
        ("async generator", powers()),
        ("number", 42),
    ]
    print(f"{'':<20}iscoroutine  isawaitable")
    for name, kind in kinds:
        print(f"{name:<20}{asyncio.iscoroutine(kind)!s:<13}{inspect.isawaitable(kind)}")

    # The coroutines of Python 3.4 were generators; they can be awaited still.
    print("generator coroutine: isawaitable", inspect.isawaitable(old_style()))

    coro.close()
    pause.close()
    await task


asyncio.run(main())
