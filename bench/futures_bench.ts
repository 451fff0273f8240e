/**
 * Futures that somebody awaits, beside promises with their resolvers.
 *
 * @module
 */

import { get_running_loop, run } from "../mod.ts";

const FUTURES = 1_000;

Deno.bench({
  name: "Promise.withResolvers",
  group: "1,000 results, one after the other",
  baseline: true,
  async fn() {
    for (let done = 0; done < FUTURES; done++) {
      const { promise, resolve } = Promise.withResolvers<number>();
      queueMicrotask(() => resolve(done));
      await promise;
    }
  },
});

Deno.bench({
  name: "Future",
  group: "1,000 results, one after the other",
  async fn() {
    await run(async () => {
      const loop = get_running_loop();
      for (let done = 0; done < FUTURES; done++) {
        const future = loop.create_future<number>();
        loop.call_soon(() => future.set_result(done));
        await future;
      }
    });
  },
});

Deno.bench({
  name: "then",
  group: "1,000 callbacks of one result",
  baseline: true,
  async fn() {
    const { promise, resolve } = Promise.withResolvers<void>();
    const called = Array.from({ length: FUTURES }, () => promise.then(() => {}));
    resolve();
    await Promise.all(called);
  },
});

Deno.bench({
  name: "add_done_callback",
  group: "1,000 callbacks of one result",
  async fn() {
    await run(async () => {
      const future = get_running_loop().create_future<void>();
      for (let added = 0; added < FUTURES; added++) future.add_done_callback(() => {});
      future.set_result();
      await future;
    });
  },
});
