/** A `cancel()` that user code calls while a cancellation of the same task is being delivered. */

import { assertEquals, assertRejects } from "@std/assert";
import * as asyncio from "../mod.ts";
import { run } from "./virtual_time.ts";

type Blocks = Readonly<Record<string, (body: () => PromiseLike<void>) => PromiseLike<void>>>;

const LIMITS: Blocks = {
  "timeout": (body) => asyncio.async_with(asyncio.timeout(1), body),
  "wait_for": (body) => asyncio.wait_for(body, 1),
  "aborted_by": (body) => {
    const controller = new AbortController();
    asyncio.get_running_loop().call_later(1, () => controller.abort());
    return asyncio.async_with(asyncio.aborted_by(controller.signal), body);
  },
  "gather in a timeout": (body) =>
    asyncio.async_with(asyncio.timeout(1), async () => {
      await asyncio.gather(body, asyncio.sleep(60));
    }),
};

/** Waits for native work; a function is called when that is aborted. */
const work = (on_abort: () => void) =>
  asyncio.from_promise((signal) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener("abort", () => {
        on_abort();
        reject(new Error("aborted"));
      });
    })
  );

/** A future whose first `cancel()` calls a function. */
class Calls extends asyncio.Future<void> {
  #on_cancel: () => void;

  constructor(on_cancel: () => void) {
    super();
    this.#on_cancel = on_cancel;
  }

  override cancel(message?: unknown): boolean {
    const on_cancel = this.#on_cancel;
    this.#on_cancel = () => {};
    on_cancel();
    return super.cancel(message);
  }
}

const WAITS: Readonly<Record<string, (on_cancel: () => void) => PromiseLike<void>>> = {
  "an abort listener": work,
  "an overridden cancel()": async (on_cancel) => await new Calls(on_cancel),
};

for (const [limit, block] of Object.entries(LIMITS)) {
  for (const [place, wait] of Object.entries(WAITS)) {
    Deno.test(`Task.cancel: called in ${place} when ${limit} cancels the task's block, it cancels the task`, () =>
      run(async () => {
        const seen: unknown[] = [];
        const task: asyncio.Task<void> = asyncio.create_task(async () => {
          try {
            await block(() => wait(() => seen.push(task.cancel("requested"))));
          } catch (error) {
            seen.push((error as Error).name, task.cancelling());
            throw error;
          } finally {
            await asyncio.sleep(1); // the same request is not thrown again
            seen.push("cleaned up");
          }
        });
        await asyncio.wait([task]);
        assertEquals(seen, [true, "CancelledError", 1, "cleaned up"]);
        assertEquals(task.cancelled(), true);
      }));
  }
}

Deno.test("Task.cancel: each call counts, also one while another one is being delivered", () =>
  run(async () => {
    const counts: number[] = [];
    const task: asyncio.Task<void> = asyncio.create_task(async () => {
      try {
        await work(() => task.cancel("inner"));
      } catch {
        counts.push(task.cancelling(), task.uncancel(), task.uncancel());
      }
      await asyncio.sleep(1);
    });
    await asyncio.sleep(0);
    task.cancel("outer");
    await task;
    assertEquals(counts, [2, 1, 0]);
  }));

Deno.test("aborted_by: aborted in the abort listener of a block inside it, it ends its own block", () =>
  run(async () => {
    const controller = new AbortController();
    const leave = () => controller.abort(new Error("the caller has left"));
    await assertRejects(
      () =>
        Promise.resolve(asyncio.async_with(
          asyncio.aborted_by(controller.signal),
          () => LIMITS["timeout"]!(() => work(leave)),
        )),
      Error,
      "the caller has left",
    );
    assertEquals(asyncio.current_task()!.cancelling(), 0);
  }));

Deno.test("Task.cancel: tasks that wait for each other, by gather() too, cancel each other once", () =>
  run(async () => {
    // Nothing awaits the gather() of a cycle any more.
    asyncio.get_running_loop().set_exception_handler(() => {});
    const both = [
      (task: asyncio.Task<void>) => task,
      (task: asyncio.Task<void>) => asyncio.gather(task),
    ];
    for (const first of both) {
      for (const second of both) {
        const a: asyncio.Task<void> = asyncio.create_task(async () => void await first(b));
        const b: asyncio.Task<void> = asyncio.create_task(async () => void await second(a));
        await asyncio.sleep(0);
        a.cancel();
        await asyncio.wait([a, b]);
        assertEquals([a.cancelled(), b.cancelled()], [true, true]);
        assertEquals([a.cancelling(), b.cancelling()], [1, 1]);
      }
    }
  }));

Deno.test("Task.cancel: called again and again by what it cancels, it ends", () =>
  run(async () => {
    let calls = 0;
    class Restless extends asyncio.Future<void> {
      override cancel(): boolean {
        calls++;
        task.cancel();
        return false;
      }
    }
    const task: asyncio.Task<void> = asyncio.create_task(async () => await new Restless());
    await asyncio.sleep(0);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([task.cancelled(), calls], [true, 2]);
  }));
