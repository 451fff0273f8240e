/** The heap: sorted, and among equals in the order that CPython's `heapq` gives. */

import { assertEquals, assertThrows } from "@std/assert";
import { heapify, heappop, heappush, type LessThan } from "../src/internal/heapq.ts";

type Item = readonly [key: number, name: number];

const by_key: LessThan<Item> = (a, b) => a[0] < b[0];

/** Keys without a pattern, many of them equal. */
function keys(count: number, kinds: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return state % kinds;
  });
}

function drain<T>(heap: T[], lt: LessThan<T>): T[] {
  const items: T[] = [];
  while (heap.length > 0) items.push(heappop(heap, lt));
  return items;
}

const names = (items: Item[]): string => items.map(([, name]) => name).join(" ");

Deno.test("heappush, heappop: sort", () => {
  const numbers = keys(1000, 1_000_000);
  const heap: number[] = [];
  const lt = (a: number, b: number) => a < b;
  for (const number of numbers) heappush(heap, number, lt);
  assertEquals(drain(heap, lt), numbers.toSorted((a, b) => a - b));
});

Deno.test("heapify: makes a heap of any array", () => {
  const lt = (a: number, b: number) => a < b;
  for (let length = 0; length < 40; length++) {
    const numbers = keys(length, 10);
    const heap = [...numbers];
    heapify(heap, lt);
    assertEquals(drain(heap, lt), numbers.toSorted((a, b) => a - b));
  }
});

// The expected orders are what CPython 3.14.2's heapq gives for objects of these keys.
Deno.test("heappush: equal items come in the order of CPython's heapq", () => {
  const heap: Item[] = [];
  keys(24, 3).forEach((key, name) => heappush(heap, [key, name], by_key));
  assertEquals(
    names(drain(heap, by_key)),
    "1 2 13 14 12 15 19 20 4 10 0 3 23 22 21 11 6 9 16 5 7 17 18 8",
  );
});

Deno.test("heapify: equal items come in the order of CPython's heapq", () => {
  const heap: Item[] = keys(24, 3).map((key, name) => [key, name]);
  heapify(heap, by_key);
  assertEquals(names(heap), "14 20 13 15 19 12 2 3 18 1 10 23 5 0 6 7 16 17 8 4 9 21 22 11");
  assertEquals(
    names(drain(heap, by_key)),
    "14 13 2 12 20 19 1 15 0 10 4 3 6 21 22 23 11 17 8 5 16 7 9 18",
  );
});

Deno.test("heappush, heappop: equal items come in the order of CPython's heapq when they alternate", () => {
  const heap: Item[] = [];
  const popped: Item[] = [];
  keys(24, 2).forEach((key, name) => {
    heappush(heap, [key, name], by_key);
    if (name % 3 === 2) popped.push(heappop(heap, by_key));
  });
  assertEquals(
    names([...popped, ...drain(heap, by_key)]),
    "1 2 3 5 7 17 20 22 14 19 21 23 8 10 18 16 15 13 12 11 4 6 9 0",
  );
});

Deno.test("heappush, heappop: the heap is as it was if a comparison throws", () => {
  const lt = (a: unknown, b: unknown): boolean => {
    if (typeof a !== typeof b) throw new TypeError("cannot compare");
    return (a as number) < (b as number);
  };
  const heap: unknown[] = [];
  for (const number of [5, 3, 4, 1, 2]) heappush(heap, number, lt);
  const before = [...heap];
  assertThrows(() => heappush(heap, "text", lt), TypeError, "cannot compare");
  assertEquals(heap, before);
  heap[2] = "text";
  assertThrows(() => heappop(heap, lt), TypeError, "cannot compare");
  assertEquals(heap, before.toSpliced(2, 1, "text"));
});
