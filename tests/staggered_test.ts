import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { CancelScope } from "../structured.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { now } from "./virtual_time.ts";

const run = <T>(main: () => PromiseLike<T>) =>
  asyncio.run(main, { loop_factory: () => new VirtualClockEventLoop() });
const fail = async () => {
  await asyncio.sleep(0);
  throw new RangeError("bad");
};

Deno.test("staggered_race: the first that succeeds wins, and the others are cancelled", () =>
  run(async () => {
    const [result, index, errors] = await asyncio.staggered_race(
      [
        () => asyncio.sleep(5, "slow"),
        () => asyncio.sleep(1, "quick"),
        () => asyncio.sleep(1, "late"),
      ],
      2,
    );
    assertEquals([result, index, now()], ["quick", 1, 3]);
    assert(errors[0] instanceof asyncio.CancelledError);
    assertEquals([errors.length, errors[1]], [2, null]);
  }));

Deno.test("staggered_race: in a scope that cancels every wait, its functions are cancelled once", () =>
  run(async () => {
    const requests: unknown[] = [];
    const slow = async () => {
      const task = asyncio.current_task();
      try {
        await asyncio.sleep(10);
      } finally {
        await new Promise((resolve) => setTimeout(resolve, 5));
        requests.push(task?.cancelling());
      }
    };
    const scope = new CancelScope({ level: true, deadline: 2 });
    await asyncio.async_with(scope, () => asyncio.staggered_race([slow], null));
    assertEquals([scope.cancelled_caught, requests], [true, [1]]);
  }));

Deno.test("staggered_race: the next starts at once when one fails", () =>
  run(async () => {
    const [result, index, errors] = await asyncio.staggered_race(
      [fail, () => asyncio.sleep(1, "second")],
      10,
    );
    assertEquals([result, index, now()], ["second", 1, 1]);
    assert(errors[0] instanceof RangeError);
  }));

Deno.test("staggered_race: without a delay they run one after the other", () =>
  run(async () => {
    const [result, index] = await asyncio.staggered_race(
      [() => asyncio.sleep(60, "first"), () => asyncio.sleep(1, "second")],
      null,
    );
    assertEquals([result, index, now()], ["first", 0, 60]);
  }));

Deno.test("staggered_race: there is no winner if all fail, or none runs", () =>
  run(async () => {
    const [result, index, errors] = await asyncio.staggered_race([fail, fail], 1);
    assertEquals([result, index, errors.length], [null, null, 2]);
    assertEquals(await asyncio.staggered_race([], 1), [null, null, []]);
  }));

Deno.test("staggered_race: cancelled, it cancels its functions", () =>
  run(async () => {
    const log: string[] = [];
    const runner = async () => {
      try {
        await asyncio.sleep(60);
      } finally {
        log.push("cancelled");
      }
    };
    const race = asyncio.create_task(asyncio.staggered_race([runner, runner], 1));
    await asyncio.sleep(2);
    race.cancel();
    await assertRejects(async () => await race, asyncio.CancelledError);
    assertEquals(log, ["cancelled", "cancelled"]);
    assertEquals(asyncio.all_tasks().size, 1);
  }));

Deno.test("staggered_race: a function that swallows its cancellation and cancels itself is an error", () =>
  run(async () => {
    const stubborn = async () => {
      await asyncio.sleep(60).catch(() => {});
      await asyncio.sleep(1);
      asyncio.current_task()?.cancel();
    };
    const group: unknown = await assertRejects(
      async () => await asyncio.staggered_race([stubborn, () => asyncio.sleep(1)], 1),
      asyncio.ExceptionGroup,
      "staggered race failed",
    );
    const { errors } = group as asyncio.ExceptionGroup;
    assertEquals(errors.map((error) => (error as Error).name), ["AssertionError"]);
  }));

Deno.test("staggered_race: a function that swallows its cancellation and succeeds is an error", () =>
  run(async () => {
    const stubborn = async () => {
      await asyncio.sleep(60).catch(() => {});
      return "late";
    };
    await assertRejects(
      async () => await asyncio.staggered_race([stubborn, () => asyncio.sleep(0, "first")], 1),
      asyncio.ExceptionGroup,
      "staggered race failed",
    );
  }));

Deno.test("staggered_race: refuses arguments of a wrong type", () => {
  assertThrows(() => asyncio.staggered_race(5 as never, 1), TypeError, "not iterable");
  assertThrows(() => asyncio.staggered_race([], 1, { loop: {} } as never), TypeError, "loop");
  assertThrows(() => asyncio.staggered_race([], "1" as never), TypeError);
  assertThrows(() => asyncio.staggered_race([], 1, { lop: 1 } as never), TypeError, "lop");
});

Deno.test("staggered_race: functions that fail while they are cancelled are no errors of the race", () =>
  run(async () => {
    const failing = async (name: string) => {
      try {
        await asyncio.sleep(60);
      } finally {
        await asyncio.sleep(1);
        // deno-lint-ignore no-unsafe-finally -- what is tested
        throw new RangeError(name);
      }
    };
    const [result, index, errors] = await asyncio.staggered_race(
      [() => failing("a"), () => failing("b"), () => asyncio.sleep(1, "c"), () => failing("d")],
      1,
    );
    assertEquals([result, index, now()], ["c", 2, 4]);
    assertEquals(errors.map(String), ["RangeError: a", "RangeError: b", "null"]);
  }));

Deno.test("staggered_race: a loser that a native promise keeps from being cancelled is dropped", () =>
  asyncio.run(async () => {
    const first = Promise.withResolvers<string>();
    const second = Promise.withResolvers<string>();
    const race = asyncio.create_task(asyncio.staggered_race<string>([
      () => first.promise,
      async () => await second.promise,
    ], 0));
    await asyncio.sleep(0.01);
    second.resolve("second");
    await asyncio.sleep(0.01);
    first.resolve("first");
    const [result, index, errors] = await race;
    assertEquals([result, index], ["second", 1]);
    assert(errors[0] instanceof asyncio.CancelledError);
  }));

Deno.test("staggered_race: takes its delay by name", () =>
  run(async () => {
    const loop = asyncio.get_running_loop();
    const race = () => asyncio.staggered_race([() => asyncio.sleep(1, "a")], { delay: null, loop });
    assertEquals(await race(), ["a", 0, [null]]);
    assertThrows(() => asyncio.staggered_race([], { dely: 1 } as never), TypeError, "'dely'");
  }));
