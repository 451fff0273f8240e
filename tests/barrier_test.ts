/** Barriers between their states: filling, draining, resetting and broken, as CPython's own tests go through them. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as asyncio from "../mod.ts";
import { run } from "./virtual_time.ts";

const PARTIES = 5;

const { Barrier, BrokenBarrierError } = asyncio;

/** Runs a program, which fails with a DeadlockError if a task waits at a barrier for ever. */
/** Runs as many tasks of `work` as there are parties, or another number, to their ends. */
function together(work: (index: number) => Promise<unknown>, count = PARTIES): Promise<unknown[]> {
  return asyncio.gather(Array.from({ length: count }, (_, index) => () => work(index)));
}

function assert_at_rest(barrier: asyncio.Barrier): void {
  assertEquals(String(barrier), `<Barrier [filling, waiters:0/${barrier.parties}]>`);
  assertEquals([barrier.n_waiting, barrier.broken], [0, false]);
}

Deno.test("Barrier.toString: shows filling, draining, resetting and broken", () =>
  run(async () => {
    const barrier = new Barrier(3);
    const tasks: asyncio.Task<unknown>[] = [];
    const add = async (count: number) => {
      for (let n = 0; n < count; n++) tasks.push(asyncio.create_task(barrier.wait()));
      await asyncio.sleep(0);
      return String(barrier);
    };
    assertEquals(await add(2), "<Barrier [filling, waiters:2/3]>");
    assertEquals(await add(1), "<Barrier [draining, waiters:0/3]>");
    await add(2);
    await barrier.reset();
    assertEquals(String(barrier), "<Barrier [resetting, waiters:0/3]>");
    await add(2);
    await barrier.abort();
    assertEquals(String(barrier), "<Barrier [broken]>");
    assertEquals(barrier.broken, true);
    await asyncio.gather(tasks, { return_exceptions: true });
  }));

Deno.test("Barrier.wait: with one party it never waits, as often as it is called", () =>
  run(async () => {
    const barrier = new Barrier(1);
    for (let n = 0; n < 3; n++) {
      const task = asyncio.create_task(barrier.wait());
      await asyncio.sleep(0);
      assertEquals([task.done(), task.result(), barrier.n_waiting], [true, 0, 0]);
    }
    assertEquals(await asyncio.async_with(barrier, (place) => Promise.resolve(place)), 0);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.n_waiting: grows with each task that waits, and is 0 when all are through", () =>
  run(async () => {
    const barrier = new Barrier(3);
    const tasks: asyncio.Task<number>[] = [];
    for (const waiting of [1, 2]) {
      tasks.push(asyncio.create_task(barrier.wait()));
      await asyncio.sleep(0);
      assertEquals(barrier.n_waiting, waiting);
    }
    tasks.push(asyncio.create_task(barrier.wait()));
    assertEquals(await asyncio.gather(tasks), [0, 1, 2]);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier: one block inside another, each is entered when all are there", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    const log: string[] = [];
    const places = await together(() =>
      asyncio.async_with(barrier, async () => {
        log.push("outer");
        return await asyncio.async_with(barrier, (place) => {
          log.push("inner");
          return Promise.resolve(place);
        });
      })
    );
    assertEquals(places.toSorted(), [0, 1, 2, 3, 4]);
    // A task that is through early waits for the inner block until the last one has left the outer one.
    assertEquals(log, [...Array(PARTIES).fill("outer"), ...Array(PARTIES).fill("inner")]);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier: is draining until the last task is through", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    const was_draining: boolean[] = [];
    await together(async () => {
      await barrier.wait();
      was_draining.push(String(barrier).includes("draining"));
    });
    assertEquals(was_draining, [true, true, true, true, false]);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.wait: a task that comes again while it drains waits for the next round", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    const others = new Barrier(PARTIES - 2);
    let early = 2;
    let rounds = 0;
    await together(async () => {
      await barrier.wait();
      if (early-- <= 0) {
        await others.wait();
        rounds++;
      }
      await barrier.wait();
    });
    assertEquals(rounds, PARTIES - 2);
    assert_at_rest(barrier);
    assert_at_rest(others);
  }));

Deno.test("Barrier.wait: the place of a cancelled task is taken by one that comes later", () =>
  run(async () => {
    const barrier = new Barrier(3);
    const passed: string[] = [];
    const begin = (name: string) =>
      asyncio.create_task(async () => {
        await barrier.wait();
        passed.push(name);
      }, { name });
    const [first, second] = [begin("first"), begin("second")];
    await asyncio.sleep(0);
    first.cancel();
    await asyncio.sleep(0);
    assertEquals([first.cancelled(), barrier.n_waiting], [true, 1]);
    const third = begin("third");
    await asyncio.sleep(0);
    assertEquals([passed, barrier.n_waiting], [[], 2]);
    await asyncio.gather(second, third, begin("fourth"));
    assertEquals(passed.toSorted(), ["fourth", "second", "third"]);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.wait: a task that is cancelled while it drains does not hold up the others", () =>
  run(async () => {
    const barrier = new Barrier(3);
    const tasks = [barrier.wait(), barrier.wait()].map((wait) => asyncio.create_task(wait));
    await asyncio.sleep(0);
    assertEquals(await barrier.wait(), 2);
    tasks[0]?.cancel();
    await asyncio.wait(tasks);
    assertEquals(tasks.map((task) => task.cancelled()), [true, false]);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.reset, abort: without a task that waits, only the state changes", () =>
  run(async () => {
    const barrier = new Barrier(2);
    await barrier.reset();
    assert_at_rest(barrier);
    await barrier.abort();
    assertEquals([barrier.n_waiting, barrier.broken], [0, true]);
    await barrier.abort();
    await assertRejects(async () => await barrier.wait(), BrokenBarrierError, "Barrier aborted");
    await barrier.reset();
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.reset: while it drains, the tasks that are not through get a BrokenBarrierError", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    const log: string[] = [];
    await together(async () => {
      try {
        await barrier.wait();
        log.push("passed");
        if (log.length === 3) await barrier.reset();
      } catch (error) {
        assert(error instanceof BrokenBarrierError);
        log.push("broken");
      }
    });
    assertEquals(log, ["passed", "passed", "passed", "broken", "broken"]);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.reset: tasks that wait for the end of the draining wait for the next round instead", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    const log: string[] = [];
    let passed = 0;
    await together(async () => {
      try {
        await barrier.wait();
      } catch {
        log.push("broken");
        await barrier.wait();
        return;
      }
      if (++passed === 3) await barrier.reset();
      // The first two are here before the reset, and see nothing of it.
      await barrier.wait();
    });
    assertEquals(log, ["broken", "broken"]);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.reset: its waiters may wait again at once", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    let broken = 0;
    const waiters = together(async () => {
      await barrier.wait().catch((error: unknown) => {
        assert(error instanceof BrokenBarrierError);
        broken++;
      });
      return await barrier.wait();
    }, PARTIES - 1);
    await asyncio.sleep(0);
    await barrier.reset();
    await barrier.wait();
    assertEquals((await waiters).length, PARTIES - 1);
    assertEquals(broken, PARTIES - 1);
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.reset: by the last task that is through, it breaks nothing", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    let passed = 0;
    await together(async () => {
      await barrier.wait();
      if (++passed === PARTIES) await barrier.reset();
      await barrier.wait();
      await barrier.wait();
    });
    assert_at_rest(barrier);
  }));

Deno.test("Barrier.abort: while it drains, it breaks tasks that are not through and those that came again", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    const log: string[] = [];
    let passed = 0;
    await together(async () => {
      try {
        await barrier.wait();
      } catch {
        log.push("not through");
        return;
      }
      if (++passed === 3) return await barrier.abort();
      await barrier.wait().catch(() => log.push("came again"));
    });
    assertEquals(log.toSorted(), ["came again", "came again", "not through", "not through"]);
    assertEquals(String(barrier), "<Barrier [broken]>");
    assertEquals(barrier.n_waiting, 0);
  }));

Deno.test("Barrier.abort: by a task whose block fails, the others do not wait for it", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    let broken = 0;
    await together(async () => {
      try {
        await asyncio.async_with(barrier, (place) => {
          if (place === 2) throw new RangeError("the third one fails");
          return Promise.resolve();
        });
        await barrier.wait();
      } catch (error) {
        if (error instanceof RangeError) await barrier.abort();
        else broken++;
      }
    });
    assertEquals([broken, barrier.broken, barrier.n_waiting], [PARTIES - 1, true, 0]);
  }));

Deno.test("Barrier.reset: after abort(), all meet again, agreed upon at a second barrier", () =>
  run(async () => {
    const barrier = new Barrier(PARTIES);
    const agreement = new Barrier(PARTIES);
    const log: string[] = [];
    await together(async () => {
      try {
        if (await barrier.wait() === 2) throw new RangeError("the third one fails");
        await barrier.wait();
      } catch (error) {
        if (error instanceof RangeError) await barrier.abort();
        else log.push("broken");
      }
      if (await agreement.wait() === 2) await barrier.reset();
      await agreement.wait();
      await barrier.wait();
      log.push("met");
    });
    assertEquals(log, [...Array(4).fill("broken"), ...Array(5).fill("met")]);
    assert_at_rest(barrier);
  }));
