"""The workloads on CPython's asyncio; `uvloop` as first argument runs them on uvloop.

The last argument is the job, in JSON, as measure.ts describes it.
"""

import asyncio
import gc
import json
import os
import sys
import time


async def empty():
    pass


async def switch(size):
    for _ in range(size):
        await asyncio.sleep(0)
    return size


async def spawn(size):
    for _ in range(size):
        await asyncio.create_task(empty())
    return size


async def gather(size):
    await asyncio.gather(*[empty() for _ in range(size)])
    return size


async def pass_items(queue, size):
    async def produce():
        for item in range(size):
            await queue.put(item)

    async def consume():
        for _ in range(size):
            await queue.get()

    await asyncio.gather(produce(), consume())
    return size


async def queue_100(size):
    return await pass_items(asyncio.Queue(100), size)


async def queue_1(size):
    return await pass_items(asyncio.Queue(1), size)


async def semaphore(size):
    gate = asyncio.Semaphore(10)

    async def work():
        async with gate:
            await asyncio.sleep(0)

    await asyncio.gather(*[work() for _ in range(size)])
    return size


async def lock(size):
    mutex = asyncio.Lock()

    async def work():
        for _ in range(size):
            await mutex.acquire()
            await asyncio.sleep(0)
            mutex.release()

    await asyncio.gather(*[work() for _ in range(100)])
    return 100 * size


async def timers(size):
    await asyncio.gather(*[asyncio.sleep((1 + index % 50) / 1000) for index in range(size)])
    return size


async def cancel(size):
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(size)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return size


async def timeout(size):
    for _ in range(size):
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
    return size


async def tree(size):
    async def node(depth):
        if depth == 0:
            return 1
        left, right = await asyncio.gather(node(depth - 1), node(depth - 1))
        return left + right + 1

    return await node(size)


BATCHES = {
    "W1": switch,
    "W2": spawn,
    "W3": gather,
    "W4": queue_100,
    "W5": queue_1,
    "W6": semaphore,
    "W7": lock,
    "W8": timers,
    "W9": cancel,
    "W10": timeout,
    "W12": tree,
}


async def idle(size):
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(size)]
    await asyncio.sleep(0)
    return tasks


def resident_bytes():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def bytes_per_task(job):
    kept = [await idle(job["warm_up_size"])]
    before = resident_bytes()
    kept.append(await idle(job["size"]))
    return (resident_bytes() - before) / job["size"]


# As measure.ts does it.
async def warm_up(job, batch):
    seconds = job["warm_up_ms"] / 1e3
    took = 0.0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        await batch(job["warm_up_size"])
        took = time.perf_counter() - began
    if took * job["size"] / job["warm_up_size"] > seconds:
        return
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        await batch(job["size"])


async def nanoseconds_per_operation(job, batch):
    await warm_up(job, batch)
    operations = 0
    spent = 0.0
    while spent < job["measure_ms"] / 1e3:
        began = time.perf_counter()
        operations += await batch(job["size"])
        spent += time.perf_counter() - began - job["idle_ms"] / 1e3
    return spent * 1e9 / operations


async def main():
    job = json.loads(sys.argv[-1])
    if job["workload"] == "W11":
        per_operation = await bytes_per_task(job)
    else:
        per_operation = await nanoseconds_per_operation(job, BATCHES[job["workload"]])
    print(json.dumps({"per_operation": per_operation}), flush=True)
    os._exit(0)


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
