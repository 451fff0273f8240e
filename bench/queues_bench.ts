/**
 * A queue between one producer and one consumer, beside one of bare promises; and iteration over a queue, beside the
 * language's own.
 *
 * @module
 */

import { gather, Queue, run } from "../mod.ts";
import { BareQueue, pass_items } from "./bare/queue.ts";

const ITEMS = 10_000;

function pass(maxsize: number): Promise<void> {
  return run(async () => {
    const queue = new Queue<number>(maxsize);
    const produce = async () => {
      for (let item = 0; item < ITEMS; item++) await queue.put(item);
    };
    const consume = async () => {
      for (let taken = 0; taken < ITEMS; taken++) await queue.get();
    };
    await gather(produce, consume);
  });
}

for (const maxsize of [100, 1]) {
  const group = `10,000 items, maxsize ${maxsize}`;

  Deno.bench({
    name: `a queue of promises`,
    group,
    baseline: true,
    async fn() {
      await pass_items(new BareQueue<number>(maxsize), ITEMS);
    },
  });

  Deno.bench({
    name: `Queue(${maxsize})`,
    group,
    async fn() {
      await pass(maxsize);
    },
  });
}

const ITERATION = "10,000 items, for await";

async function* count() {
  for (let item = 0; item < ITEMS; item++) yield item;
}

Deno.bench({
  name: "async function*",
  group: ITERATION,
  baseline: true,
  async fn() {
    for await (const _ of count());
  },
});

Deno.bench({
  name: "Queue that has them all",
  group: ITERATION,
  async fn() {
    await run(async () => {
      const queue = new Queue<number>();
      for (let item = 0; item < ITEMS; item++) queue.put_nowait(item);
      queue.shutdown();
      for await (const _ of queue);
    });
  },
});

Deno.bench({
  name: "Queue(100) that a task fills",
  group: ITERATION,
  async fn() {
    await run(async () => {
      const queue = new Queue<number>(100);
      const produce = async () => {
        for (let item = 0; item < ITEMS; item++) await queue.put(item);
        queue.shutdown();
      };
      const consume = async () => {
        for await (const _ of queue);
      };
      await gather(produce, consume);
    });
  },
});
