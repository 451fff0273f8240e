/**
 * CPython's own tests of locks, events, conditions and semaphores (`Lib/test/test_asyncio/test_locks.py`); its tests of
 * barriers are in `tests/barrier_test.ts`.
 */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { cancellation_of, run } from "./loops.ts";

const { BoundedSemaphore, Condition, create_task, Event, Lock, Semaphore, sleep } = asyncio;

const turn = () => sleep(0);

const waiters = (primitive: unknown) => /waiters:(\d+)/.exec(String(primitive))?.[1] ?? "0";

/** Tasks that acquire one after the other, and note their number when they have. */
function numbered(count: number, wait: () => PromiseLike<unknown>) {
  const log: number[] = [];
  const add = () => {
    const number = tasks.length + 1;
    tasks.push(create_task(async () => {
      if (await wait()) log.push(number);
      return true;
    }));
  };
  const tasks: asyncio.Task<boolean>[] = [];
  for (let index = 0; index < count; index++) add();
  return { log, tasks, add };
}

const results = (tasks: asyncio.Task<boolean>[]) =>
  tasks.map((task) => task.done() && task.result());

Deno.test("Lock, Event, Condition, Semaphore, BoundedSemaphore, Barrier, TaskGroup: unknown options are named", () => {
  const { AsyncExitStack, Barrier, Queue, TaskGroup } = asyncio;
  for (
    const Class of [
      AsyncExitStack,
      Barrier,
      BoundedSemaphore,
      Condition,
      Event,
      Lock,
      Queue,
      Semaphore,
      TaskGroup,
    ]
  ) {
    assertThrows(
      () => Reflect.construct(Class, [{ loop: null }]),
      TypeError,
      `${Class.name}() got an unexpected option 'loop'`,
    );
  }
  assertThrows(
    () => Reflect.construct(Lock, [1]),
    TypeError,
    "Lock(): its options must be an object",
  );
  for (const Class of [Lock, Event, TaskGroup]) Reflect.construct(Class, [{}]);
});

// Lock

Deno.test("Lock.acquire: several tasks have it in turn, one that comes later too", () =>
  run(async () => {
    const lock = new Lock();
    assertEquals(String(lock), "<Lock [unlocked]>");
    assert(await lock.acquire());
    assertEquals(String(lock), "<Lock [locked]>");
    const { log, tasks, add } = numbered(2, () => lock.acquire());
    await turn();
    assertEquals(log, []);
    lock.release();
    await turn();
    await turn();
    assertEquals(log, [1]);
    add();
    for (const expected of [[1, 2], [1, 2, 3]]) {
      lock.release();
      await turn();
      assertEquals(log, expected);
    }
    assertEquals(results(tasks), [true, true, true]);
  }));

for (
  const [name, make] of Object.entries({
    Lock: () => new Lock(),
    Semaphore: () => new Semaphore(),
  })
) {
  Deno.test(`${name}.acquire: cancelled by a callback, it leaves no waiter`, () =>
    run(async () => {
      const primitive = make();
      await primitive.acquire();
      const task = create_task(primitive.acquire());
      asyncio.get_running_loop().call_soon(() => task.cancel());
      assertEquals(await cancellation_of(task), []);
      assertEquals([waiters(primitive), primitive.locked()], ["0", true]);
      primitive.release();
      assertEquals(primitive.locked(), false);
    }));
}

Deno.test("Lock.release: passes over a waiter that is cancelled at the same moment", () =>
  run(async () => {
    const lock = new Lock();
    const ends = asyncio.get_running_loop().create_future<void>();
    const hold = (blocker: PromiseLike<void> | null) => async () => {
      await lock.acquire();
      try {
        if (blocker !== null) await blocker;
      } finally {
        lock.release();
      }
    };
    const first = create_task(hold(ends));
    await turn();
    const [second, third] = [create_task(hold(null)), create_task(hold(null))];
    await turn();
    assertEquals([lock.locked(), waiters(lock)], [true, "2"]);
    ends.set_result();
    second.cancel();
    await turn();
    assertEquals([lock.locked(), first.done(), second.cancelled()], [false, true, true]);
    await third;
  }));

Deno.test("Lock.release: right after the first waiter was cancelled, one of the others has it", () =>
  run(async () => {
    const lock = new Lock();
    let calls = 0;
    const { log, tasks: [first, second, third] } = numbered(3, () => {
      calls++;
      return lock.acquire();
    });
    await lock.acquire();
    await turn();
    asyncio.get_running_loop().call_soon(() => {
      first?.cancel();
      lock.release();
    });
    await asyncio.wait([first!]);
    assertEquals([log, calls], [[2], 3]);
    assertEquals([first?.cancelled(), second?.done(), third?.done()], [true, true, false]);
    third?.cancel();
    await turn();
    assertEquals(third?.cancelled(), true);
  }));

Deno.test("Lock.acquire: one that is woken and cancelled passes it to one that has not begun to wait", () =>
  run(async () => {
    const lock = new Lock();
    await lock.acquire();
    const first = create_task(lock.acquire());
    await turn();
    assertEquals(waiters(lock), "1");
    const second = create_task(lock.acquire());
    first.cancel();
    lock.release();
    await turn();
    assertEquals([lock.locked(), first.cancelled()], [true, true]);
    await second;
  }));

Deno.test("Lock, Semaphore, BoundedSemaphore: release() makes them free, one that was not acquired is an error", () =>
  run(async () => {
    for (const primitive of [new Lock(), new Semaphore(), new BoundedSemaphore()]) {
      await primitive.acquire();
      assertEquals(primitive.locked(), true);
      primitive.release();
      assertEquals(primitive.locked(), false);
    }
    assertThrows(() => new Lock().release(), asyncio.RuntimeError);
    assertThrows(() => new BoundedSemaphore().release(), asyncio.ValueError);
  }));

// Event

Deno.test("Event.wait: a task that begins to wait when it is set goes before those that were woken", () =>
  run(async () => {
    const event = new Event();
    assertEquals([event.is_set(), String(event)], [false, "<Event [unset]>"]);
    const { log, tasks, add } = numbered(2, () => event.wait());
    await turn();
    assertEquals([log, String(event)], [[], "<Event [unset, waiters:2]>"]);
    add();
    event.set();
    await turn();
    assertEquals([log, results(tasks), String(event)], [
      [3, 1, 2],
      [true, true, true],
      "<Event [set]>",
    ]);
    assertEquals(await event.wait(), true);
  }));

Deno.test("Event.wait: cancelled, it leaves no waiter", () =>
  run(async () => {
    const event = new Event();
    const task = create_task(event.wait());
    asyncio.get_running_loop().call_soon(() => task.cancel());
    assertEquals([await cancellation_of(task), waiters(event)], [[], "0"]);
  }));

Deno.test("Event.set: after clear() and again, a waiter is woken once", () =>
  run(async () => {
    const event = new Event();
    const { log, tasks } = numbered(1, () => event.wait());
    await turn();
    event.set();
    event.clear();
    assertEquals(event.is_set(), false);
    event.set();
    event.set();
    await turn();
    assertEquals([log, results(tasks), waiters(event)], [[1], [true], "0"]);
  }));

// Condition

/** Tasks that wait for a condition, and release it afterwards if `releases` is true. */
const waiting = (condition: asyncio.Condition, count: number, releases: boolean) =>
  numbered(count, async () => {
    await condition.acquire();
    const is_notified = await condition.wait();
    if (releases) condition.release();
    return is_notified;
  });

Deno.test("Condition.wait: who is notified resumes when the lock is free, one at a time", () =>
  run(async () => {
    const condition = new Condition();
    const { log, tasks } = waiting(condition, 3, false);
    await turn();
    assertEquals([log, condition.locked()], [[], false]);
    assert(await condition.acquire());
    condition.notify();
    await turn();
    assertEquals([log, condition.locked()], [[], true]);
    condition.release();
    await turn();
    assertEquals([log, condition.locked()], [[1], true]);
    condition.notify(2);
    await turn();
    assertEquals([log, condition.locked()], [[1], true]);
    for (const expected of [[1, 2], [1, 2, 3]]) {
      condition.release();
      await turn();
      assertEquals([log, condition.locked()], [expected, true]);
    }
    assertEquals(results(tasks), [true, true, true]);
  }));

Deno.test("Condition.notify, Condition.notify_all: more than there are wakes all, in their order", () =>
  run(async () => {
    for (
      const notify of [
        (condition: asyncio.Condition) => (condition.notify(1), condition.notify(2048)),
        (condition: asyncio.Condition) => condition.notify_all(),
      ]
    ) {
      const condition = new Condition();
      const { log, tasks } = waiting(condition, 3, true);
      await turn();
      assertEquals(String(condition), "<Condition [unlocked, waiters:3]>");
      await condition.acquire();
      notify(condition);
      condition.release();
      await turn();
      assertEquals([log, results(tasks)], [[1, 2, 3], [true, true, true]]);
    }
  }));

Deno.test("Condition.wait: cancelled, the lock is held, and no waiter is left", () =>
  run(async () => {
    const condition = new Condition();
    await condition.acquire();
    const task = create_task(condition.wait());
    asyncio.get_running_loop().call_soon(() => task.cancel());
    await cancellation_of(task);
    assertEquals(String(condition), "<Condition [locked]>");
  }));

Deno.test("Condition.wait: cancelled while another task has the lock, it holds the lock at the end", () =>
  run(async () => {
    const condition = new Condition();
    await condition.acquire();
    const task = create_task(condition.wait());
    await turn();
    assertEquals(condition.locked(), false);
    await condition.acquire();
    condition.notify();
    const loop = asyncio.get_running_loop();
    loop.call_soon(() => task.cancel());
    loop.call_soon(() => condition.release());
    await asyncio.wait([task]);
    assertEquals(condition.locked(), true);
  }));

Deno.test("Condition.wait: cancelled after its notification, when it waits for the lock", () =>
  run(async () => {
    const condition = new Condition();
    let has_waited = false;
    const waiter = create_task(() =>
      asyncio.async_with(condition, async () => {
        has_waited = true;
        await condition.wait();
      })
    );
    await turn();
    await condition.acquire();
    condition.notify();
    await turn();
    waiter.cancel();
    await turn();
    condition.release();
    await turn();
    assertEquals([waiter.cancelled(), has_waited, condition.locked()], [true, true, false]);
  }));

Deno.test("Condition.wait_for: gives what its predicate gives, at once without the lock if that is true", () =>
  run(async () => {
    const condition = new Condition();
    assertEquals(await condition.wait_for(() => [1, 2, 3]), [1, 2, 3]);
    await assertRejects(async () => await condition.wait_for(() => false), asyncio.RuntimeError);
    await assertRejects(async () => await condition.wait(), asyncio.RuntimeError);
    for (const notify of ["notify", "notify_all"] as const) {
      assertThrows(() => condition[notify](), asyncio.RuntimeError);
    }
    let is_true = false;
    const { log, tasks } = numbered(1, async () => {
      await condition.acquire();
      const result = await condition.wait_for(() => is_true);
      condition.release();
      return result;
    });
    await turn();
    for (const [value, expected] of [[false, []], [true, [1]]] as const) {
      is_true = value;
      await condition.acquire();
      condition.notify();
      condition.release();
      await turn();
      assertEquals(log, expected);
    }
    assertEquals(results(tasks), [true]);
  }));

Deno.test("Condition: is locked when its lock is, whichever was acquired", () =>
  run(async () => {
    for (const lock of [new Lock(), null]) {
      const condition = lock === null ? new Condition() : new Condition(lock);
      const states = () => [condition.locked(), lock?.locked() ?? condition.locked()];
      for (const held of [condition, lock ?? condition]) {
        assertEquals(states(), [false, false]);
        await asyncio.async_with(held, async () => {
          await turn();
          assertEquals(states(), [true, true]);
        });
      }
      assertEquals(states(), [false, false]);
    }
  }));

Deno.test("Condition.wait_for: the very error of a cancellation, which came before or after the wake-up, is thrown", () =>
  run(async () => {
    for (const is_woken of [false, true]) {
      const condition = new Condition();
      let is_true = false;
      const raised: unknown[] = [];
      const task = create_task(() =>
        asyncio.async_with(condition, async () => {
          try {
            await condition.wait_for(() => is_true);
          } catch (error) {
            raised.push(error);
            throw error;
          }
        })
      );
      await turn();
      if (is_woken) {
        await condition.acquire();
        is_true = true;
        condition.notify();
        await turn();
      }
      task.cancel("foo");
      if (is_woken) condition.release();
      const error = await assertRejects(async () => await task, asyncio.CancelledError);
      assertEquals([error.args, raised.length], [["foo"], 1]);
      assertStrictEquals(error, raised[0]);
    }
  }));

for (const turns of [0, 1]) {
  Deno.test(`Condition.notify: is not lost if its waiter is cancelled ${turns} iterations later`, () =>
    run(async () => {
      const condition = new Condition();
      let state = 0;
      const consumer = () =>
        asyncio.async_with(condition, async () => {
          for (;;) {
            await condition.wait_for(() => state !== 0);
            if (state < 0) return;
            state -= 1;
          }
        });
      const consumers = [create_task(consumer), create_task(consumer)] as const;
      await turn();
      await asyncio.async_with(condition, async () => {
        state += 1;
        condition.notify(1);
        for (let count = 0; count < turns; count++) await turn();
        consumers[0].cancel();
        // Nobody notifies of the consumption.
        await assertRejects(
          async () => await asyncio.wait_for(condition.wait_for(() => state === 0), 1),
          asyncio.TimeoutError,
        );
        assertEquals(state, 0);
        state = -1;
        condition.notify_all();
      });
      await consumers[1];
      await asyncio.wait(consumers);
      assertEquals(consumers[0].cancelled(), true);
    }));
}

// Semaphore

Deno.test("Semaphore.acquire: as many as there are permits, the others in their order", () =>
  run(async () => {
    const semaphore = new Semaphore(3);
    assert(await semaphore.acquire() && await semaphore.acquire());
    assertEquals([semaphore.locked(), String(semaphore)], [
      false,
      "<Semaphore [unlocked, value:1]>",
    ]);
    const { log, tasks, add } = numbered(3, () => semaphore.acquire());
    await turn();
    assertEquals([log, String(semaphore)], [[1], "<Semaphore [locked, waiters:2]>"]);
    add();
    semaphore.release();
    semaphore.release();
    await turn();
    assertEquals([log, String(semaphore)], [[1, 2, 3], "<Semaphore [locked, waiters:1]>"]);
    semaphore.release();
    await asyncio.gather(tasks);
    assertEquals([log, new Semaphore(0).locked()], [[1, 2, 3, 4], true]);
    assertThrows(() => new Semaphore(-1), asyncio.ValueError);
  }));

Deno.test("Semaphore.release: wakes the first waiter that is not cancelled, and one only", () =>
  run(async () => {
    const semaphore = new Semaphore({ value: 0 });
    const tasks = Array.from({ length: 4 }, () => create_task(semaphore.acquire()));
    await turn();
    tasks[0]!.cancel();
    tasks[1]!.cancel();
    semaphore.release();
    await turn();
    await turn();
    assertEquals(tasks.map((task) => [task.done(), task.cancelled()]), [
      [true, true],
      [true, true],
      [true, false],
      [false, false],
    ]);
    assertEquals(semaphore.locked(), true);
    tasks[3]!.cancel();
    await turn();
  }));

Deno.test("Semaphore: a task that its predecessor cancels takes no permit", () =>
  run(async () => {
    const semaphore = new Semaphore(1);
    const first: asyncio.Task<void> = create_task(async () => {
      await asyncio.async_with(semaphore, () => turn());
      second.cancel();
    });
    const second: asyncio.Task<void> = create_task(() =>
      asyncio.async_with(semaphore, () => Promise.reject(new Error("unreachable")))
    );
    const [well, stopped] = await asyncio.gather(first, second, { return_exceptions: true });
    assertEquals(well, undefined);
    assert(stopped as unknown instanceof asyncio.CancelledError);
    assert(await asyncio.wait_for(semaphore.acquire(), 1));
  }));

Deno.test("Semaphore.acquire: is fair to tasks that come again", () =>
  run(async () => {
    const semaphore = new Semaphore(1);
    const log: string[] = [];
    await asyncio.async_with(new asyncio.TaskGroup(), (group) => {
      for (const tag of ["c1", "c2", "c3"]) {
        group.create_task(async () => {
          for (const time of [1, 2]) {
            await semaphore.acquire();
            log.push(`${tag}_${time}`);
            await sleep(0.01);
            semaphore.release();
          }
        });
      }
      return Promise.resolve();
    });
    assertEquals(log, ["c1_1", "c2_1", "c3_1", "c1_2", "c2_2", "c3_2"]);
  }));

Deno.test("Semaphore.acquire: one that releases and acquires at once is the last", () =>
  run(async () => {
    const semaphore = new Semaphore(1);
    const log: number[] = [];
    const note = (number: number) => async () => {
      await semaphore.acquire();
      log.push(number);
    };
    const tasks = [
      create_task(note(1)),
      create_task(async () => {
        await note(2)();
        semaphore.release();
        await note(4)();
      }),
      create_task(note(3)),
    ];
    await turn();
    semaphore.release();
    semaphore.release();
    await asyncio.gather(tasks);
    assertEquals(log, [1, 2, 3, 4]);
  }));

Deno.test("Semaphore.acquire: a task cancelled before its turn leaves the order of the others", () =>
  run(async () => {
    const semaphore = new Semaphore(0);
    const { log, tasks: [first, second, third] } = numbered(3, () => semaphore.acquire());
    await turn();
    first?.cancel();
    await turn();
    semaphore.release();
    semaphore.release();
    const outcomes = await asyncio.gather([first!, second!, third!], { return_exceptions: true });
    assert(outcomes[0] as unknown instanceof asyncio.CancelledError);
    assertEquals([outcomes.slice(1), log], [[true, true], [2, 3]]);
  }));

Deno.test("Semaphore.release: three permits wake three waiters in their order, before a task that is made by the first", () =>
  run(async () => {
    const semaphore = new Semaphore(0);
    const log: number[] = [];
    const made: asyncio.Task<unknown>[] = [];
    const tasks = [
      create_task(async () => {
        await semaphore.acquire();
        made.push(create_task(() => Promise.resolve(log.push(4))));
        log.push(1);
      }),
      create_task(async () => {
        for (let count = 0; count < 3; count++) semaphore.release();
        // The first has not been resumed yet.
        assertEquals(semaphore.locked(), true);
        await semaphore.acquire();
        log.push(2);
      }),
      create_task(async () => {
        await semaphore.acquire();
        log.push(3);
      }),
    ];
    await asyncio.gather(tasks);
    await asyncio.gather(made);
    assertEquals(log, [1, 2, 3, 4]);
  }));
