/** Locks, events, conditions, semaphores and barriers: order, cancellation at every moment, overriding, mistakes. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import type { ArrayOf } from "../itertools.ts";
import * as asyncio from "../mod.ts";
import { run } from "./virtual_time.ts";

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await asyncio.sleep(0);
}

/** Starts `count` tasks of `work`, and waits until each has reached its first wait. */
async function start<N extends number>(
  count: N,
  work: (index: number) => Promise<unknown>,
): Promise<ArrayOf<asyncio.Task<unknown>, N>> {
  const tasks = Array.from({ length: count }, (_, i) => asyncio.create_task(() => work(i)));
  await turns(1);
  return tasks as ArrayOf<asyncio.Task<unknown>, N>;
}

interface Program {
  /** What the tasks run of which one is cancelled. */
  works: (() => Promise<unknown>)[];
  /** What the other tasks run. */
  safe?: (() => Promise<unknown>)[];
  /** Looks at what is left when all tasks are done. */
  check: () => void;
}

/** Runs a program once for each of its tasks and each of the first moments: that task is cancelled then. */
async function cancel_at_every_moment(moments: number, program: () => Program): Promise<void> {
  for (let victim = 0; victim < program().works.length; victim++) {
    for (let moment = 0; moment <= moments; moment++) {
      await run(async () => {
        const { works, safe = [], check } = program();
        const tasks = [...works, ...safe].map((work) => asyncio.create_task(work));
        await turns(moment);
        tasks[victim]?.cancel();
        await asyncio.wait(tasks, { timeout: 100 });
        assert(tasks.every((task) => task.done()), `hangs: task ${victim} at moment ${moment}`);
        check();
      });
    }
  }
}

Deno.test("Lock.acquire: one task at a time holds the lock, in the order of the calls", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const log: string[] = [];
    await asyncio.gather(...["a", "b", "c"].map((name) => async () => {
      await lock.acquire();
      log.push(`${name} in`);
      await asyncio.sleep(1);
      log.push(`${name} out`);
      lock.release();
    }));
    assertEquals(log, ["a in", "a out", "b in", "b out", "c in", "c out"]);
    assertEquals(lock.locked(), false);
  }));

Deno.test("Lock.acquire: does not overtake a waiter that has been woken", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const log: string[] = [];
    const take = async (name: string) => {
      await lock.acquire();
      log.push(name);
      lock.release();
    };
    await lock.acquire();
    const waiting = asyncio.create_task(() => take("first"));
    await turns(1);
    lock.release();
    assertEquals(lock.locked(), false);
    await take("barger");
    await waiting;
    assertEquals(log, ["first", "barger"]);
  }));

Deno.test("Lock.acquire: a waiter that is cancelled after its wake-up passes the lock on", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    await lock.acquire();
    const [first, second] = await start(2, () => lock.acquire());
    lock.release();
    first.cancel();
    await asyncio.wait([first, second]);
    assert(first.cancelled());
    assert(lock.locked());
    assert(second.result() instanceof asyncio.Permit);
  }));

Deno.test("Lock.acquire: does not wait for waiters that have been cancelled", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    await lock.acquire();
    const tasks = await start(2, () => lock.acquire());
    tasks.forEach((task) => task.cancel());
    lock.release();
    await lock.acquire();
    await asyncio.wait(tasks);
    assert(tasks.every((task) => task.cancelled()));
    assertEquals(String(lock), "<Lock [locked]>");
  }));

Deno.test("Lock: stays consistent if any task is cancelled at any moment", () =>
  cancel_at_every_moment(12, () => {
    const lock = new asyncio.Lock();
    let inside = 0;
    const work = async () => {
      await asyncio.async_with(lock, async () => {
        assertEquals(++inside, 1);
        await turns(2).finally(() => inside--);
      });
    };
    const check = () => assertEquals(String(lock), "<Lock [unlocked]>");
    return { works: [work, work, work], check };
  }));

Deno.test("Lock.release: throws if the lock is not held", () => {
  const lock = new asyncio.Lock();
  assertThrows(() => lock.release(), asyncio.RuntimeError, "Lock is not acquired.");
});

Deno.test("Lock: async_with() holds it for its block and releases it when the block throws", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    assertEquals(await asyncio.async_with(lock, (value) => Promise.resolve([value])), [null]);
    await assertRejects(() =>
      asyncio.async_with(lock, () => {
        assert(lock.locked());
        return Promise.reject(new TypeError("body"));
      }), TypeError);
    assertEquals(lock.locked(), false);
  }));

Deno.test("Permit: releases at the end of its block, once", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const limit = new asyncio.Semaphore(2);
    {
      using _lock = await lock.acquire();
      using permit = await limit.acquire();
      permit[Symbol.dispose]();
      assert(lock.locked());
    }
    assertEquals(`${lock} ${limit}`, "<Lock [unlocked]> <Semaphore [unlocked, value:2]>");
  }));

Deno.test("Permit: releases when its block throws or is cancelled", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const [task] = await start(1, async () => {
      using _ = await lock.acquire();
      await asyncio.sleep(60);
    });
    assert(lock.locked());
    task.cancel();
    await asyncio.wait([task]);
    assertEquals(lock.locked(), false);
  }));

Deno.test("Event.set: wakes all waiters in order, and wait() returns at once from then on", () =>
  run(async () => {
    const event = new asyncio.Event();
    const log: number[] = [];
    const tasks = await start(3, async (i) => {
      assertEquals(await event.wait(), true);
      log.push(i);
    });
    assertEquals(event.is_set(), false);
    event.set();
    event.set();
    assertEquals(event.is_set(), true);
    await event.wait();
    assertEquals(log, [], "a set event does not make the caller wait");
    await asyncio.wait(tasks);
    assertEquals(log, [0, 1, 2]);
  }));

Deno.test("Event.clear: right after set(), the waiters of before are woken all the same", () =>
  run(async () => {
    const event = new asyncio.Event();
    const tasks = await start(2, () => event.wait());
    event.set();
    event.clear();
    const late = asyncio.create_task(event.wait());
    await turns(3);
    assertEquals([...tasks, late].map((task) => task.done()), [true, true, false]);
    assertEquals(String(event), "<Event [unset, waiters:1]>");
    late.cancel();
  }));

Deno.test("Event.wait: leaves no waiter behind when it is cancelled", () =>
  run(async () => {
    const event = new asyncio.Event();
    const [first, second] = await start(2, () => event.wait());
    first.cancel();
    await asyncio.wait([first]);
    assertEquals(String(event), "<Event [unset, waiters:1]>");
    event.set();
    second.cancel();
    await asyncio.wait([second]);
    assert(second.cancelled(), "cancelled between set() and its turn");
  }));

Deno.test("Semaphore.acquire: passes permits on in the order of the calls", () =>
  run(async () => {
    const limit = new asyncio.Semaphore(2);
    const log: number[] = [];
    await asyncio.gather(...[0, 1, 2, 3, 4].map((i) => () =>
      asyncio.async_with(limit, async () => {
        log.push(i);
        await asyncio.sleep(1);
      })
    ));
    assertEquals(log, [0, 1, 2, 3, 4]);
    assertEquals(asyncio.get_running_loop().time(), 3);
  }));

Deno.test("Semaphore.acquire: does not take a permit that is being passed to a waiter", () =>
  run(async () => {
    const limit = new asyncio.Semaphore(0);
    const [waiting] = await start(1, () => limit.acquire());
    limit.release();
    assert(limit.locked());
    const late = asyncio.create_task(limit.acquire());
    await turns(3);
    assertEquals([waiting.done(), late.done()], [true, false]);
    late.cancel();
  }));

Deno.test("Semaphore.acquire: a cancelled waiter passes its permit on to the next one", () =>
  run(async () => {
    const limit = new asyncio.Semaphore(0);
    const [first, second, third] = await start(3, () => limit.acquire());
    limit.release();
    first.cancel();
    limit.release();
    await turns(4);
    const tasks = [first, second, third];
    assertEquals(tasks.map((task) => task.done()), [true, true, true]);
    assertEquals(tasks.map((task) => task.cancelled()), [true, false, false]);
    assertEquals(String(limit), "<Semaphore [locked]>");
  }));

Deno.test("Semaphore.release: several calls wake as many waiters", () =>
  run(async () => {
    const limit = new asyncio.Semaphore(0);
    const tasks = await start(4, () => limit.acquire());
    limit.release();
    limit.release();
    limit.release();
    await turns(2);
    assertEquals(tasks.map((task) => task.done()), [true, true, true, false]);
    tasks[3].cancel();
  }));

Deno.test("Semaphore: loses no permit if any task is cancelled at any moment", () =>
  cancel_at_every_moment(14, () => {
    const limit = new asyncio.BoundedSemaphore(2);
    let inside = 0;
    const work = async () => {
      await asyncio.async_with(limit, async () => {
        assert(++inside <= 2);
        await turns(2).finally(() => inside--);
      });
    };
    const check = () => assertEquals(String(limit), "<BoundedSemaphore [unlocked, value:2]>");
    return { works: [work, work, work, work, work], check };
  }));

Deno.test("Semaphore.acquire: takes no permit in a task that is cancelled before its first step", () =>
  run(async () => {
    const limit = new asyncio.Semaphore(1);
    const task = asyncio.create_task(limit.acquire());
    task.cancel();
    await asyncio.wait([task]);
    assertEquals(String(limit), "<Semaphore [unlocked, value:1]>");
  }));

Deno.test("Semaphore: refuses an initial value that is negative or not a number", () => {
  assertEquals(new asyncio.Semaphore(0).locked(), true);
  assertEquals(new asyncio.Semaphore().locked(), false);
  assertThrows(() => new asyncio.Semaphore(-1), asyncio.ValueError, "must be >= 0");
  assertThrows(() => new asyncio.BoundedSemaphore(-1), asyncio.ValueError, "must be >= 0");
  assertThrows(() => new asyncio.Semaphore("2" as never), TypeError);
});

Deno.test("BoundedSemaphore.release: throws if no permit is taken; that of Semaphore adds one", () => {
  const plain = new asyncio.Semaphore(1);
  plain.release();
  assertEquals(String(plain), "<Semaphore [unlocked, value:2]>");
  const bounded = new asyncio.BoundedSemaphore(1);
  assertThrows(
    () => bounded.release(),
    asyncio.ValueError,
    "BoundedSemaphore released too many times",
  );
});

Deno.test("Condition.notify: wakes n waiters in order, which resume when they have the lock", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const log: number[] = [];
    const tasks = await start(5, () =>
      asyncio.async_with(condition, async () => {
        assertEquals(await condition.wait(), true);
        assert(condition.locked());
        log.push(log.length);
      }));
    await asyncio.async_with(condition, async () => {
      condition.notify(2);
      await turns(3);
      assertEquals(log, [], "the lock is still held");
    });
    await turns(4);
    assertEquals(tasks.map((task) => task.done()), [true, true, false, false, false]);
    await asyncio.async_with(condition, () => Promise.resolve(condition.notify()));
    await turns(4);
    assertEquals(log.length, 3);
    await asyncio.async_with(condition, () => Promise.resolve(condition.notify_all()));
    await asyncio.wait(tasks);
    assertEquals(log.length, 5);
  }));

Deno.test("Condition: shares a lock that it is given", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const one = new asyncio.Condition(lock);
    const two = new asyncio.Condition(lock);
    await one.acquire();
    assert(two.locked() && lock.locked());
    two.notify();
    one.release();
    assertEquals(lock.locked(), false);
  }));

Deno.test("Condition.wait, notify, notify_all: throw if the lock is not held", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    await assertRejects(
      async () => await condition.wait(),
      asyncio.RuntimeError,
      "cannot wait on un-acquired lock",
    );
    const message = "cannot notify on un-acquired lock";
    assertThrows(() => condition.notify(), asyncio.RuntimeError, message);
    assertThrows(() => condition.notify_all(), asyncio.RuntimeError, message);
  }));

Deno.test("Condition.wait_for: calls its predicate first and after each notification", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    let asked = 0;
    let value = "";
    const [task] = await start(
      1,
      () =>
        asyncio.async_with(condition, () =>
          condition.wait_for(() => {
            asked++;
            return value;
          })),
    );
    assertEquals(asked, 1);
    for (const next of ["", "ready"]) {
      value = next;
      await asyncio.async_with(condition, () => Promise.resolve(condition.notify()));
      await turns(3);
    }
    assertEquals(asked, 3);
    assertEquals(task.result(), "ready");
    await asyncio.async_with(condition, async () => {
      await condition.wait_for(() => true);
      await assertRejects(
        async () =>
          await condition.wait_for(() => {
            throw new TypeError("predicate");
          }),
        TypeError,
      );
      assert(condition.locked());
    });
  }));

Deno.test("Condition.wait: acquires the lock again before its CancelledError is thrown", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const log: string[] = [];
    const [task] = await start(1, () =>
      asyncio.async_with(condition, async () => {
        await condition.wait().finally(() => log.push(`locked ${condition.locked()}`));
      }));
    await condition.acquire();
    task.cancel("first");
    await turns(3);
    assertEquals(log, []);
    task.cancel("second");
    await turns(3);
    condition.release();
    await asyncio.wait([task]);
    assertEquals(log, ["locked true"]);
    await assertRejects(async () => await task, asyncio.CancelledError, "second");
    assertEquals(String(condition), "<Condition [unlocked]>");
  }));

Deno.test("Condition.wait: a waiter that is cancelled after its notification passes it on", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const [first, second] = await start(
      2,
      () => asyncio.async_with(condition, () => condition.wait()),
    );
    await condition.acquire();
    condition.notify();
    first.cancel();
    condition.release();
    await asyncio.wait([first, second], { timeout: 1 });
    assertEquals([first.cancelled(), second.done()], [true, true]);
  }));

Deno.test("Condition: loses no notification if any task is cancelled at any moment", () =>
  cancel_at_every_moment(14, () => {
    const condition = new asyncio.Condition();
    let items = 0;
    let taken = 0;
    const consume = async () => {
      await asyncio.async_with(condition, async () => {
        await condition.wait_for(() => items > 0);
        items--;
        taken++;
      });
    };
    const produce = async () => {
      await turns(4);
      for (let i = 0; i < 3; i++) {
        await asyncio.async_with(condition, async () => {
          items++;
          condition.notify();
          await turns(1);
        });
      }
    };
    const check = () => {
      assertEquals(items + taken, 3);
      assert(taken >= 2);
      assertEquals(String(condition), "<Condition [unlocked]>");
    };
    return { works: [consume, consume, consume], safe: [produce], check };
  }));

Deno.test("Condition.wait: resumes and keeps the lock, although it is cancelled when it has it again", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const log: string[] = [];
    const [task] = await start(1, () =>
      asyncio.async_with(condition, async () => {
        await condition.wait();
        log.push("notified");
        await asyncio.sleep(0);
        log.push("never");
      }));
    await condition.acquire();
    condition.notify();
    condition.release();
    await turns(1);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([log, task.cancelled(), condition.locked()], [["notified"], true, false]);
  }));

Deno.test("Condition.wait: a cancellation while it waits for the lock again is thrown when it has it", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const [waiter] = await start(1, () => asyncio.async_with(condition, () => condition.wait()));
    await condition.acquire();
    condition.notify();
    await turns(1);
    waiter.cancel();
    await turns(2);
    assertEquals([waiter.done(), condition.locked()], [false, true]);
    condition.release();
    await asyncio.wait([waiter]);
    assertEquals([waiter.cancelled(), condition.locked()], [true, false]);
  }));

Deno.test("Condition.wait: after a time limit the block holds the lock again", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    await asyncio.async_with(condition, async () => {
      await assertRejects(
        async () => await asyncio.wait_for(condition.wait(), 0.5),
        asyncio.TimeoutError,
      );
      assertEquals(condition.locked(), true);
    });
    assertEquals(condition.locked(), false);
  }));

Deno.test("Semaphore.release: passes over waiters that have been cancelled, and wakes the next", () =>
  run(async () => {
    const semaphore = new asyncio.Semaphore(0);
    const tasks = await start(4, () => semaphore.acquire());
    tasks[0].cancel();
    tasks[1].cancel();
    semaphore.release();
    await turns(2);
    assertEquals(tasks.map((task) => task.done()), [true, true, true, false]);
    assertEquals([tasks[2].cancelled(), semaphore.locked()], [false, true]);
    tasks[3].cancel();
    await asyncio.wait(tasks);
  }));

Deno.test("Semaphore.acquire: a task that comes again waits behind those that came before", () =>
  run(async () => {
    const semaphore = new asyncio.Semaphore(1);
    const log: string[] = [];
    await asyncio.gather(["a", "b", "c"].map((name) => async () => {
      for (const round of [1, 2]) {
        await semaphore.acquire();
        log.push(`${name}${round}`);
        await asyncio.sleep(0.01);
        semaphore.release();
      }
    }));
    assertEquals(log, ["a1", "b1", "c1", "a2", "b2", "c2"]);
  }));

Deno.test("Semaphore.acquire: the first of two permits does not overtake when both come together", () =>
  run(async () => {
    const semaphore = new asyncio.Semaphore(1);
    const log: number[] = [];
    const tasks = await start(3, async (index) => {
      await semaphore.acquire();
      log.push(index + 1);
      if (index !== 1) return;
      semaphore.release();
      await semaphore.acquire();
      log.push(4);
    });
    semaphore.release();
    semaphore.release();
    await asyncio.wait(tasks, { timeout: 1 });
    assertEquals(log, [1, 2, 3, 4]);
  }));

Deno.test("Semaphore: a task that cancels the next waiter after its block leaves the permit free", () =>
  run(async () => {
    const semaphore = new asyncio.Semaphore(1);
    const second = () => asyncio.async_with(semaphore, () => Promise.reject(new Error("never")));
    const tasks: asyncio.Task<unknown>[] = [];
    tasks.push(asyncio.create_task(async () => {
      await asyncio.async_with(semaphore, () => asyncio.sleep(0));
      tasks[1]?.cancel();
    }));
    tasks.push(asyncio.create_task(second));
    await asyncio.wait(tasks);
    assertEquals(tasks.map((task) => task.cancelled()), [false, true]);
    assertEquals(semaphore.locked(), false);
    await asyncio.wait_for(semaphore.acquire(), 1);
  }));

Deno.test("Barrier.wait: returns when all parties wait, and can be used again", () =>
  run(async () => {
    const barrier = new asyncio.Barrier(3);
    const log: string[] = [];
    await start(5, async (i) => {
      const place = await barrier.wait();
      log.push(`${i}:${place}`);
    });
    await turns(5);
    assertEquals(log, ["2:2", "0:0", "1:1"]);
    assertEquals(barrier.n_waiting, 2);
    assertEquals(await barrier.wait(), 2);
    await turns(3);
    assertEquals(log.slice(3), ["3:0", "4:1"]);
    assertEquals([barrier.n_waiting, barrier.parties, barrier.broken], [0, 3, false]);
  }));

Deno.test("Barrier: async_with() gives its block the index of arrival", () =>
  run(async () => {
    const barrier = new asyncio.Barrier(2);
    const enter = () => asyncio.async_with(barrier, (place) => Promise.resolve(place));
    assertEquals(await asyncio.gather(enter(), enter()), [0, 1]);
  }));

Deno.test("Barrier.abort: breaks the barrier until reset()", () =>
  run(async () => {
    const barrier = new asyncio.Barrier(2);
    const [waiting] = await start(1, () => barrier.wait());
    await barrier.abort();
    await assertRejects(async () => await waiting, asyncio.BrokenBarrierError);
    assert(barrier.broken);
    assertEquals(String(barrier), "<Barrier [broken]>");
    await assertRejects(async () => await barrier.wait(), asyncio.BrokenBarrierError, "aborted");
    await barrier.reset();
    assertEquals(String(barrier), "<Barrier [filling, waiters:0/2]>");
    assertEquals(await asyncio.gather(barrier.wait(), barrier.wait()), [0, 1]);
  }));

Deno.test("Barrier.reset: waiters get a BrokenBarrierError, the barrier is in its initial state", () =>
  run(async () => {
    const barrier = new asyncio.Barrier(3);
    const tasks = await start(2, () => barrier.wait());
    await barrier.reset();
    const results = await asyncio.gather(...tasks, { return_exceptions: true });
    assert(results.every((error) => error instanceof asyncio.BrokenBarrierError));
    assertEquals([barrier.broken, barrier.n_waiting], [false, 0]);
  }));

Deno.test("Barrier.wait: a cancelled task leaves the barrier", () =>
  run(async () => {
    const barrier = new asyncio.Barrier(2);
    const [first] = await start(1, () => barrier.wait());
    first.cancel();
    await asyncio.wait([first]);
    assertEquals(barrier.n_waiting, 0);
    assertEquals(await asyncio.gather(barrier.wait(), barrier.wait()), [0, 1]);
  }));

Deno.test("Barrier: refuses less than one party", async () => {
  assertThrows(() => new asyncio.Barrier(0), asyncio.ValueError, "parties must be >= 1");
  assertThrows(() => new asyncio.Barrier(undefined as never), TypeError);
  assertEquals(await run(async () => await new asyncio.Barrier(1).wait()), 0);
});

Deno.test("Lock, Semaphore, Event, Condition: waiting throws if they are bound to a different loop", async () => {
  const lock = new asyncio.Lock();
  const limit = new asyncio.Semaphore(1);
  const event = new asyncio.Event();
  const condition = new asyncio.Condition();
  const contend = async () => {
    await lock.acquire();
    await limit.acquire();
    await condition.acquire();
    const waits: asyncio.Coroutine<unknown>[] = [
      lock.acquire(),
      limit.acquire(),
      event.wait(),
      condition.acquire(),
    ];
    const results: unknown[] = await asyncio.gather(
      waits.map((wait) => asyncio.wait_for(wait, 1)),
      { return_exceptions: true },
    );
    lock.release();
    limit.release();
    condition.release();
    return results;
  };
  for (const error of await run(contend)) assert(error instanceof asyncio.TimeoutError);
  for (const error of await run(contend)) {
    assertMatch(String(error), /^RuntimeError: <.+> is bound to a different event loop$/);
  }
  // A waiter that was refused is not in the queue.
  for (const primitive of [lock, limit, condition]) {
    assertMatch(String(primitive), /\[unlocked(, value:1)?\]>$/);
    await run(async () => await asyncio.wait_for(primitive.acquire(), 1));
  }
});

Deno.test("Lock, Condition, Barrier: can be made outside of a loop, toString() shows their state", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const condition = new asyncio.Condition();
    const barrier = new asyncio.Barrier(3);
    await lock.acquire();
    const tasks = [
      ...await start(2, () => lock.acquire()),
      ...await start(1, () => asyncio.async_with(condition, () => condition.wait())),
      ...await start(1, () => barrier.wait()),
    ];
    assertEquals(String(lock), "<Lock [locked, waiters:2]>");
    assertEquals(String(condition), "<Condition [unlocked, waiters:1]>");
    assertEquals(String(barrier), "<Barrier [filling, waiters:1/3]>");
    assertEquals(Deno.inspect({ lock }), "{ lock: <Lock [locked, waiters:2]> }");
    tasks.forEach((task) => task.cancel());
  }));

for (
  const [name, make] of [
    ["Lock.acquire", () => {
      const lock = new asyncio.Lock();
      return { wait: () => lock.acquire(), begin: async () => void await lock.acquire() };
    }],
    ["Semaphore.acquire", () => {
      const limit = new asyncio.Semaphore(0);
      return { wait: () => limit.acquire(), begin: () => Promise.resolve() };
    }],
    ["Event.wait", () => {
      const event = new asyncio.Event();
      return { wait: () => event.wait(), begin: () => Promise.resolve() };
    }],
  ] as [string, () => { wait(): asyncio.Coroutine<unknown>; begin(): Promise<void> }][]
) {
  Deno.test(`${name}: 50,000 of 100,000 waiters can be cancelled`, () =>
    run(async () => {
      const { wait, begin } = make();
      await begin();
      const tasks = Array.from({ length: 100_000 }, () => asyncio.create_task(wait()));
      await turns(1);
      for (const task of tasks.slice(25_000, 75_000).reverse()) task.cancel();
      await turns(2);
      assertEquals(tasks.filter((task) => task.cancelled()).length, 50_000);
    }));
}

/** A mixin that notes the calls of `acquire()` and `release()`. */
function noting<L extends new (...args: never[]) => asyncio.Lock | asyncio.Semaphore>(
  base: L,
  calls: string[],
): L {
  const Base = base as unknown as new () => asyncio.Lock;
  return class extends Base {
    override acquire() {
      calls.push("acquire");
      return super.acquire();
    }

    override release() {
      calls.push("release");
      super.release();
    }
  } as unknown as L;
}

Deno.test("Lock, Semaphore, BoundedSemaphore: async_with() calls overridden methods", () =>
  run(async () => {
    const calls: string[] = [];
    const primitives = [
      new (noting(asyncio.Lock, calls))(),
      new (noting(asyncio.Semaphore, calls))(2),
      new (noting(asyncio.BoundedSemaphore, calls))({ value: 2 }),
    ];
    for (const primitive of primitives) {
      await asyncio.async_with(primitive, () => Promise.resolve(calls.push("body")));
      assertEquals(calls.splice(0), ["acquire", "body", "release"]);
    }
  }));

Deno.test("Lock: async_with() calls a method of the object itself", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const calls: string[] = [];
    lock.acquire = () => {
      calls.push("acquire");
      return asyncio.Lock.prototype.acquire.call(lock);
    };
    await asyncio.async_with(lock, () => Promise.resolve());
    assertEquals([calls, lock.locked()], [["acquire"], false]);
  }));

Deno.test("Lock: async_with() does not run its body if an overridden acquire() throws", () =>
  run(async () => {
    class Refusing extends asyncio.Lock {
      override acquire(): asyncio.Coroutine<asyncio.Permit> {
        throw new RangeError("refused");
      }
    }
    const block = asyncio.async_with(new Refusing(), () => Promise.reject(new Error("body")));
    await assertRejects(async () => await block, RangeError, "refused");
  }));

Deno.test("Permit: calls an overridden release()", () =>
  run(async () => {
    const calls: string[] = [];
    const lock = new (noting(asyncio.Lock, calls))();
    {
      using _ = await lock.acquire();
    }
    assertEquals([calls, lock.locked()], [["acquire", "release"], false]);
  }));

Deno.test("Lock.acquire: does not call an overridden locked(); Semaphore.acquire does, as in CPython", () =>
  run(async () => {
    class OpenLock extends asyncio.Lock {
      override locked = () => true;
    }
    class ClosedSemaphore extends asyncio.Semaphore {
      override locked = () => true;
    }
    await new OpenLock().acquire();
    const waiting = asyncio.create_task(new ClosedSemaphore(3).acquire());
    await turns(2);
    assertEquals(waiting.done(), false);
    waiting.cancel();
  }));

Deno.test("Event.wait: does not call an overridden is_set(), as in CPython", () =>
  run(async () => {
    class Odd extends asyncio.Event {
      override is_set = () => true;
    }
    const event = new Odd();
    const waiting = asyncio.create_task(event.wait());
    await turns(2);
    assertEquals([waiting.done(), String(event)], [false, "<Odd [unset, waiters:1]>"]);
    event.set();
    assertEquals(await waiting, true);
  }));

Deno.test("Condition: uses the methods of its lock, in a block and in wait()", () =>
  run(async () => {
    const calls: string[] = [];
    const condition = new asyncio.Condition(new (noting(asyncio.Lock, calls))());
    const waiter = asyncio.create_task(asyncio.async_with(condition, () => condition.wait()));
    await turns(1);
    assertEquals(calls.splice(0), ["acquire", "release"]);
    await asyncio.async_with(condition, () => Promise.resolve(condition.notify()));
    await waiter;
    assertEquals(calls, ["acquire", "release", "acquire", "release"]);
  }));

Deno.test("Condition: calls overridden methods of its own", () =>
  run(async () => {
    const calls: string[] = [];
    class Noting extends asyncio.Condition {
      override acquire() {
        calls.push("acquire");
        return super.acquire();
      }
      override release() {
        calls.push("release");
        super.release();
      }
      override wait() {
        calls.push("wait");
        return super.wait();
      }
      override notify(n?: number) {
        calls.push(`notify ${n}`);
        super.notify(n);
      }
    }
    const condition = new Noting();
    let ready = false;
    const waiter = asyncio.create_task(
      asyncio.async_with(condition, () => condition.wait_for(() => ready)),
    );
    await turns(1);
    assertEquals(calls.splice(0), ["acquire", "wait", "release"]);
    await asyncio.async_with(condition, () => {
      ready = true;
      return Promise.resolve(condition.notify_all());
    });
    await waiter;
    assertEquals(calls, ["acquire", "notify 1", "release", "acquire", "release"]);
  }));

Deno.test("Condition: takes any object with acquire(), release() and locked() as its lock", () =>
  run(async () => {
    let held = 0;
    const lock = {
      acquire: async () => {
        await asyncio.sleep(1);
        held++;
      },
      release: () => void held--,
      locked: () => held > 0,
    };
    for (const condition of [new asyncio.Condition(lock), new asyncio.Condition({ lock })]) {
      const waiter = asyncio.create_task(asyncio.async_with(condition, () => condition.wait()));
      await asyncio.sleep(1.5);
      assertEquals(held, 0);
      {
        using _ = await condition.acquire();
        assertEquals([held, condition.locked()], [1, true]);
        condition.notify();
      }
      assertEquals([await waiter, held], [true, 0]);
    }
    const limit = new asyncio.Semaphore(1);
    await asyncio.async_with(new asyncio.Condition(limit), async () => {
      assertEquals(limit.locked(), true);
      await asyncio.sleep(0);
    });
    assertEquals(limit.locked(), false);
    for (const wrong of [5, "lock", { lock: {} }, { lok: lock }, new Map()]) {
      assertThrows(() => new asyncio.Condition(wrong as never), TypeError);
    }
  }));

Deno.test("Condition.wait_for: refuses a predicate that returns something to be awaited", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const task = asyncio.create_task(asyncio.sleep(0, false));
    const predicates: (() => unknown)[] = [
      () => Promise.resolve(false),
      () => Promise.reject(new Error("unseen")),
      () => asyncio.sleep(0, false),
      () => task,
      function* () {},
    ];
    await asyncio.async_with(condition, async () => {
      for (const predicate of predicates) {
        await assertRejects(
          async () => await condition.wait_for(predicate),
          TypeError,
          "while (!(await predicate())) await condition.wait();",
        );
        assert(condition.locked());
      }
    });
    await task;
    assertThrows(() => condition.wait_for(true as never), TypeError, "must be a function");
    await turns(2);
  }));

Deno.test("Condition.wait_for: a predicate that throws leaves the lock held and passes its notification on", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    let stock = 0;
    const [failing, waiting] = await start(
      2,
      (i) =>
        asyncio.async_with(condition, () =>
          condition.wait_for(() => {
            if (i === 0 && stock > 0) throw new RangeError("predicate");
            return stock;
          })),
    );
    await asyncio.async_with(condition, () => Promise.resolve(condition.notify(++stock)));
    await assertRejects(async () => await failing, RangeError, "predicate");
    assertEquals(await waiting, 1);
    assertEquals(String(condition), "<Condition [unlocked]>");
  }));

Deno.test("Condition.notify: takes n by name, and refuses what is not a number", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const tasks = await start(3, () => asyncio.async_with(condition, () => condition.wait()));
    await asyncio.async_with(condition, () => Promise.resolve(condition.notify({ n: 2 })));
    await turns(4);
    assertEquals(tasks.map((task) => task.done()), [true, true, false]);
    await asyncio.async_with(condition, async () => {
      for (const wrong of ["2", null, NaN, [1]]) {
        assertThrows(() => condition.notify(wrong as never), TypeError, "n must be a number");
      }
      assertThrows(() => condition.notify({ m: 1 } as never), TypeError, "'m'");
      condition.notify(Infinity);
      await turns(0);
    });
    await asyncio.wait(tasks);
  }));

Deno.test("Semaphore, Barrier: take their number by name, and refuse what makes no sense", () => {
  assertEquals(String(new asyncio.Semaphore({ value: 3 })), "<Semaphore [unlocked, value:3]>");
  assertEquals(String(new asyncio.Semaphore({})), "<Semaphore [unlocked, value:1]>");
  assertEquals(String(new asyncio.Semaphore(Infinity)), "<Semaphore [unlocked, value:Infinity]>");
  assertEquals(new asyncio.Barrier({ parties: 2 }).parties, 2);
  assertThrows(() => new asyncio.Semaphore({ val: 3 } as never), TypeError, "'val'");
  for (const wrong of ["2", null, NaN, 2n, true, []]) {
    assertThrows(() => new asyncio.Semaphore(wrong as never), TypeError, "must be a number");
    assertThrows(() => new asyncio.BoundedSemaphore(wrong as never), TypeError, "must be a number");
    assertThrows(() => new asyncio.Barrier(wrong as never), TypeError, "must be a number");
  }
  assertThrows(() => new asyncio.Semaphore(1.5), asyncio.ValueError, "received 1.5");
  assertThrows(() => new asyncio.Barrier(1.5), asyncio.ValueError, "received 1.5");
  assertThrows(() => new asyncio.Barrier(Infinity), asyncio.ValueError, "received Infinity");
});

Deno.test("Barrier: async_with() calls an overridden wait()", () =>
  run(async () => {
    class Noting extends asyncio.Barrier {
      calls = 0;
      override wait() {
        this.calls++;
        return super.wait();
      }
    }
    const barrier = new Noting(1);
    await asyncio.async_with(barrier, () => Promise.resolve());
    assertEquals(barrier.calls, 1);
  }));
