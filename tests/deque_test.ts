/** The ring of slots behind queues and the loop: order, growth, and shrinking. */

import { assertEquals } from "@std/assert";
import { Deque } from "../src/internal/deque.ts";

function filled(count: number): Deque<number> {
  const deque = new Deque<number>();
  for (let i = 0; i < count; i++) deque.push(i);
  return deque;
}

Deno.test("first in, first out", () => {
  const deque = filled(3);
  assertEquals([deque.shift(), deque.shift()], [0, 1]);
  deque.push(3);
  assertEquals([...deque], [2, 3]);
  assertEquals([deque.length, deque.shift(), deque.shift(), deque.length], [2, 2, 3, 0]);
});

Deno.test("the order survives growing while the ring goes over its end", () => {
  for (const offset of [0, 1, 7, 15, 16, 17]) {
    const deque = filled(offset);
    for (let i = 0; i < offset; i++) deque.shift();
    for (let i = 0; i < 100; i++) deque.push(i);
    assertEquals([...deque], Array.from({ length: 100 }, (_, i) => i));
  }
});

Deno.test("the order survives shrinking", () => {
  const deque = filled(20_000);
  for (let i = 0; i < 19_990; i++) assertEquals(deque.shift(), i);
  deque.push(20_000);
  assertEquals([...deque], [...Array.from({ length: 10 }, (_, i) => 19_990 + i), 20_000]);
});

Deno.test("it behaves as an array does, whatever is pushed and taken", () => {
  const deque = new Deque<number>();
  const model: number[] = [];
  let state = 1;
  for (let i = 0; i < 20_000; i++) {
    state = (state * 48271) % 2147483647;
    // It grows for a while, then is mostly drained, and so on.
    if (state % 100 < (i % 4000 < 2000 ? 70 : 30) || model.length === 0) {
      deque.push(i);
      model.push(i);
    } else {
      assertEquals(deque.shift(), model.shift());
    }
    assertEquals(deque.length, model.length);
  }
  assertEquals([...deque], model);
});

Deno.test("undefined is an item like others", () => {
  const deque = new Deque<undefined>();
  deque.push(undefined);
  assertEquals([deque.length, [...deque]], [1, [undefined]]);
  assertEquals([deque.shift(), deque.length], [undefined, 0]);
});

Deno.test("clear removes everything, and the deque can be used again", () => {
  const deque = filled(50);
  deque.clear();
  assertEquals([deque.length, [...deque]], [0, []]);
  deque.push(1);
  assertEquals([...deque], [1]);
});
