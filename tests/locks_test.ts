/** Locks, events, conditions, semaphores and barriers: order, cancellation at every moment, mistakes. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";

const run = <T>(main: () => Promise<T>): Promise<T> =>
  asyncio.run(main, { loop_factory: () => new asyncio.VirtualClockEventLoop() });

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await asyncio.sleep(0);
}

/** Starts `count` tasks of `work` and lets each come to its first wait. */
async function start(
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<asyncio.Task<unknown>[]> {
  const tasks = Array.from({ length: count }, (_, i) => asyncio.create_task(() => work(i)));
  await turns(1);
  return tasks;
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
        tasks[victim].cancel();
        await asyncio.wait(tasks, { timeout: 100 });
        assert(tasks.every((task) => task.done()), `hangs: task ${victim} at moment ${moment}`);
        check();
      });
    }
  }
}

Deno.test("a lock is held by one task at a time, in the order of asking", () =>
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

Deno.test("who asks while the lock is on its way to another waits behind that one", () =>
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

Deno.test("a lock that was passed on to a cancelled task goes to the next", () =>
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

Deno.test("a lock that is released while all waiters are cancelled is free at once", () =>
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

Deno.test("a lock survives the cancellation of any task at any moment", () =>
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

Deno.test("a lock that nobody holds cannot be released", () => {
  const lock = new asyncio.Lock();
  assertThrows(() => lock.release(), asyncio.RuntimeError, "Lock is not acquired.");
});

Deno.test("async_with holds a lock for its block and releases it when the block throws", () =>
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

Deno.test("a permit releases at the end of its block, once", () =>
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

Deno.test("a permit is released when its block throws or is cancelled", () =>
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

Deno.test("an event wakes all who wait, in order, and lets later ones through at once", () =>
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

Deno.test("an event that is cleared at once still wakes those who waited, and only those", () =>
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

Deno.test("a cancelled wait for an event leaves nothing behind", () =>
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

Deno.test("a semaphore lets so many in and the others in the order of asking", () =>
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

Deno.test("a semaphore's permit on its way to a waiter is not there for others", () =>
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

Deno.test("a permit on its way to a task that is cancelled goes to the next", () =>
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

Deno.test("permits that are released several at a time wake as many", () =>
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

Deno.test("a semaphore loses no permit, whoever is cancelled whenever", () =>
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

Deno.test("acquiring a free semaphore by a task that is cancelled before costs no permit", () =>
  run(async () => {
    const limit = new asyncio.Semaphore(1);
    const task = asyncio.create_task(limit.acquire());
    task.cancel();
    await asyncio.wait([task]);
    assertEquals(String(limit), "<Semaphore [unlocked, value:1]>");
  }));

Deno.test("a semaphore starts with zero permits or more", () => {
  assertEquals(new asyncio.Semaphore(0).locked(), true);
  assertEquals(new asyncio.Semaphore().locked(), false);
  assertThrows(() => new asyncio.Semaphore(-1), asyncio.ValueError, "must be >= 0");
  assertThrows(() => new asyncio.BoundedSemaphore(-1), asyncio.ValueError, "must be >= 0");
  assertThrows(() => new asyncio.Semaphore("2" as never), TypeError);
});

Deno.test("a bounded semaphore is not released too often; a plain one grows", () => {
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

Deno.test("notify wakes so many in the order of waiting, when the lock is free", () =>
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

Deno.test("a condition shares a lock that it is given", () =>
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

Deno.test("waiting and notifying without the lock are errors", () =>
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

Deno.test("wait_for asks its predicate first and after each notification", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    let asked = 0;
    let value = "";
    const [task] = await start(1, () =>
      asyncio.async_with(condition, () =>
        condition.wait_for(() => {
          asked++;
          return value;
        })));
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

Deno.test("a cancelled wait takes the lock again before its error is thrown", () =>
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

Deno.test("a notification to a task that is cancelled goes to the next", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const [first, second] = await start(2, () =>
      asyncio.async_with(condition, () => condition.wait()));
    await condition.acquire();
    condition.notify();
    first.cancel();
    condition.release();
    await asyncio.wait([first, second], { timeout: 1 });
    assertEquals([first.cancelled(), second.done()], [true, true]);
  }));

Deno.test("a condition loses no notification, whoever is cancelled whenever", () =>
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

Deno.test("a barrier opens when all have come, and works again and again", () =>
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

Deno.test("async_with gives a barrier's block the place of its task", () =>
  run(async () => {
    const barrier = new asyncio.Barrier(2);
    const enter = () => asyncio.async_with(barrier, (place) => Promise.resolve(place));
    assertEquals(await asyncio.gather(enter(), enter()), [0, 1]);
  }));

Deno.test("an aborted barrier is broken until it is reset", () =>
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

Deno.test("a reset throws out those who wait, and the barrier is as new", () =>
  run(async () => {
    const barrier = new asyncio.Barrier(3);
    const tasks = await start(2, () => barrier.wait());
    await barrier.reset();
    const results = await asyncio.gather(...tasks, { return_exceptions: true });
    assert(results.every((error) => error instanceof asyncio.BrokenBarrierError));
    assertEquals([barrier.broken, barrier.n_waiting], [false, 0]);
  }));

Deno.test("a task that is cancelled at a barrier leaves its place to another", () =>
  run(async () => {
    const barrier = new asyncio.Barrier(2);
    const [first] = await start(1, () => barrier.wait());
    first.cancel();
    await asyncio.wait([first]);
    assertEquals(barrier.n_waiting, 0);
    assertEquals(await asyncio.gather(barrier.wait(), barrier.wait()), [0, 1]);
  }));

Deno.test("a barrier is for at least one party", async () => {
  assertThrows(() => new asyncio.Barrier(0), asyncio.ValueError, "parties must be >= 1");
  assertThrows(() => new asyncio.Barrier(undefined as never), TypeError);
  assertEquals(await run(async () => await new asyncio.Barrier(1).wait()), 0);
});

Deno.test("waiting at a primitive of another loop is an error, not waiting is fine", async () => {
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
  // Who was refused does not stand in the way of others.
  for (const primitive of [lock, limit, condition]) {
    assertMatch(String(primitive), /\[unlocked(, value:1)?\]>$/);
    await run(async () => await asyncio.wait_for(primitive.acquire(), 1));
  }
});

Deno.test("primitives are made outside of any loop and shown with their state", () =>
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
    ["lock", () => {
      const lock = new asyncio.Lock();
      return { wait: () => lock.acquire(), begin: async () => void await lock.acquire() };
    }],
    ["semaphore", () => {
      const limit = new asyncio.Semaphore(0);
      return { wait: () => limit.acquire(), begin: () => Promise.resolve() };
    }],
    ["event", () => {
      const event = new asyncio.Event();
      return { wait: () => event.wait(), begin: () => Promise.resolve() };
    }],
  ] as [string, () => { wait(): asyncio.Coroutine<unknown>; begin(): Promise<void> }][]
) {
  Deno.test(`50,000 of 100,000 tasks that wait at one ${name} can be cancelled`, () =>
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
