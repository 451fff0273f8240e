/**
 * A queue between one producer and one consumer, beside one of bare promises.
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
