/** A `cancel()` of the program that throws: the rest is cancelled all the same, and the loop goes on. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";

class Stubborn extends asyncio.Future<void> {
  override cancel(): boolean {
    throw new RangeError("cannot be cancelled");
  }
}

/** Runs a program with a future that cannot be cancelled; returns the errors that the loop reports. */
async function reports_of(main: (stubborn: Stubborn) => Promise<void>): Promise<string[]> {
  const reports: string[] = [];
  await asyncio.run(async () => {
    asyncio.get_running_loop().set_exception_handler((_, { message, exception }) =>
      reports.push(`${message}: ${exception}`)
    );
    const stubborn = new Stubborn();
    await main(stubborn);
    if (!stubborn.done()) stubborn.set_result();
    await asyncio.sleep(0);
  }, { loop_factory: () => new VirtualClockEventLoop() });
  return reports;
}

/** A task that waits for something, and one that cleans up. */
function make_tasks(create_task: typeof asyncio.create_task, stubborn: Stubborn, log: string[]) {
  const waits = create_task(async () => await stubborn);
  const cleans_up = create_task(async () => {
    try {
      await asyncio.sleep(60);
    } finally {
      await asyncio.sleep(1);
      log.push("cleaned up");
    }
  });
  return [waits, cleans_up] as const;
}

Deno.test("aborted_by: a cancel() that throws is reported, and does not end the process", async () => {
  const controller = new AbortController();
  const reports = await reports_of(async (stubborn) => {
    const task = asyncio.create_task(() =>
      asyncio.async_with(asyncio.aborted_by(controller.signal), async () => await stubborn)
    );
    await asyncio.sleep(1);
    controller.abort();
    stubborn.set_result();
    await task;
  });
  assertEquals(reports, [
    "Exception in callback of an AbortSignal: RangeError: cannot be cancelled",
  ]);
});

Deno.test("run: a cancel() that throws when its signal is aborted is reported", async () => {
  const controller = new AbortController();
  const reports: string[] = [];
  await asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    loop.set_exception_handler((_, { exception }) => reports.push(String(exception)));
    const stubborn = new Stubborn();
    loop.call_later(1, () => {
      controller.abort();
      stubborn.set_result();
    });
    await stubborn;
  }, { signal: controller.signal, loop_factory: () => new VirtualClockEventLoop() }).catch(
    () => {},
  );
  assertEquals(reports, ["RangeError: cannot be cancelled"]);
});

for (
  const [what, make] of [
    ["a child fails", (group) => group.create_task(() => Promise.reject(new TypeError("fails")))],
    ["the body fails", () => asyncio.sleep(0).then(() => Promise.reject(new TypeError("fails")))],
  ] as [string, (group: asyncio.TaskGroup) => unknown][]
) {
  Deno.test(`TaskGroup: a cancel() that throws when ${what} leaves no child running`, async () => {
    const log: string[] = [];
    const reports = await reports_of(async (stubborn) => {
      asyncio.get_running_loop().call_later(5, () => stubborn.set_result());
      await assertRejects(() =>
        asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
          make_tasks(group.create_task.bind(group), stubborn, log);
          await make(group);
          await asyncio.sleep(60);
        }), asyncio.ExceptionGroup);
      assertEquals(asyncio.get_running_loop().time(), 5);
    });
    assertEquals(log, ["cleaned up"]);
    assertMatch(
      `${reports}`,
      /^Exception in cancel\(\) of a task of <TaskGroup .*>: RangeError: cannot be cancelled$/,
    );
  });
}

Deno.test("gather: a cancel() that throws leaves nothing of the rest running", async () => {
  const log: string[] = [];
  await reports_of(async (stubborn) => {
    const [waits, cleans_up] = make_tasks(asyncio.create_task, stubborn, log);
    const gathered = asyncio.gather(waits, cleans_up);
    await asyncio.sleep(1);
    assertThrows(() => gathered.cancel(), RangeError);
    await asyncio.wait([cleans_up]);
    assert(cleans_up.cancelled());
    stubborn.set_result();
    await assertRejects(async () => await gathered, asyncio.CancelledError);
  });
  assertEquals(log, ["cleaned up"]);
});

Deno.test("Task.cancel: a cancel() that throws keeps the cancellation from no other branch", async () => {
  const log: string[] = [];
  await reports_of(async (stubborn) => {
    const task = asyncio.create_task(() =>
      Promise.allSettled([
        (async () => await stubborn)(),
        asyncio.sleep(60).then(null, () => log.push("branch")),
        (async () => {
          try {
            await asyncio.sleep(60);
          } finally {
            log.push("cancelled");
          }
        })(),
      ])
    );
    await asyncio.sleep(1);
    assertThrows(() => task.cancel(), RangeError);
    stubborn.set_result();
    await asyncio.wait([task]);
    assertEquals(asyncio.get_running_loop().time(), 1);
  });
  assertEquals(log, ["branch", "cancelled"]);
});
