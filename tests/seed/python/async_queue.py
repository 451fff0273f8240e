import argparse
import asyncio
import time

from seeded_random import SeededRandom


def make_item(random):
    return "".join(f"{random.randint(0, 255):02x}" for _ in range(5))


async def pause(caller, random):
    delay = random.randint(0, 5) / 10
    print(f"{caller} sleeping for {delay:.1f} seconds.")
    await asyncio.sleep(delay)


async def produce(name, queue, random):
    for _ in range(random.randint(1, 4)):
        await pause(f"Producer {name}", random)
        item = make_item(random)
        await queue.put((item, time.perf_counter()))
        print(f"Producer {name} added <{item}> to queue.")


async def consume(name, queue, random):
    while True:
        await pause(f"Consumer {name}", random)
        item, added = await queue.get()
        waited = time.perf_counter() - added
        print(f"Consumer {name} got element <{item}> in {waited:.2f} seconds.")
        queue.task_done()


async def main(nprod, ncon, random):
    start = time.perf_counter()
    queue = asyncio.Queue()
    producers = [asyncio.create_task(produce(n, queue, random)) for n in range(nprod)]
    consumers = [asyncio.create_task(consume(n, queue, random)) for n in range(ncon)]
    await asyncio.gather(*producers)
    await queue.join()  # Implicitly awaits consumers, too
    for consumer in consumers:
        consumer.cancel()
    print(f"Program completed in {time.perf_counter() - start:.2f} seconds.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("-p", "--nprod", type=int, default=2)
    parser.add_argument("-c", "--ncon", type=int, default=3)
    parser.add_argument("-s", "--seed", type=int, default=444)
    args = parser.parse_args()
    asyncio.run(main(args.nprod, args.ncon, SeededRandom(args.seed)))
