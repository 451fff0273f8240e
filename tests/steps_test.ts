/**
 * The step protocol: each row of the table at the top of `core/steps.ts`, seen in a program.
 */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { FOREIGN, NOT_STARTED, OPEN, Steps, SUSPENDED } from "../src/core/steps.ts";
import type { TaskCore } from "../src/core/contracts.ts";
import { create_macrotasks } from "../src/host/macrotask.ts";

const NAMES = new Map([
  [NOT_STARTED, "not started"],
  [SUSPENDED, "suspended"],
  [OPEN, "open"],
  [FOREIGN, "foreign"],
]);

/** The state of a task: that of its step, or that it is done. */
function state_of(task: asyncio.Task<unknown>): string {
  return task.done() ? "done" : NAMES.get(task["_step"]) ?? String(task["_step"]);
}

/** Settles when the host has run the microtask queue dry twice: the loop has seen it by then. */
async function dry(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => create_macrotasks(resolve).request());
  }
}

/** Begins an await as `await` does: with both functions. */
function begin_await<T>(awaitable: PromiseLike<T>, resumed = () => {}): PromiseLike<unknown> {
  return awaitable.then(resumed, resumed);
}

const tested: string[] = [];

/** Notes the state of a task, by default of main. */
type Note = (task?: asyncio.Task<unknown>) => void;

/** Runs a program that notes states; they must be the ones given, in this order. */
function test(
  row: string,
  main: (note: Note) => PromiseLike<unknown>,
  ...states: string[]
): void {
  tested.push(row);
  Deno.test(`step: ${row}`, async () => {
    const noted: string[] = [];
    await asyncio.run(() => {
      const itself = asyncio.current_task()!;
      return main((task = itself) => noted.push(state_of(task)));
    });
    assertEquals(noted, states);
  });
}

test(
  "not started, the loop runs the task's first step: suspended",
  async (note) => {
    const task: asyncio.Task<unknown> = asyncio.create_task(function* () {
      note(task);
      yield* asyncio.sleep(0);
    });
    note(task);
    await task;
  },
  "not started",
  "suspended",
);

test(
  "suspended, a call of native code returned a pending promise: open",
  async (note) => {
    const task: asyncio.Task<unknown> = asyncio.create_task(async () => {
      note(task); // its call has not returned
      await null;
      note(task);
    });
    await task;
  },
  "suspended",
  "open",
);

test(
  "suspended, the loop resumed an await: open",
  async (note) => {
    const asleep = asyncio.sleep(0);
    const resumed = asleep.then(() => note(), null);
    note();
    await resumed;
  },
  "suspended",
  "open",
);

test(
  "open, an await of the library began: suspended",
  async (note) => {
    await null;
    note();
    const resumed = begin_await(asyncio.sleep(0));
    note();
    await resumed;
  },
  "open",
  "suspended",
);

test(
  "foreign, an await of the library began: suspended",
  async (note) => {
    await dry();
    note();
    const resumed = begin_await(asyncio.sleep(0));
    note();
    await resumed;
  },
  "foreign",
  "suspended",
);

test(
  "open, the microtask queue ran dry, an await of the library is live: suspended",
  async (note) => {
    const loser = asyncio.get_running_loop().create_future<null>();
    const older = begin_await(loser, () => note());
    await asyncio.sleep(0);
    const live = asyncio.get_running_loop().create_future<null>();
    const waiting = begin_await(live);
    note();
    loser.set_result(null);
    await older; // no await of the library begins after it
    await dry();
    note();
    live.set_result(null);
    await waiting;
  },
  "suspended",
  "open",
  "suspended",
);

test(
  "open, the microtask queue ran dry, none is live: foreign",
  async (note) => {
    await null;
    note();
    await dry();
    note();
  },
  "open",
  "foreign",
);

test(
  "foreign, an await of the library that need not wait settled: foreign",
  async (note) => {
    await dry();
    note();
    await new asyncio.Lock().acquire();
    note();
  },
  "foreign",
  "foreign",
);

test(
  "open, the promise of the call settled: done",
  async (note) => {
    const task: asyncio.Task<unknown> = asyncio.create_task(async () => {
      await null;
      note(task);
    });
    await task;
    note(task);
  },
  "open",
  "done",
);

test(
  "foreign, the promise of the call settled: done",
  async (note) => {
    const task: asyncio.Task<unknown> = asyncio.create_task(async () => {
      await dry();
      note(task);
    });
    await task;
    note(task);
  },
  "foreign",
  "done",
);

Deno.test("step: every row of the table has a test", async () => {
  const text = await Deno.readTextFile(new URL("../src/core/steps.ts", import.meta.url));
  const [, , ...rows] = text.matchAll(/^ \* \|(.+)\|(.+)\|(.+)\|$/gm);
  const expected = rows.flatMap(([, event = "", from = "", to = ""]) =>
    from.split(",").map((each) => `${each.trim()}, ${event.trim()}: ${to.trim()}`)
  );
  assertEquals(tested.toSorted(), expected.toSorted());
});

/** The milliseconds that 30,000 waits of a task for the host take beside some that stay open. */
function time_beside(waits: number): number {
  const steps = new Steps();
  for (let i = 0; i < waits; i++) steps.add_foreign({});
  const task: TaskCore = Object.create({ _begun: 0, _resumed: 0, _newest: null });
  Object.assign(task, { _owner: task });
  const start = performance.now();
  for (let i = 0; i < 30_000; i++) {
    steps.begin(task);
    steps.run_dry();
  }
  return performance.now() - start;
}

Deno.test("Steps: a wait of a task for the host costs the same however many others are open", () => {
  const ratio = () => time_beside(40_000) / time_beside(0);
  assert(Math.min(ratio(), ratio(), ratio()) < 10);
});
