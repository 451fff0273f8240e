import asyncio


async def num(n):
    try:
        await asyncio.sleep(n * 0.1)
        return n
    except asyncio.CancelledError:
        print(f"数字{n}被取消")
        raise


async def main():
    tasks = [asyncio.create_task(num(i)) for i in range(10)]
    complete, pending = await asyncio.wait(tasks, timeout=0.5)
    # Sets have no order in Python: take both in the order of the tasks.
    for i in filter(complete.__contains__, tasks):
        print("当前数字", i.result())
    if pending:
        print("取消未完成的任务")
        for p in filter(pending.__contains__, tasks):
            p.cancel()

    # gather has no timeout: it takes as long as the slowest, and keeps the order.
    print("gather", await asyncio.gather(*(num(i) for i in range(10))))


if __name__ == "__main__":
    asyncio.run(main())
