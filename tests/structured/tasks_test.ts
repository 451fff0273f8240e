/** Tasks: results of a group, attempts that are made again, supervisors. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  CancelScope,
  ResultGroup,
  retry,
  type Strategy,
  supervise,
  type SuperviseOptions,
} from "../../structured.ts";
import { errors_of, now, run } from "./clock.ts";

const { async_with, sleep, TaskGroup } = asyncio;

Deno.test("ResultGroup.results: in the order of creation, when the block has ended", () =>
  run(async () => {
    const group = new ResultGroup<number>();
    await async_with(group, async () => {
      for (const n of [3, 1, 2]) group.create_task(() => sleep(n, n));
      assertThrows(() => group.results(), asyncio.InvalidStateError);
      await sleep(0);
    });
    assertEquals(group.results(), [3, 1, 2]);
    assertEquals(new ResultGroup().results(), []);
  }));

Deno.test("ResultGroup.as_completed: as they come, with tasks that are made meanwhile", () =>
  run(async () => {
    const seen: [number, number][] = [];
    await async_with(new ResultGroup<number>(), async (group) => {
      for (const n of [3, 1]) group.create_task(() => sleep(n, n));
      for await (const n of group.as_completed()) {
        seen.push([n, now()]);
        if (n === 1) group.create_task(() => sleep(1, 10));
      }
      const all: number[] = [];
      for await (const n of group.as_completed()) all.push(n);
      assertEquals(all, [1, 10, 3]);
    });
    assertEquals(seen, [[1, 1], [10, 2], [3, 3]]);
  }));

Deno.test("ResultGroup.as_completed: a cancelled wait loses no result", () =>
  run(async () => {
    await async_with(new ResultGroup<number>(), async (group) => {
      group.create_task(() => sleep(2, 1));
      const results = group.as_completed();
      await assertRejects(
        async () => await asyncio.wait_for(results.next() as asyncio.Coroutine<unknown>, 1),
        asyncio.TimeoutError,
      );
      assertEquals(await results.next(), { done: false, value: 1 });
      assertEquals(await results.next(), { done: true, value: undefined });
    });
  }));

Deno.test("ResultGroup: a failure is the group's, and cancelled tasks have no result", () =>
  run(async () => {
    const group = new ResultGroup<number>();
    const errors = await errors_of(async_with(group, async () => {
      group.create_task(() => sleep(60, 1));
      group.create_task(async () => {
        await sleep(1);
        throw new TypeError("failed");
      });
      for await (const _ of group.as_completed()) { /* none comes */ }
    }));
    assertEquals(errors.map(String), ["TypeError: failed"]);
    assertThrows(() => group.results(), asyncio.CancelledError);
  }));

/** A function that fails so many times, and notes when it was called. */
function failing(times: number, make = (attempt: number) => new Error(`attempt ${attempt}`)) {
  const calls: number[] = [];
  const fn = async (attempt: number) => {
    calls.push(now());
    await sleep(0);
    if (attempt <= times) throw make(attempt);
    return attempt;
  };
  return { fn, calls };
}

Deno.test("retry: delays grow by the factor up to the longest", () =>
  run(async () => {
    const { fn, calls } = failing(5);
    const options = { attempts: 6, delay: 1, factor: 3, max_delay: 10 };
    assertEquals(await retry(fn, options), 6);
    assertEquals(calls, [0, 1, 4, 13, 23, 33]);
  }));

Deno.test("retry: without a delay there is none after any number of attempts", () =>
  run(async () => {
    // The factor alone is Infinity then.
    const last = 1100;
    const attempts = retry(
      (attempt) => attempt < last ? Promise.reject(new Error("again")) : Promise.resolve(attempt),
      { attempts: Infinity, delay: 0 },
    );
    assertEquals([await attempts, now()], [last, 0]);
  }));

Deno.test("retry: throws the last error when there are no more attempts", () =>
  run(async () => {
    const { fn, calls } = failing(9);
    await assertRejects(async () => await retry(fn, { attempts: 3 }), Error, "attempt 3");
    assertEquals(calls, [0, 1, 3]);
  }));

Deno.test("retry: jitter shortens delays, by that part at most", () =>
  run(async () => {
    const { fn, calls } = failing(20);
    await retry(fn, { attempts: Infinity, delay: 10, factor: 1, jitter: 0.5 });
    const delays = calls.slice(1).map((time, index) => time - (calls[index] as number));
    assert(delays.every((delay) => delay > 5 && delay <= 10));
    assert(new Set(delays).size > 1);
  }));

Deno.test("retry.retry_on: a class, several, a predicate; others are thrown at once", () =>
  run(async () => {
    const conditions = [
      RangeError,
      [TypeError, RangeError],
      (error: unknown) => error instanceof RangeError,
    ];
    for (const retry_on of conditions) {
      assertEquals(
        await retry(failing(1, () => new RangeError()).fn, { retry_on, delay: 0 }),
        2,
      );
      const { fn, calls } = failing(1, () => new SyntaxError("other"));
      await assertRejects(async () => await retry(fn, { retry_on }), SyntaxError);
      assertEquals(calls.length, 1);
    }
  }));

Deno.test("retry: a cancellation is never retried, in an attempt or in a delay", () =>
  run(async () => {
    for (const at of [0.5, 1.5]) {
      let attempts = 0;
      const task = asyncio.create_task(retry(async () => {
        attempts++;
        await sleep(1);
        throw new Error("again");
      }, { retry_on: () => true }));
      await sleep(at);
      task.cancel();
      await asyncio.wait([task]);
      assertEquals([task.cancelled(), attempts], [true, 1]);
    }
    await assertRejects(
      async () =>
        await retry(() => Promise.reject(new asyncio.CancelledError("own")), {
          retry_on: () => true,
        }),
      asyncio.CancelledError,
      "own",
    );
  }));

Deno.test("retry.deadline: no attempt begins after it, and one in progress is cancelled", () =>
  run(async () => {
    const { fn, calls } = failing(9);
    await assertRejects(async () => await retry(fn, { deadline: 5 }), Error, "attempt 3");
    assertEquals([calls, now()], [[0, 1, 3], 3]);
    let cleaned = false;
    const error = await assertRejects(
      async () =>
        await retry(async (attempt) => {
          if (attempt === 1) throw new TypeError("first");
          await sleep(60).finally(() => cleaned = true);
        }, { deadline: now() + 5 }),
      asyncio.TimeoutError,
      "timed out at 8 s of the loop's clock",
    );
    assert(error.cause instanceof TypeError && cleaned);
    assertEquals([now(), asyncio.current_task()?.cancelling()], [8, 0]);
  }));

Deno.test("retry: calls a function* and is awaited in one", () =>
  run(async () => {
    const task = asyncio.create_task(function* () {
      return yield* retry(function* (attempt) {
        yield* sleep(1);
        if (attempt < 2) throw new Error();
        return attempt;
      });
    });
    assertEquals([await task, now()], [2, 3]);
  }));

Deno.test("retry: refuses what makes no sense", () => {
  assertThrows(() => retry(1 as never), TypeError, "fn must be a function");
  assertThrows(() => retry(async () => {}, { backoff: 1 } as never), TypeError, "backoff");
  assertThrows(() => retry(async () => {}, { attempts: 0 }), asyncio.ValueError, "attempts");
  assertThrows(() => retry(async () => {}, { attempts: 1.5 }), asyncio.ValueError, "1.5");
  assertThrows(() => retry(async () => {}, { jitter: 2 }), asyncio.ValueError, "jitter");
  assertThrows(() => retry(async () => {}, { delay: "1" } as never), TypeError, "delay");
  assertThrows(() => retry(async () => {}, { retry_on: 1 } as never), TypeError, "retry_on");
});

/** Supervises a, b, c, of which b fails once after a second, and returns what they did. */
async function log_of(strategy: Strategy): Promise<string[]> {
  const log: string[] = [];
  let failures = 1;
  const worker = (name: string) => async () => {
    log.push(`${name} starts`);
    try {
      if (name === "b" && failures-- > 0) {
        await sleep(1);
        throw new Error("crash");
      }
      await sleep(name === "a" ? 3 : name === "b" ? 3.5 : 4);
    } catch (error) {
      if (error instanceof asyncio.CancelledError) log.push(`${name} is stopped`);
      throw error;
    }
    log.push(`${name} ends`);
  };
  await async_with(new TaskGroup(), async (group) => {
    supervise(group, ["a", "b", "c"].map(worker), { strategy });
    await sleep(0);
  });
  return log;
}

Deno.test("supervise: one_for_one starts the one that failed again", () =>
  run(async () => {
    assertEquals(await log_of("one_for_one"), [
      ...["a starts", "b starts", "c starts", "b starts"],
      ...["a ends", "c ends", "b ends"],
    ]);
  }));

Deno.test("supervise: one_for_all stops the others, the last first, and starts all again", () =>
  run(async () => {
    assertEquals(await log_of("one_for_all"), [
      ...["a starts", "b starts", "c starts", "c is stopped", "a is stopped"],
      ...["a starts", "b starts", "c starts", "a ends", "b ends", "c ends"],
    ]);
  }));

Deno.test("supervise: rest_for_one starts that one and those after it again", () =>
  run(async () => {
    assertEquals(await log_of("rest_for_one"), [
      ...["a starts", "b starts", "c starts", "c is stopped"],
      ...["b starts", "c starts", "a ends", "b ends", "c ends"],
    ]);
  }));

/** Supervises a task that fails at these times after its start; returns the starts and the errors of the group. */
async function supervise_failures(delays: number[], options: SuperviseOptions) {
  let starts = 0;
  let stopped = 0;
  const crashing = async () => {
    const delay = delays[starts++];
    await sleep(delay ?? 0);
    if (delay !== undefined) throw new Error(`failure ${starts}`);
  };
  const bystander = () => sleep(1000).finally(() => stopped = now());
  const begun = now();
  try {
    await errors_of(async_with(new TaskGroup(), async (group) => {
      supervise(group, [crashing, bystander], options);
      await sleep(100);
      group.cancel();
    }));
    return { starts, failed_after: stopped - begun };
  } catch {
    return { starts, failed_after: null };
  }
}

Deno.test("supervise: too many failures within the period fail the group with the last error", () =>
  run(async () => {
    const often = await supervise_failures([1, 1, 1, 1, 1], { max_restarts: 3, within: 5 });
    assertEquals(often, { starts: 4, failed_after: 4 });
    const seldom = await supervise_failures([6, 6, 6, 6, 6], { max_restarts: 1, within: 5 });
    assertEquals(seldom, { starts: 6, failed_after: null });
    const never = await supervise_failures([1], { max_restarts: 0 });
    assertEquals(never, { starts: 1, failed_after: 1 });
  }));

Deno.test("supervise: cancelled, it stops all one after the other, the last first, and waits", () =>
  run(async () => {
    const log: string[] = [];
    const worker = (name: string) => () =>
      sleep(60).finally(async () => {
        await sleep(1);
        log.push(`${name} at ${now()}`);
      });
    await async_with(new TaskGroup(), async (group) => {
      const supervisor = supervise(group, ["a", "b"].map(worker));
      await sleep(1);
      supervisor.cancel();
      await asyncio.wait([supervisor]);
      assert(supervisor.cancelled());
    });
    assertEquals(log, ["b at 2", "a at 3"]);
  }));

Deno.test("supervise: in a level-triggered scope it waits for its tasks all the same", () =>
  run(async () => {
    let ended = 0;
    const clean_up = async () => {
      await sleep(2);
      ended = now();
    };
    const worker = () =>
      sleep(60).finally(() => async_with(new CancelScope({ shield: true }), clean_up));
    await async_with(
      new CancelScope({ deadline: 1, level: true }),
      () =>
        async_with(new TaskGroup(), async (group) => {
          supervise(group, [worker]);
          await sleep(60);
        }),
    );
    assertEquals([ended, now()], [3, 3]);
  }));

Deno.test("supervise: what a task throws while it is stopped is reported", () =>
  run(async () => {
    const reports: unknown[] = [];
    asyncio.get_running_loop().set_exception_handler((_, { exception }) => {
      reports.push(String(exception));
    });
    await async_with(new TaskGroup(), async (group) => {
      supervise(group, [() =>
        sleep(60).finally(() => {
          throw new TypeError("stopping");
        })]);
      await sleep(1);
      group.cancel();
    });
    assertEquals(reports, ["TypeError: stopping"]);
  }));

Deno.test("supervise: refuses what makes no sense", () =>
  run(async () => {
    await async_with(new TaskGroup(), async (group) => {
      assertThrows(() => supervise(group, [], { strategy: "all" } as never), TypeError, "'all'");
      assertThrows(() => supervise(group, [1 as never]), TypeError, "factory");
      assertThrows(() => supervise(group, 1 as never), TypeError, "factories must be iterable");
      assertThrows(() => supervise({} as never, []), TypeError, "must be a TaskGroup");
      assertThrows(() => supervise(group, [], { within: -1 }), asyncio.ValueError, "within");
      assertThrows(() => supervise(group, [], { restarts: 1 } as never), TypeError, "restarts");
      await sleep(0);
    });
  }));
