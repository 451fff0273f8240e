"""Programs whose call graphs CPython gives; programs.ts has the same, under the same names."""

import asyncio


async def group(show):
    def look():
        show(depth=2)

    async def deep():
        await asyncio.sleep(0)
        look()

    async def middle():
        await deep()

    async def root():
        await middle()

    async def waiter(task):
        await task

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(root(), name="root")
        tasks.create_task(waiter(task), name="first")
        tasks.create_task(waiter(task), name="second")


async def gathered(show):
    async def deep():
        await asyncio.sleep(0)
        show()

    async def branch():
        await asyncio.sleep(0)
        await deep()

    async def other():
        await asyncio.sleep(0)

    async def main():
        await asyncio.gather(branch(), other())

    await main()


async def gathered_twice(show):
    async def leaf():
        await asyncio.sleep(0)
        show()

    await asyncio.gather(asyncio.gather(leaf()))


async def gathered_not_awaited(show):
    async def leaf():
        await asyncio.sleep(0)

    task = asyncio.create_task(leaf(), name="leaf")
    all = asyncio.gather(task)
    show(task)
    await all


async def shielded(show):
    async def deep():
        await asyncio.sleep(0)
        show()

    async def branch():
        await asyncio.sleep(0)
        await deep()

    async def main():
        await asyncio.shield(branch())

    await main()


async def limited(show):
    async def inner():
        await asyncio.sleep(10)

    async def outer():
        async with asyncio.timeout(1):
            await inner()

    async def waiter(task):
        await asyncio.wait_for(task, 5)

    task = asyncio.create_task(outer(), name="outer")
    waiting = asyncio.create_task(waiter(task), name="waiter")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    show(task)
    waiting.cancel()


async def waited(show):
    async def leaf():
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        show()

    async def main(task):
        await asyncio.wait([task])

    await main(asyncio.create_task(leaf(), name="leaf"))


async def awaited(show):
    async def leaf():
        await asyncio.sleep(0)
        show()

    async def main():
        await asyncio.create_task(leaf(), name="leaf")

    await main()


async def future(show):
    async def inner(future):
        await future

    async def one(future):
        await inner(future)

    async def two(future):
        await future

    future = asyncio.Future()
    first = asyncio.create_task(one(future), name="one")
    second = asyncio.create_task(two(future), name="two")
    for _ in range(3):
        await asyncio.sleep(0)
    show(future)
    future.set_result(None)
    show(future)
    await first
    await second
    show(future)


async def recorded(show):
    future = asyncio.Future()
    other = asyncio.Future()
    asyncio.future_add_to_awaited_by(future, other)
    show(future)
    asyncio.future_discard_from_awaited_by(future, other)
    show(future)


async def not_started(show):
    async def work():
        pass

    task = asyncio.create_task(work(), name="work")
    show(task)
    await task


async def limits(show):
    async def inner():
        await asyncio.sleep(10)

    async def middle():
        await inner()

    async def outer():
        await middle()

    async def waiter(task):
        await task

    task = asyncio.create_task(outer(), name="outer")
    waiting = asyncio.create_task(waiter(task), name="waiting")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for limit in [None, 0, 1, 2, 9, -1, -2, -9]:
        show(task, limit=limit)
    task.cancel()


async def limits_of_current(show):
    async def inner():
        await asyncio.sleep(0)
        for limit in [None, 0, 1, 2, 9, -1, -2, -9]:
            show(limit=limit)

    async def middle():
        await inner()

    async def outer():
        await middle()

    await asyncio.create_task(outer(), name="outer")


async def depths(show):
    def third():
        for depth in [1, 2, 3]:
            show(depth=depth)

    def second():
        third()

    async def first():
        await asyncio.sleep(0)
        second()

    await asyncio.create_task(first(), name="first")


async def queue(show):
    items = asyncio.Queue()
    lock = asyncio.Lock()

    async def take():
        async with lock:
            await items.get()

    async def locked():
        await lock.acquire()

    tasks = [
        asyncio.create_task(take(), name="take"),
        asyncio.create_task(locked(), name="locked"),
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in tasks:
        show(task)
        task.cancel()


PROGRAMS = [
    group,
    gathered,
    gathered_twice,
    gathered_not_awaited,
    shielded,
    limited,
    waited,
    awaited,
    future,
    recorded,
    not_started,
    limits,
    limits_of_current,
    depths,
    queue,
]
