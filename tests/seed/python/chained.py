import argparse
import asyncio
import time

from seeded_random import SeededRandom


async def pause(step, random):
    delay = random.randint(0, 10) / 10
    print(f"{step} sleeping for {delay:.1f} seconds.")
    await asyncio.sleep(delay)


async def part1(n, random):
    await pause(f"part1({n})", random)
    result = f"result{n}-1"
    print(f"Returning part1({n}) == {result}.")
    return result


async def part2(n, arg, random):
    await pause(f"part2({n}, {arg})", random)
    result = f"result{n}-2 derived from {arg}"
    print(f"Returning part2({n}, {arg}) == {result}.")
    return result


async def chain(n, random):
    start = time.perf_counter()
    result = await part2(n, await part1(n, random), random)
    elapsed = time.perf_counter() - start
    print(f"--> Chained result{n} => {result} (took {elapsed:.2f} seconds).")


async def main(numbers, random):
    start = time.perf_counter()
    await asyncio.gather(*(chain(n, random) for n in numbers))
    print(f"Program finished in {time.perf_counter() - start:.2f} seconds.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("numbers", type=int, nargs="*")
    parser.add_argument("-s", "--seed", type=int, default=444)
    args = parser.parse_args()
    asyncio.run(main(args.numbers or [1, 2, 3], SeededRandom(args.seed)))
