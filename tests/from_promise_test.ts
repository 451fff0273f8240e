/** `from_promise()`: native work that a cancellation reaches. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import * as asyncio from "../mod.ts";

/** Native work that settles when its signal is aborted, and then as it is told to. */
function until_aborted(end: (settle: PromiseWithResolvers<string>, signal: AbortSignal) => void) {
  return (signal: AbortSignal): Promise<string> => {
    const settle = Promise.withResolvers<string>();
    signal.addEventListener("abort", () => end(settle, signal));
    return settle.promise;
  };
}

const rejects_with_the_reason = until_aborted(({ reject }, { reason }) => reject(reason));

/** Starts a task and cancels it when it waits; returns whether it has ended as cancelled. */
async function is_cancelled_while_it_waits(work: () => Promise<unknown>): Promise<boolean> {
  const task = asyncio.create_task(work);
  await asyncio.sleep(0.005);
  task.cancel("enough");
  await asyncio.wait([task]);
  return task.cancelled();
}

Deno.test("from_promise: the value of a promise, of a function's promise and of its plain result", () =>
  asyncio.run(async () => {
    assertEquals(await asyncio.from_promise(Promise.resolve(1)), 1);
    assertEquals(await asyncio.from_promise(() => Promise.resolve(2)), 2);
    assertEquals(await asyncio.from_promise(() => 3), 3);
    const error = new Error("no connection");
    const caught = await asyncio.from_promise(() => Promise.reject(error)).catch((error) => error);
    assertStrictEquals(caught, error);
  }));

Deno.test("from_promise: the function is called when it is awaited, in the task that awaits", () =>
  asyncio.run(async () => {
    let called_in: unknown = "not called";
    const wait = asyncio.from_promise(() => {
      called_in = asyncio.current_task();
    });
    await asyncio.sleep(0);
    assertEquals(called_in, "not called");
    await wait;
    assertStrictEquals(called_in, asyncio.current_task());
  }));

Deno.test("from_promise: what an operation of the host throws when it is aborted is the cancellation", () =>
  asyncio.run(async () => {
    const wait = () => asyncio.from_promise((signal) => delay(60_000, null, { signal }));
    const names: string[] = [];
    const note = (error: Error) => void names.push(error.name);
    await asyncio.async_with(asyncio.timeout(0.001), wait).catch(note);
    await asyncio.wait_for(wait, 0.001).catch(note);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new RangeError("the reason")), 1);
    await asyncio.async_with(asyncio.aborted_by(controller.signal), wait).catch(note);
    assertEquals(names, ["TimeoutError", "TimeoutError", "RangeError"]);
    assert(await is_cancelled_while_it_waits(async () => await wait()));
  }));

Deno.test("from_promise: an error of the work's own is the cause of the cancellation, which is thrown once", () =>
  asyncio.run(async () => {
    const own = new Error("the client's own");
    const thrown: Error[] = [];
    await is_cancelled_while_it_waits(async () => {
      try {
        await asyncio.from_promise(until_aborted(({ reject }) => setTimeout(reject, 10, own)));
      } catch (error) {
        thrown.push(error as Error);
      }
      await asyncio.sleep(0.001);
    });
    assertEquals(thrown.length, 1);
    assert(thrown[0] instanceof asyncio.CancelledError);
    assertEquals(thrown[0]?.message, "enough");
    assertStrictEquals(thrown[0]?.cause, own);
  }));

Deno.test("from_promise: the signal's reason is the error that is thrown, without a cause", () =>
  asyncio.run(async () => {
    let thrown: unknown;
    let reason: unknown;
    await is_cancelled_while_it_waits(async () => {
      try {
        await asyncio.from_promise((signal) => {
          signal.addEventListener("abort", () => reason = signal.reason);
          return rejects_with_the_reason(signal);
        });
      } catch (error) {
        thrown = error;
      }
    });
    assertStrictEquals(thrown, reason);
    assertEquals((thrown as Error).cause, undefined);
  }));

Deno.test("from_promise: the value of work that completes all the same is given, and the cancellation comes next", () =>
  asyncio.run(async () => {
    const log: unknown[] = [];
    const is_cancelled = await is_cancelled_while_it_waits(async () => {
      log.push(await asyncio.from_promise(until_aborted(({ resolve }) => resolve("receipt"))));
      await asyncio.sleep(0);
      log.push("never");
    });
    assertEquals([log, is_cancelled], [["receipt"], true]);
  }));

Deno.test("from_promise: a block whose work completes although its limit has passed is late, not silent", () =>
  asyncio.run(async () => {
    const block = asyncio.async_with(
      asyncio.timeout(0.001),
      () => asyncio.from_promise(until_aborted(({ resolve }) => resolve("receipt"))),
    );
    assertEquals(await block.catch((error) => (error as Error).name), "TimeoutError");
  }));

Deno.test("from_promise: a wait for a promise ends at once, and others still get its value", () =>
  asyncio.run(async () => {
    const shared = Promise.withResolvers<string>();
    assert(
      await is_cancelled_while_it_waits(async () => await asyncio.from_promise(shared.promise)),
    );
    shared.resolve("a value");
    assertEquals(await asyncio.from_promise(shared.promise), "a value");
  }));

Deno.test("from_promise, abandon_on_cancel: aborts the signal and does not wait for the work", () =>
  asyncio.run(async () => {
    let signal: AbortSignal | undefined;
    const never = (given: AbortSignal) => {
      signal = given;
      return new Promise<void>(() => {});
    };
    const is_cancelled = await is_cancelled_while_it_waits(async () => {
      await asyncio.from_promise(never, { abandon_on_cancel: true });
    });
    assertEquals([is_cancelled, signal?.aborted], [true, true]);
  }));

Deno.test("from_promise: the clean-up after a cancelled wait is not cut", () =>
  asyncio.run(async () => {
    const log: string[] = [];
    await is_cancelled_while_it_waits(async () => {
      try {
        await asyncio.from_promise(rejects_with_the_reason);
      } finally {
        await asyncio.sleep(0.001);
        await asyncio.from_promise(() => delay(1));
        log.push("cleaned up");
      }
    });
    assertEquals(log, ["cleaned up"]);
  }));

Deno.test("from_promise: Promise.any of nothing but cancelled waits is the cancellation", () =>
  asyncio.run(async () => {
    const is_cancelled = await is_cancelled_while_it_waits(async () => {
      const mirror = () => asyncio.from_promise(rejects_with_the_reason);
      await Promise.any([mirror(), mirror()]);
    });
    assert(is_cancelled);
  }));

Deno.test("from_promise: what is neither a promise nor a function, and an unknown option, are refused", () => {
  assertThrows(() => asyncio.from_promise(5 as never), TypeError, "received 5");
  assertThrows(
    () => asyncio.from_promise(Promise.resolve(), { abandon: true } as never),
    TypeError,
    "abandon",
  );
});

Deno.test("from_promise, wrap_future, gather: any thenable is waited for as await waits for it", async () => {
  type Settle = (value: unknown) => void;
  const thenables: Record<string, (resolve: Settle, reject: Settle) => void> = {
    "fulfilled 1": (resolve) => resolve(1),
    "fulfilled 2": (resolve) => resolve(Promise.resolve(2)),
    "fulfilled 3": (resolve, reject) => [resolve, resolve, reject].forEach((f, i) => f(i + 3)),
    "fulfilled 4": (resolve) => {
      resolve(4);
      throw new Error("too late");
    },
    "rejected 5": (_, reject) => reject(5),
    "rejected 6": () => {
      throw 6;
    },
  };
  const waits: ((thenable: PromiseLike<unknown>) => PromiseLike<unknown>)[] = [
    (thenable) => Promise.resolve(thenable),
    (thenable) => asyncio.from_promise(thenable),
    (thenable) => asyncio.from_promise(() => thenable),
    (thenable) => asyncio.wrap_future(thenable),
    (thenable) => asyncio.gather(thenable).then(([value]) => value),
  ];
  await asyncio.run(async () => {
    for (const [expected, then] of Object.entries(thenables)) {
      const thenable = { then } as unknown as PromiseLike<unknown>;
      for (const wait of waits) {
        const seen = await wait(thenable).then(
          (value) => `fulfilled ${value}`,
          (error) => `rejected ${error}`,
        );
        assertEquals(seen, expected);
      }
    }
  });
});
