/** Tasks: steps, cancellation, names, repr, eager start, foreign awaits, and mistakes people make. */

import { AsyncLocalStorage } from "node:async_hooks";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import * as asyncio from "../mod.ts";
import { DeadlockError, VirtualClockEventLoop } from "../testing.ts";
import { now, run_plain as run } from "./virtual_time.ts";

/** On the real clock, for what waits for the host. */
const run_real = <T>(main: () => Promise<T>): Promise<T> => asyncio.run(main);

const turn = () => asyncio.sleep(0);

/** A turn of the host: no promise of this library, and no microtask. */
const host_turn = () => new Promise<void>((resolve) => setTimeout(resolve));

const name_here = (): string | undefined => asyncio.current_task()?.get_name();

const cancelled = async (awaitable: PromiseLike<unknown>): Promise<unknown[]> =>
  (await assertRejects(async () => await awaitable, asyncio.CancelledError)).args;

/** What the exception handler of the running loop is told from now on. */
function listen(): string[] {
  const told: string[] = [];
  asyncio.get_running_loop().set_exception_handler((_, { message, exception }) => {
    told.push(exception === undefined ? `${message}` : `${message}: ${exception}`);
  });
  return told;
}

// Results

Deno.test("a task runs in the loop's next round, in the order of creation", () =>
  run(async () => {
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name}1`);
      await turn();
      log.push(`${name}2`);
    };
    const tasks = [asyncio.create_task(work("a")), asyncio.create_task(work("b"))];
    log.push("main");
    await asyncio.gather(tasks);
    assertEquals(log, ["main", "a1", "b1", "a2", "b2"]);
  }));

Deno.test("a task has the result of its coroutine", () =>
  run(async () => {
    const task = asyncio.create_task(async () => await asyncio.sleep(1, 5));
    assertThrows(() => task.result(), asyncio.InvalidStateError, "Result is not set.");
    assertEquals([await task, task.result(), task.exception(), task.done()], [5, 5, null, true]);
    assertEquals(task.cancel(), false);
    assertEquals(await asyncio.create_task(async () => {}), undefined);
  }));

Deno.test("a task has the error of its coroutine, whatever was thrown", () =>
  run(async () => {
    for (const thrown of [new RangeError("no"), "text", null, undefined, 0]) {
      const task = asyncio.create_task(async () => {
        await turn();
        throw thrown;
      });
      let caught: unknown = "nothing";
      try {
        await task;
      } catch (error) {
        caught = error;
      }
      assertStrictEquals(caught, thrown);
      assertStrictEquals(task.exception(), thrown);
      assertEquals([task.done(), task.cancelled()], [true, false]);
    }
  }));

Deno.test("a task's result and error cannot be set from outside", () =>
  run(async () => {
    const task = asyncio.create_task(turn());
    assertThrows(
      () => task.set_result(),
      asyncio.RuntimeError,
      "Task does not support set_result operation",
    );
    assertThrows(
      () => task.set_exception(new Error()),
      asyncio.RuntimeError,
      "Task does not support set_exception operation",
    );
    await task;
  }));

Deno.test("done callbacks of a task come before those who awaited later go on", () =>
  run(async () => {
    const log: string[] = [];
    const task = asyncio.create_task(turn());
    task.add_done_callback((done) => log.push(`first ${done === task}`));
    const waiter = asyncio.create_task(async () => {
      await task;
      log.push("waiter");
    });
    await turn();
    const removed = () => log.push("removed");
    task.add_done_callback(removed);
    task.add_done_callback(() => log.push("last"));
    assertEquals(task.remove_done_callback(removed), 1);
    await waiter;
    assertEquals(log, ["first true", "waiter", "last"]);
  }));

Deno.test("all_tasks lists what is not done, in the order of creation", () =>
  run(async () => {
    const a = asyncio.create_task(turn());
    const b = asyncio.create_task(asyncio.sleep(1));
    assertEquals([...asyncio.all_tasks()], [asyncio.current_task(), a, b]);
    await b;
    assertEquals([...asyncio.all_tasks()], [asyncio.current_task()]);
    assertEquals([...asyncio.all_tasks(asyncio.get_running_loop())].length, 1);
  }));

Deno.test("outside of any loop there is no current task to ask for", () => {
  assertThrows(() => asyncio.current_task(), asyncio.RuntimeError, "no running event loop");
  assertThrows(() => asyncio.all_tasks(), asyncio.RuntimeError, "no running event loop");
  const loop = new VirtualClockEventLoop();
  assertEquals(asyncio.current_task(loop), null);
  assertEquals(asyncio.all_tasks(loop).size, 0);
  loop.close();
});

// Names and repr

Deno.test("tasks are numbered where they are not named, and names are strings", () =>
  run(async () => {
    const number = (task: asyncio.Task<void>) => Number(task.get_name().replace("Task-", ""));
    const [first, named, second] = [
      asyncio.create_task(turn()),
      asyncio.create_task(turn(), { name: "named" }),
      asyncio.create_task(turn()),
    ];
    assertEquals(number(second), number(first) + 1);
    assertEquals(named.get_name(), "named");
    first.set_name(123);
    second.set_name({ toString: () => "object" });
    const numbered = asyncio.create_task(turn(), { name: 7 });
    const tasks = [first, second, numbered];
    assertEquals(tasks.map((task) => task.get_name()), ["123", "object", "7"]);
    await asyncio.gather(named, ...tasks);
  }));

Deno.test("repr tells the state, the name, the coroutine, what it waits for and its callbacks", () =>
  run(async () => {
    async function work(fail: boolean) {
      await asyncio.sleep(1);
      if (fail) throw new asyncio.ValueError("boom");
      return "x";
    }
    function told() {}
    const make = (fail = false) =>
      asyncio.create_task(asyncio.coroutine(work)(fail), { name: "T" });
    const task = make();
    assertEquals(String(task), "<Task pending name='T' coro=<work()>>");
    await turn();
    const waits = "wait_for=<Future pending cb=[Task.task_wakeup()]>";
    assertEquals(String(task), `<Task pending name='T' coro=<work()> ${waits}>`);
    task.add_done_callback(told);
    assertEquals(String(task), `<Task pending name='T' coro=<work()> ${waits} cb=[told()]>`);
    assertEquals(Deno.inspect(task), String(task));
    await task;
    assertEquals(String(task), "<Task finished name='T' coro=<work()> result='x'>");
    const failed = make(true);
    await asyncio.wait([failed]);
    assertEquals(
      String(failed),
      "<Task finished name='T' coro=<work()> exception=ValueError('boom')>",
    );
    failed.exception();
    const stopped = make();
    await turn();
    stopped.cancel("m");
    assertEquals(
      String(stopped),
      "<Task cancelling name='T' coro=<work()> wait_for=<Future cancelled>>",
    );
    await asyncio.wait([stopped]);
    assertEquals(String(stopped), "<Task cancelled name='T' coro=<work()>>");
  }));

Deno.test("repr of tasks that wait for a future or another task shows it", () =>
  run(async () => {
    const future = new asyncio.Future<void>();
    const inner = asyncio.create_task(
      async function inner() {
        await future;
      },
      { name: "I" },
    );
    const outer = asyncio.create_task(
      async function outer() {
        await inner;
      },
      { name: "O" },
    );
    await turn();
    const on_future = "wait_for=<Future pending cb=[Task.task_wakeup()]>";
    assertEquals(
      String(outer),
      `<Task pending name='O' coro=<outer()> wait_for=<Task pending name='I' coro=<inner()> ` +
        `${on_future} cb=[Task.task_wakeup()]>>`,
    );
    future.set_result();
    await outer;
  }));

Deno.test("get_coro, get_loop and get_context give what the task was made with", () =>
  run(async () => {
    const coroutine = turn();
    const context = asyncio.copy_context();
    const task = asyncio.create_task(coroutine, { context });
    assertStrictEquals(task.get_coro(), coroutine);
    assertStrictEquals(task.get_loop(), asyncio.get_running_loop());
    assertStrictEquals(task.get_context(), context);
    await task;
  }));

Deno.test("a function that is made a task has one coroutine, whenever it is asked for", () =>
  run(async () => {
    const work = async () => {
      await turn();
      return name_here();
    };
    const early = asyncio.create_task(work);
    const coroutine = early.get_coro() as asyncio.Coroutine<string>;
    assertEquals([coroutine.name, asyncio.iscoroutine(coroutine)], ["work", true]);
    assertStrictEquals(early.get_coro(), coroutine);
    assertEquals(await early, early.get_name());
    assertStrictEquals(early.get_coro(), coroutine);

    const late = asyncio.create_task(work);
    await turn();
    const running = late.get_coro() as asyncio.Coroutine<string>;
    assertStrictEquals(late.get_coro(), running);
    const is_used = "cannot reuse already awaited coroutine";
    await assertRejects(
      async () => await running,
      asyncio.RuntimeError,
      "coroutine is being awaited already",
    );
    assertEquals(await late, late.get_name());
    assertThrows(() => running.send(), asyncio.RuntimeError, is_used);

    const done = asyncio.create_task(work);
    await done;
    assertThrows(() => done.get_coro()!.send(), asyncio.RuntimeError, is_used);
    assertStrictEquals(done.get_coro(), done.get_coro());

    // What it returned is a coroutine itself, of another name.
    const nap = () => asyncio.sleep(0, "rested");
    const napping = asyncio.create_task(nap);
    await turn();
    assertEquals([napping.get_coro()!.name, await napping], ["nap", "rested"]);
  }));

Deno.test("get_stack and print_stack show where a failed task's error came from", () =>
  run(async () => {
    const fine = asyncio.create_task(turn());
    assertEquals(fine.get_stack(), []);
    await fine;
    function culprit(): never {
      throw new RangeError("deep");
    }
    const task = asyncio.create_task(async () => {
      await turn();
      culprit();
    });
    await assertRejects(async () => await task, RangeError);
    assertMatch(`${task.get_stack()[0]}`, /culprit.*tasks_test\.ts/);
    assertEquals(task.get_stack({ limit: 1 }).length, 1);
    const written: string[] = [];
    task.print_stack({ limit: 1, file: { write: (text) => written.push(text) } });
    assertMatch(
      written.join(""),
      /^Traceback for <Task finished .*> \(most recent call first\):\n {2}at culprit .*\nRangeError: deep\n$/,
    );
    fine.print_stack({ file: { write: (text) => written.push(text) } });
    assertMatch(`${written[1]}`, /^No stack for <Task finished/);
    assertThrows(() => task.get_stack({ limits: 1 } as never), TypeError, "'limits'");
  }));

// Mistakes

Deno.test("create_task of what runs already says what to write instead", () =>
  run(async () => {
    const work = async (n: number) => await asyncio.sleep(0, n);
    const running = work(1);
    assertThrows(
      () => asyncio.create_task(running as never),
      TypeError,
      "instead of create_task(work(x)) write create_task(() => work(x))",
    );
    const task = asyncio.create_task(turn(), { name: "T" });
    assertThrows(
      () => asyncio.create_task(task as never),
      TypeError,
      "a coroutine was expected, got <Task pending name='T' coro=<sleep()>>; it runs by itself",
    );
    assertThrows(
      () => asyncio.create_task(3 as never),
      TypeError,
      "a coroutine was expected, got 3",
    );
    for (const wrong of [null, undefined, {}, "text", async function* () {}()]) {
      assertThrows(() => asyncio.create_task(wrong as never), TypeError, "coroutine was expected");
      assertThrows(() => new asyncio.Task(wrong as never), TypeError, "coroutine was expected");
    }
    await asyncio.gather(running, task);
  }));

Deno.test("unknown options are named", () =>
  run(async () => {
    const coroutine = turn();
    assertThrows(
      () => asyncio.create_task(coroutine, { nam: "x" } as never),
      TypeError,
      "create_task() got an unexpected option 'nam'",
    );
    assertThrows(() => new asyncio.Task(coroutine, { nam: "x" } as never), TypeError, "'nam'");
    assertThrows(
      () => asyncio.get_running_loop().create_task(coroutine, { nam: "x" } as never),
      TypeError,
      "'nam'",
    );
    assertThrows(() => asyncio.create_task(coroutine, "name" as never), TypeError, "options");
    await coroutine;
  }));

Deno.test("a task that awaits itself gets an error", () =>
  run(async () => {
    const selfish: asyncio.Task<void> = asyncio.create_task(
      async function selfish_work() {
        await selfish;
      },
      { name: "T" },
    );
    await assertRejects(
      async () => await selfish,
      asyncio.RuntimeError,
      "Task cannot await on itself: " +
        "<Task pending name='T' coro=<selfish_work()> cb=[Task.task_wakeup()]>",
    );
    const generator: asyncio.Task<void> = asyncio.create_task(function* () {
      yield* generator as asyncio.Task<void>;
    });
    await assertRejects(async () => await generator, asyncio.RuntimeError, "await on itself");
  }));

Deno.test("tasks that wait for each other are named on the virtual clock", async () => {
  const error = await assertRejects(() =>
    run(async () => {
      const a: asyncio.Task<void> = asyncio.create_task(async () => await b, { name: "A" });
      const b: asyncio.Task<void> = asyncio.create_task(async () => await a, { name: "B" });
      await a;
    }), DeadlockError);
  assertMatch(error.message, /A \(.*\) waits on task B\n.*B \(.*\) waits on task A/);
});

Deno.test("tasks that wait for each other are reported on the real clock, and can be cancelled", () =>
  run_real(async () => {
    const told = listen();
    const a: asyncio.Task<void> = asyncio.create_task(async () => await b, { name: "A" });
    const b: asyncio.Task<void> = asyncio.create_task(async () => await a, { name: "B" });
    // A timer of the host: while the loop has one of its own, that may still end the wait.
    const reported = setInterval(() => {
      if (told.length === 0) return;
      clearInterval(reported);
      a.cancel("cycle");
    }, 1);
    await asyncio.wait([a, b]);
    assertEquals([a.cancelled(), b.cancelled()], [true, true]);
    assertThrows(() => a.result(), asyncio.CancelledError, "cycle");
    assertEquals(told, [
      "Tasks wait for each other, none can be resumed until one is cancelled: A -> B -> A",
    ]);
  }));

Deno.test("a closed loop makes no tasks", () => {
  const loop = new VirtualClockEventLoop();
  loop.close();
  const coroutine = turn();
  assertThrows(() => loop.create_task(coroutine), asyncio.RuntimeError, "Event loop is closed");
  coroutine.close();
});

// Cancellation

Deno.test("a cancelled task gets CancelledError where it waits, with the message", () =>
  run(async () => {
    const log: unknown[] = [];
    const task = asyncio.create_task(async () => {
      try {
        await asyncio.sleep(9);
      } catch (error) {
        log.push(error instanceof asyncio.CancelledError, (error as Error).message);
        throw error;
      } finally {
        await asyncio.sleep(1);
        log.push("cleaned up");
      }
    });
    await turn();
    assertEquals(task.cancel("why"), true);
    assertEquals([task.done(), task.cancelled(), task.cancelling()], [false, false, 1]);
    assertEquals(await cancelled(task), ["why"]);
    assertEquals(log, [true, "why", "cleaned up"]);
    assertEquals([task.cancelled(), task.cancelling(), task.cancel()], [true, 1, false]);
    assertEquals(now(), 1);
  }));

Deno.test("a task cancelled before its first step never runs", () =>
  run(async () => {
    const log: string[] = [];
    const native = asyncio.create_task(() => Promise.resolve(log.push("ran")));
    native.cancel("never");
    assertEquals(await cancelled(native), ["never"]);
    const generator = asyncio.create_task(function* () {
      log.push("ran");
      yield;
    });
    generator.cancel();
    await cancelled(generator);
    assertEquals(log, []);
  }));

Deno.test("of several messages the first to reach the task counts", () =>
  run(async () => {
    const waits = asyncio.create_task(asyncio.sleep(9));
    await turn();
    waits.cancel("first");
    waits.cancel("second");
    assertEquals(await cancelled(waits), ["first"]);
    const unstarted = asyncio.create_task(asyncio.sleep(9));
    unstarted.cancel("first");
    unstarted.cancel("second");
    assertEquals(await cancelled(unstarted), ["second"]);
  }));

Deno.test("a task may refuse to end, and counts how often it was asked", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      for (let i = 0; i < 2; i++) {
        try {
          await asyncio.sleep(9);
        } catch { /* refuses */ }
      }
      return "done anyway";
    });
    for (let i = 0; i < 2; i++) {
      await turn();
      task.cancel();
    }
    assertEquals([await task, task.cancelled(), task.cancelling()], ["done anyway", false, 2]);
  }));

Deno.test("cancelling counts up, uncancel down to zero", () =>
  run(async () => {
    const task = asyncio.create_task(asyncio.sleep(9));
    await turn();
    assertEquals([task.cancelling(), task.uncancel()], [0, 0]);
    task.cancel();
    task.cancel();
    assertEquals([task.cancelling(), task.uncancel(), task.uncancel(), task.uncancel()], [
      2,
      1,
      0,
      0,
    ]);
    await cancelled(task);
  }));

Deno.test("uncancel before the error was thrown takes it back", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      const self = asyncio.current_task() as asyncio.Task<unknown>;
      self.cancel("taken back");
      assertEquals(self.uncancel(), 0);
      await turn();
      self.cancel();
      self.cancel();
      assertEquals(self.uncancel(), 1);
      await assertRejects(async () => await turn(), asyncio.CancelledError);
      return "alive";
    });
    assertEquals(await task, "alive");
  }));

Deno.test("a task that cancels itself is told at its next real wait, or when it returns", () =>
  run(async () => {
    const self = () => asyncio.current_task() as asyncio.Task<unknown>;
    const done = new asyncio.Future<number>();
    done.set_result(2);
    const log: unknown[] = [];
    const at_wait = asyncio.create_task(async () => {
      self().cancel("me");
      log.push(await done);
      await turn();
      log.push("unreachable");
    });
    assertEquals(await cancelled(at_wait), ["me"]);
    assertEquals(log, [2]);
    const at_return = asyncio.create_task(async () => {
      self().cancel("return");
      return await done;
    });
    assertEquals(await cancelled(at_return), ["return"]);
    const in_generator = asyncio.create_task(function* () {
      self().cancel("generator");
      yield;
    });
    assertEquals(await cancelled(in_generator), ["generator"]);
  }));

Deno.test("a task ended by its own error stays failed although it was cancelled", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      try {
        await asyncio.sleep(9);
      } catch {
        throw new RangeError("cleanup failed");
      }
    });
    await turn();
    task.cancel();
    await assertRejects(async () => await task, RangeError, "cleanup failed");
    assertEquals(task.cancelled(), false);
  }));

Deno.test("a CancelledError that a coroutine throws cancels the task, and is thrown itself, once", () =>
  run(async () => {
    const error = new asyncio.CancelledError("mine");
    const task = asyncio.create_task(async () => {
      await turn();
      throw error;
    });
    const caught = await assertRejects(async () => await task, asyncio.CancelledError);
    assertStrictEquals(caught, error);
    assertEquals([task.cancelled(), task.cancelling()], [true, 0]);
    assertThrows(() => task.result(), asyncio.CancelledError);
    assertThrows(() => task.exception(), asyncio.CancelledError);
  }));

Deno.test("a cancelled future cancels the task that awaits it, with its message", () =>
  run(async () => {
    const future = new asyncio.Future<void>();
    const task = asyncio.create_task(async () => await future);
    await turn();
    future.cancel("future");
    assertEquals(await cancelled(task), ["future"]);
    assertEquals([task.cancelled(), task.cancelling()], [true, 0]);
  }));

Deno.test("cancellation goes through a chain of tasks to the innermost", () =>
  run(async () => {
    const log: string[] = [];
    const level = (depth: number): asyncio.Task<void> =>
      asyncio.create_task(async () => {
        try {
          await (depth === 0 ? asyncio.sleep(9) : level(depth - 1));
        } catch (error) {
          log.push(`${depth} ${(error as Error).message}`);
          throw error;
        }
      });
    const outermost = level(3);
    await asyncio.sleep(1);
    outermost.cancel("deep");
    assertEquals(await cancelled(outermost), ["deep"]);
    assertEquals(log, ["0 deep", "1 deep", "2 deep", "3 deep"]);
  }));

Deno.test("a cancellation that comes when the wait is over is thrown at once", () =>
  run(async () => {
    const future = new asyncio.Future<string>();
    const log: string[] = [];
    const task = asyncio.create_task(async () => {
      try {
        log.push(await future);
      } catch (error) {
        log.push(String(error));
        throw error;
      }
    });
    await turn();
    future.set_result("result");
    task.cancel("crossed");
    assertEquals(await cancelled(task), ["crossed"]);
    assertEquals(log, ["CancelledError: crossed"]);
  }));

// Several waits at once

Deno.test("a cancelled task's Promise.all is left, and everything in it is cancelled", () =>
  run(async () => {
    const log: string[] = [];
    const part = async (name: string) => {
      try {
        await asyncio.sleep(9);
      } catch (error) {
        log.push(`${name} ${(error as Error).message}`);
        throw error;
      }
    };
    for (const combine of ["all", "race", "allSettled", "any"] as const) {
      log.length = 0;
      const task = asyncio.create_task(async () => {
        // Without overloads: the four take the same argument.
        const together = Promise[combine] as (parts: Promise<void>[]) => Promise<unknown>;
        return await together.call(Promise, [part("a"), part("b"), part("c")]);
      });
      await asyncio.sleep(1);
      task.cancel("all of you");
      await asyncio.wait([task]);
      assertEquals(log.toSorted(), ["a all of you", "b all of you", "c all of you"], combine);
      assertEquals(task.cancelled(), combine !== "allSettled", combine);
    }
  }));

Deno.test("the first part of a Promise.race goes on alone, and later parts do no harm", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      const winner = await Promise.race([asyncio.sleep(1, "fast"), asyncio.sleep(5, "slow")]);
      await asyncio.sleep(10);
      return winner;
    });
    assertEquals([await task, now()], ["fast", 11]);
  }));

Deno.test("parts of a Promise.all that end while the task waits elsewhere keep their place", () =>
  run(async () => {
    const log: string[] = [];
    const part = async (name: string, delay: number) => {
      await asyncio.sleep(delay);
      log.push(`${name} ${name_here()}`);
      await asyncio.sleep(delay);
      return name;
    };
    const work = async () => await Promise.all([part("a", 2), part("b", 1), part("c", 3)]);
    const tasks = ["T", "U"].map((name) => asyncio.create_task(work, { name }));
    assertEquals(await asyncio.gather(tasks), [["a", "b", "c"], ["a", "b", "c"]]);
    assertEquals(log.filter((line) => line.endsWith("T")), ["b T", "a T", "c T"]);
    assertEquals(log.filter((line) => line.endsWith("U")), ["b U", "a U", "c U"]);
    assertEquals(now(), 6);
  }));

Deno.test("an error in a Promise.all leaves the other parts running in the task", () =>
  run(async () => {
    const log: string[] = [];
    const part = async () => {
      await asyncio.sleep(2);
      log.push("other part");
    };
    const task = asyncio.create_task(async () => {
      const fail = async () => {
        await asyncio.sleep(1);
        throw new Error("first");
      };
      await assertRejects(() => Promise.all([fail(), part()]), Error, "first");
      await asyncio.sleep(5);
      return "done";
    });
    assertEquals(await task, "done");
    assertEquals(log, ["other part"]);
  }));

Deno.test("Promise.race with something that is done already takes no time", () =>
  run(async () => {
    const done = new asyncio.Future<string>();
    done.set_result("done");
    assertEquals(await Promise.race([asyncio.sleep(9, "slow"), done]), "done");
    assertEquals(now(), 0);
  }));

// The current task and the host

Deno.test("code that goes on after a foreign await still belongs to its task", () =>
  run_real(async () => {
    const nested = async () => {
      await host_turn();
      await Promise.resolve();
      return name_here();
    };
    const work = async () => {
      const seen = [name_here()];
      await host_turn();
      seen.push(name_here());
      await asyncio.sleep(0.001);
      seen.push(name_here(), await nested());
      seen.push(...await Promise.all([nested(), nested()]));
      return new Set(seen);
    };
    const names = ["a", "b", "c"];
    const tasks = names.map((name) => asyncio.create_task(work, { name }));
    assertEquals(await asyncio.gather(tasks), names.map((name) => new Set([name])));
  }));

Deno.test("a plain callback belongs to no task, wherever it was scheduled", () =>
  run(async () => {
    const loop = asyncio.get_running_loop();
    const seen: unknown[] = [];
    const look = () => seen.push(asyncio.current_task(), asyncio.get_running_loop() === loop);
    loop.call_soon(look);
    loop.call_later(1, look);
    const future = loop.create_future<void>();
    future.add_done_callback(look);
    future.set_result();
    await asyncio.sleep(2);
    assertEquals(seen, [null, true, null, true, null, true]);
  }));

Deno.test("a task made in a callback is a task of its own", () =>
  run(async () => {
    const made = new asyncio.Future<asyncio.Task<string | undefined>[]>();
    asyncio.get_running_loop().call_soon(() => {
      const work = async () => {
        await turn();
        return name_here();
      };
      made.set_result([asyncio.create_task(work, { name: "from a callback" })]);
    });
    const [task] = await made;
    assertEquals(await task, "from a callback");
  }));

Deno.test("other tasks go on while one waits for the host", () =>
  run_real(async () => {
    const log: string[] = [];
    const foreign = asyncio.create_task(async () => {
      await host_turn();
      log.push("host");
    });
    const spin = asyncio.create_task(async () => {
      while (!foreign.done()) await turn();
      log.push("spun");
    });
    await asyncio.gather(foreign, spin);
    assertEquals(log, ["host", "spun"]);
  }));

Deno.test("a step that takes thousands of microtasks is still one step", () =>
  run(async () => {
    const log: string[] = [];
    const work = async () => {
      for (let i = 0; i < 5000; i++) await null;
      log.push("long");
    };
    const tasks = [
      asyncio.create_task(work),
      asyncio.create_task(() => Promise.resolve(log.push("short"))),
    ];
    await asyncio.gather<unknown>(tasks);
    assertEquals(log, ["long", "short"]);
  }));

Deno.test("tasks that are made together each begin in the AsyncLocalStorage of who made them", () =>
  run(async () => {
    asyncio.current_task()?.set_name("main");
    const storage = new AsyncLocalStorage<string>();
    const seen: [before: unknown, after: unknown, is_main: boolean][] = [];
    const work = (name: string) => async () => {
      const before = storage.getStore();
      storage.enterWith(name);
      await Promise.resolve();
      seen.push([before, storage.getStore(), asyncio.current_task()?.get_name() === "main"]);
    };
    for (const count of [2, 20]) {
      const names = Array.from({ length: count }, (_, index) => `task ${index}`);
      const works = names.map(work);
      await storage.run("a gather", () => asyncio.gather(works));
      assertEquals(seen.splice(0), names.map((name) => ["a gather", name, false]));
      await storage.run("an iterator", async () => {
        for await (const _ of asyncio.as_completed(works));
      });
      assertEquals(seen.splice(0), names.map((name) => ["an iterator", name, false]));
    }
    assertEquals(storage.getStore(), undefined);
  }));

Deno.test("the user's own AsyncLocalStorage is kept by tasks and callbacks", () =>
  run(async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: Record<string, unknown> = {};
    const loop = asyncio.get_running_loop();
    const look = (what: string) => seen[what] = storage.getStore();
    const work = async () => {
      look("task");
      await asyncio.sleep(1);
      look("task later");
      await asyncio.create_task(async () => await Promise.resolve(look("child")));
      await storage.run("inner", async () => {
        await asyncio.sleep(1);
        look("inner");
      });
      look("task at its end");
    };
    const tasks = storage.run("outer", () => {
      loop.call_soon(look, "soon");
      loop.call_later(1, look, "later");
      const future = loop.create_future<void>();
      future.add_done_callback(() => look("done callback"));
      loop.call_later(2, () => future.set_result());
      return [
        asyncio.create_task(work),
        asyncio.create_task(function* () {
          look("generator");
          yield* asyncio.sleep(1);
          look("generator later");
        }),
      ];
    });
    await asyncio.gather(tasks);
    assertEquals(storage.getStore(), undefined);
    assertEquals(seen, {
      "soon": "outer",
      "task": "outer",
      "generator": "outer",
      "later": "outer",
      "task later": "outer",
      "generator later": "outer",
      "child": "outer",
      "done callback": "outer",
      "inner": "inner",
      "task at its end": "outer",
    });
  }));

Deno.test("who resumes a task does not give it its own AsyncLocalStorage value", () =>
  run(async () => {
    const storage = new AsyncLocalStorage<string>();
    const future = new asyncio.Future<void>();
    const tasks = [
      asyncio.create_task(async () => {
        await future;
        return storage.getStore();
      }),
      asyncio.create_task(function* () {
        yield* future;
        return storage.getStore();
      }),
    ];
    await turn();
    storage.run("of the waker", () => future.set_result());
    assertEquals(await asyncio.gather<unknown>(tasks), [undefined, undefined]);
  }));

Deno.test("a task that enters an AsyncLocalStorage value for good ends as others do", () =>
  run(async () => {
    const storage = new AsyncLocalStorage<string>();
    const work = async (name: string) => {
      storage.enterWith(name);
      await null;
      assertEquals([storage.getStore(), name_here()], [name, name]);
      await turn();
      assertEquals([storage.getStore(), name_here()], [name, name]);
      if (name === "b") throw new RangeError(name);
      return name;
    };
    const [a, b] = ["a", "b"].map((name) => asyncio.create_task(() => work(name), { name }));
    assertEquals(await a, "a");
    await assertRejects(async () => await b, RangeError);
    assertEquals([storage.getStore(), asyncio.all_tasks().size], [undefined, 1]);
  }));

Deno.test("nothing of others runs in the midst of who calls then() by hand", () =>
  run(async () => {
    const order: string[] = [];
    const note = (text: string) => () => void order.push(text);
    const lock = new asyncio.Lock();
    await lock.acquire();
    const others = [
      asyncio.create_task(async () => {
        await lock.acquire();
        order.push("async function");
      }),
      asyncio.create_task(function* () {
        yield* asyncio.sleep(1);
        order.push("generator");
      }),
    ];
    await turn();
    lock.release();
    asyncio.create_task(() => Promise.resolve(order.push("new task")));
    asyncio.get_running_loop().call_soon(note("callback"));
    for (const wait of [asyncio.sleep(0), asyncio.sleep(1), others[1]!]) {
      wait.then(note("fulfilled"), note("rejected"));
      order.push("caller");
    }
    await asyncio.sleep(2);
    assertEquals(order, [
      "caller",
      "caller",
      "caller",
      "async function",
      "new task",
      "callback",
      "fulfilled",
      "generator",
      "fulfilled",
      "fulfilled",
    ]);
  }));

// Native promises.

Deno.test("a cancellation during a foreign await without the signal comes at the next own await", () =>
  run_real(async () => {
    const log: string[] = [];
    const task = asyncio.create_task(async () => {
      await host_turn();
      log.push("foreign work done");
      await turn();
      log.push("unreachable");
    });
    await turn();
    task.cancel("late");
    assertEquals(await cancelled(task), ["late"]);
    assertEquals(log, ["foreign work done"]);
  }));

Deno.test("a task that never awaits again after it was cancelled ends cancelled", () =>
  run_real(async () => {
    const task = asyncio.create_task(async () => {
      await host_turn();
      return "lost";
    });
    await turn();
    task.cancel();
    await cancelled(task);
    assert(task.cancelled());
  }));

// Eager start

Deno.test("an eager task runs at once up to its first wait", () =>
  run(async () => {
    const log: string[] = [];
    const work = function* (): Generator<unknown, string, unknown> {
      log.push("a");
      yield* turn();
      log.push("b");
      return "c";
    };
    const task = asyncio.create_task(work, { eager_start: true });
    log.push("creator");
    assertEquals([task.done(), asyncio.all_tasks().has(task)], [false, true]);
    assertEquals(await task, "c");
    assertEquals(log, ["a", "creator", "b"]);
    const native = asyncio.create_task(async () => {
      log.push("native");
      await turn();
    }, { eager_start: true });
    log.push("creator");
    await native;
    assertEquals(log.slice(3), ["native", "creator"]);
  }));

Deno.test("an eager task of a generator that need not wait is done at once", () =>
  run(() => {
    const task = asyncio.create_task(returns(5), { eager_start: true });
    assertEquals([task.done(), task.result(), asyncio.all_tasks().has(task)], [true, 5, false]);
    const failed = asyncio.create_task(fails(), { eager_start: true });
    assert(failed.exception() instanceof RangeError);
  }));

/** A generator without a wait. */
// deno-lint-ignore require-yield -- to end without a wait is what it is for
function* returns<T>(value: T): Generator<unknown, T, unknown> {
  return value;
}

// deno-lint-ignore require-yield -- as above
function* fails(): Generator<unknown, never, unknown> {
  throw new RangeError("eager");
}

Deno.test("an eager task of an async function that need not wait is done a microtask later", () =>
  run(async () => {
    const task = asyncio.create_task(() => Promise.resolve(5), { eager_start: true });
    for (let i = 0; i < 3 && !task.done(); i++) await null;
    assertEquals(task.done(), true);
    assertEquals(task.result(), 5);
  }));

Deno.test("an eager task is its own current task, and gives the place back", () =>
  run(async () => {
    const log: (string | undefined)[] = [];
    const creator = asyncio.current_task();
    const inner = function* () {
      log.push(name_here());
      yield* turn();
      log.push(name_here());
    };
    const outer = function* () {
      const task = asyncio.create_task(inner, { name: "inner", eager_start: true });
      log.push(name_here());
      yield* task;
    };
    const task = asyncio.create_task(outer, { name: "outer", eager_start: true });
    assertStrictEquals(asyncio.current_task(), creator);
    await task;
    assertEquals(log, ["inner", "outer", "inner"]);
    await asyncio.create_task(async () => await turn(), { eager_start: true });
    assertStrictEquals(asyncio.current_task(), creator);
  }));

Deno.test("an eager task has a context of its own", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: 0 });
    const set = async () => {
      variable.set(1);
      await turn();
      return variable.get();
    };
    const task = asyncio.create_task(set, { eager_start: true });
    assertEquals([variable.get(), await task], [0, 1]);
  }));

Deno.test("an eager task that cancels itself is told at its first wait", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      asyncio.current_task()?.cancel("self");
      await turn();
    }, { eager_start: true });
    assertEquals(task.done(), false);
    assertEquals(await cancelled(task), ["self"]);
  }));

Deno.test("the eager task factory makes all tasks eager but those that do not want it", () =>
  run(async () => {
    const loop = asyncio.get_running_loop();
    loop.set_task_factory(asyncio.eager_task_factory);
    assertStrictEquals(loop.get_task_factory(), asyncio.eager_task_factory);
    assertEquals(asyncio.create_task(returns(1)).done(), true);
    assertEquals(asyncio.ensure_future(returns(1)).done(), true);
    const lazy = asyncio.create_task(returns(1), { eager_start: false });
    assertEquals(lazy.done(), false);
    const gathered = asyncio.gather(returns(1), returns(2));
    assertEquals([gathered.done(), await gathered], [true, [1, 2]]);
    const failed = asyncio.gather(returns(1), fails());
    assertEquals(failed.done(), true);
    await assertRejects(async () => await failed, RangeError);
    await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      assertEquals(await Promise.resolve(group.create_task(returns(1)).done()), true);
    });
    loop.set_task_factory(null);
    const usual = asyncio.create_task(returns(1));
    assertEquals(usual.done(), false);
    await asyncio.gather(lazy, usual);
  }));

Deno.test("a factory gets the loop, the coroutine and the options; a class will do, too", () =>
  run(async () => {
    class Mine<T> extends asyncio.Task<T> {}
    const loop = asyncio.get_running_loop();
    const made: unknown[] = [];
    loop.set_task_factory((loop, coro, options) => {
      made.push(loop === asyncio.get_running_loop(), options.name);
      return new Mine(coro, { ...options, loop });
    });
    const task = asyncio.create_task(returns(1), { name: "N" });
    assert(task instanceof Mine);
    assertEquals([await task, task.get_name(), made], [1, "N", [true, "N"]]);
    loop.set_task_factory(asyncio.create_eager_task_factory(Mine));
    const eager = asyncio.create_task(returns(2), { name: "E" });
    assert(eager instanceof Mine);
    assertEquals([eager.done(), eager.get_name()], [true, "E"]);
    loop.set_task_factory(
      asyncio.create_eager_task_factory((coro, options) => new asyncio.Task(coro, options)),
    );
    assertEquals(asyncio.create_task(returns(3)).done(), true);
    assertThrows(() => loop.set_task_factory(3 as never), TypeError);
  }));

// What leaves the loop, and what nobody looked at

Deno.test("an error of a task that nobody looked at is reported when run() ends", async () => {
  let told: string[] = [];
  await run(async () => {
    told = listen();
    asyncio.create_task(async () => {
      await turn();
      throw new RangeError("lost");
    });
    await asyncio.sleep(1);
  });
  assertEquals(told, ["Task exception was never retrieved: RangeError: lost"]);
});

Deno.test("a KeyboardInterrupt in a task leaves run() at once, and stays the task's error", async () => {
  let task: asyncio.Task<void> | undefined;
  const log: string[] = [];
  await assertRejects(
    () =>
      run(async () => {
        listen();
        task = asyncio.create_task(async () => {
          await turn();
          throw new asyncio.KeyboardInterrupt("ctrl");
        });
        try {
          await asyncio.sleep(9);
        } catch (error) {
          log.push((error as Error).name);
          throw error;
        }
      }),
    asyncio.KeyboardInterrupt,
    "ctrl",
  );
  assertEquals(log, ["CancelledError"]);
  assert(task?.exception() instanceof asyncio.KeyboardInterrupt);
});

Deno.test("a KeyboardInterrupt in a callback leaves run(), too", async () => {
  await assertRejects(() =>
    run(async () => {
      asyncio.get_running_loop().call_soon(() => {
        throw new asyncio.KeyboardInterrupt();
      });
      await asyncio.sleep(9);
    }), asyncio.KeyboardInterrupt);
});

Deno.test("a loop holds its tasks: none is lost half-way", () =>
  run(async () => {
    const log: number[] = [];
    for (let i = 0; i < 50; i++) {
      asyncio.create_task(async () => {
        for (let n = 0; n < 5; n++) await asyncio.sleep(1);
        log.push(i);
      });
    }
    await asyncio.sleep(6);
    assertEquals(new Set(log), new Set(Array.from({ length: 50 }, (_, i) => i)));
  }));

Deno.test("without run() tasks work on the default loop", async () => {
  const task = asyncio.create_task(async () => {
    await asyncio.sleep(0.001);
    return name_here();
  }, { name: "ambient" });
  assertEquals(await task, "ambient");
  const stopped = asyncio.create_task(asyncio.sleep(60));
  await asyncio.sleep(0);
  stopped.cancel("ambient");
  assertEquals(await cancelled(stopped), ["ambient"]);
});
