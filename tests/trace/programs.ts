/** Programs whose traces are written down and drawn, on the virtual clock. */

import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { type TraceEvent, TraceRecorder } from "../../trace.ts";

/** Runs a program and gives the events of its trace. */
export async function trace_of(
  main: asyncio.CoroutineLike<unknown>,
): Promise<TraceEvent[]> {
  const trace = new TraceRecorder();
  const loop_factory = () => new VirtualClockEventLoop({ trace });
  await asyncio.run(main, { loop_factory });
  return trace.events;
}

/** Tasks of every kind: that wait for all that there is, fail, are cancelled, wake each other. */
export async function everything(): Promise<void> {
  const lock = new asyncio.Lock();
  const queue = new asyncio.Queue<number>(2);
  const holder = asyncio.create_task(async () => {
    await asyncio.sleep(0.1);
    await asyncio.async_with(lock, () => asyncio.sleep(0.2));
  }, { name: "holder" });
  const cancelled = asyncio.create_task(
    asyncio.coroutine(function* () {
      yield* asyncio.sleep(0.12);
      yield* lock.acquire();
      yield* asyncio.sleep(10);
    })(),
    { name: "a task with a rather long name & <strange> characters" },
  );
  asyncio.create_task(async () => {
    await asyncio.sleep(0.01);
    for (let item = 0; item < 8; item++) {
      await queue.put(item);
      await asyncio.sleep(0.02);
    }
    queue.shutdown();
  }, { name: "producer" });
  asyncio.create_task(async () => {
    for await (const _ of queue) await asyncio.sleep(0.05);
  }, { name: "consumer" });
  const fails = (delay: number) => async () => {
    await asyncio.sleep(delay);
    throw new RangeError("no good reason at all");
  };
  const early = asyncio.create_task(fails(0.3), { name: "fails early" });
  const late = asyncio.create_task(fails(0.9), { name: "fails late" });
  await asyncio.sleep(0.7);
  cancelled.cancel();
  await asyncio.gather(holder, cancelled, early, late, { return_exceptions: true });
  await asyncio.ensure_future(Promise.resolve());
  await asyncio.wait_for(asyncio.sleep(5), 0.3).catch(() => {});
}

/** As many tasks as are asked for, which sleep for different times. */
export function crowd(count: number): () => Promise<unknown> {
  return async () => {
    await asyncio.gather(
      Array.from({ length: count }, (_, index) => asyncio.sleep((index * 7 % count) / count)),
    );
  };
}

/** A program in which no time passes. */
export async function timeless(): Promise<void> {
  const turns = async () => {
    for (let turn = 0; turn < 3; turn++) await asyncio.sleep(0);
  };
  await asyncio.gather(turns, turns);
}
