/** The report of tasks that have been cancelled and do not end. */

import { assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { host_timers } from "../src/host/timers.ts";

/** As long as a period of the report. */
const PERIOD = 3000;

interface Outcome {
  reports: string[];
  timers_left: number;
}

/** Runs a program that itself says when a period is over; what it reported, and the timers that it left. */
async function reports_of(
  main: (end_period: () => void) => PromiseLike<unknown>,
): Promise<Outcome> {
  const { set, clear } = host_timers;
  const timers = new Set<() => void>();
  const reports: string[] = [];
  host_timers.set = (callback, milliseconds) => {
    if (milliseconds !== PERIOD) return set(callback, milliseconds);
    timers.add(callback);
    return callback;
  };
  host_timers.clear = (timer) => {
    if (!timers.delete(timer as () => void)) clear(timer);
  };
  const end_period = () => {
    for (const callback of [...timers]) {
      timers.delete(callback);
      callback();
    }
  };
  try {
    await asyncio.run(async () => {
      asyncio.get_running_loop().set_exception_handler((_, { message = "", task }) => {
        reports.push(message);
        assertEquals(task?.cancelling(), 1);
      });
      await main(end_period);
    });
  } finally {
    Object.assign(host_timers, { set, clear });
  }
  return { reports, timers_left: timers.size };
}

/** Work that waits for a native promise, and the function that settles it. */
function native_work(): [work: () => Promise<void>, settle: () => void] {
  const { promise, resolve } = Promise.withResolvers<void>();
  return [async function accept_loop() {
    await promise;
  }, resolve];
}

async function cancel(task: asyncio.Task<unknown>): Promise<void> {
  await asyncio.sleep(0.001);
  task.cancel();
}

const NATIVE = "Cannot cancel task 'acceptor' of accept_loop(): it waits for a native promise, " +
  "which a cancellation does not reach; write await from_promise(promise), or " +
  "from_promise((signal) => …) for work that can be stopped";

Deno.test("Task.cancel: a task that waits for a native promise is reported once after a while", async () => {
  const outcome = await reports_of(async (end_period) => {
    const [work, settle] = native_work();
    const task = asyncio.create_task(work, { name: "acceptor" });
    await cancel(task);
    for (let i = 0; i < 3; i++) end_period();
    task.uncancel();
    task.cancel();
    for (let i = 0; i < 3; i++) end_period();
    settle();
  });
  assertEquals(outcome, { reports: [NATIVE], timers_left: 0 });
});

Deno.test("timeout: a block that waits for a native promise is reported after a while", async () => {
  const [work, settle] = native_work();
  const outcome = await reports_of(async (end_period) => {
    const limited = asyncio.create_task(async function accept_loop() {
      await asyncio.async_with(asyncio.timeout(0), work).catch(() => {});
    }, { name: "acceptor" });
    await asyncio.sleep(0.001);
    end_period();
    settle();
    await limited;
  });
  assertEquals(outcome, { reports: [NATIVE], timers_left: 0 });
});

Deno.test("Task.cancel: one that is cancelled while a period lasts is reported at the end of the next", async () => {
  const seen: number[] = [];
  const { reports } = await reports_of(async (end_period) => {
    const [work, settle] = native_work();
    const tasks = ["a", "b"].map((name) => asyncio.create_task(work, { name }));
    let count = 0;
    asyncio.get_running_loop().set_exception_handler(() => count++);
    for (const task of tasks) await cancel(task);
    for (let i = 0; i < 3; i++) {
      end_period();
      seen.push(count);
    }
    settle();
  });
  assertEquals([seen, reports], [[1, 2, 2], []]);
});

Deno.test("Task.cancel: what ends in time is not reported", async () => {
  const outcome = await reports_of(async (end_period) => {
    const [work, settle] = native_work();
    const task = asyncio.create_task(work);
    const not_started = asyncio.create_task(() => asyncio.sleep(60));
    not_started.cancel();
    await cancel(task);
    settle();
    await asyncio.wait([task]);
    end_period();
  });
  assertEquals(outcome, { reports: [], timers_left: 0 });
});

Deno.test("Task.cancel: a task that goes on after the cancellation is reported once after a while", async () => {
  const [work, settle] = native_work();
  const outcome = await reports_of(async (end_period) => {
    const event = new asyncio.Event();
    const at_event = asyncio.create_task(async function clean_up() {
      await asyncio.sleep(60).catch(() => {});
      await event.wait();
    }, { name: "at event" });
    const at_native = asyncio.create_task(async function clean_up() {
      await asyncio.sleep(60).catch(() => {});
      await work();
    }, { name: "at native" });
    await cancel(at_event);
    end_period();
    await cancel(at_native);
    for (let i = 0; i < 3; i++) {
      await asyncio.sleep(0.001);
      end_period();
    }
    event.set();
    settle();
    await asyncio.wait([at_event, at_native]);
  });
  const text =
    "of clean_up() was cancelled and has not ended: its code continued after the CancelledError, and " +
    "waits on";
  assertEquals(outcome, {
    reports: [`task 'at event' ${text} Event.wait()`, `task 'at native' ${text} a native promise`],
    timers_left: 0,
  });
});

Deno.test("Task.cancel: of tasks that wait for each other the one that goes on is reported", async () => {
  const outcome = await reports_of(async (end_period) => {
    const event = new asyncio.Event();
    const inner = asyncio.create_task(async function clean_up() {
      await asyncio.sleep(60).catch(() => {});
      await event.wait();
    }, { name: "inner" });
    const outer = asyncio.create_task(async () => {
      await asyncio.gather(inner, asyncio.sleep(60));
    });
    await cancel(outer);
    await asyncio.sleep(0.001);
    for (let i = 0; i < 3; i++) end_period();
    event.set();
    await asyncio.wait([outer]);
  });
  assertEquals(outcome, {
    reports: [
      "task 'inner' of clean_up() was cancelled and has not ended: its code continued after the CancelledError, and " +
      "waits on Event.wait()",
    ],
    timers_left: 0,
  });
});

Deno.test("Task.uncancel: a task that has taken its cancellation back is not reported", async () => {
  const outcome = await reports_of(async (end_period) => {
    const event = new asyncio.Event();
    const task = asyncio.create_task(async () => {
      await asyncio.sleep(60).catch(() => task.uncancel());
      await event.wait();
    });
    await cancel(task);
    await asyncio.sleep(0.001);
    for (let i = 0; i < 3; i++) end_period();
    event.set();
    await task;
  });
  assertEquals(outcome, { reports: [], timers_left: 0 });
});

Deno.test("from_promise: work that does not stop when its signal is aborted is reported after a while", async () => {
  const [work, settle] = native_work();
  const outcome = await reports_of(async (end_period) => {
    const task = asyncio.create_task(async function accept_loop() {
      await asyncio.from_promise(work);
    }, { name: "acceptor" });
    const abandoned = asyncio.create_task(async () => {
      await asyncio.from_promise(work, { abandon_on_cancel: true });
    });
    await asyncio.sleep(0.001);
    abandoned.cancel();
    await cancel(task);
    for (let i = 0; i < 3; i++) end_period();
    settle();
    await asyncio.wait([task]);
  });
  assertEquals(outcome, {
    reports: [
      "Cannot cancel task 'acceptor' of accept_loop(): the work of its from_promise() has not stopped " +
      "since its signal was aborted; with { abandon_on_cancel: true } it is not waited for",
    ],
    timers_left: 0,
  });
});

Deno.test("run: a task that holds its end up is reported, and its timers go with the run", async () => {
  const [work, settle] = native_work();
  const reported = Promise.withResolvers<void>();
  const outcome = await reports_of(async (end_period) => {
    asyncio.create_task(work, { name: "acceptor" });
    await asyncio.sleep(0.001);
    // Main ends now, and the run waits for the task.
    setTimeout(() => {
      end_period();
      reported.resolve();
    }, 5);
    reported.promise.then(settle);
  });
  assertEquals(outcome, { reports: [NATIVE], timers_left: 0 });
});

Deno.test("Task.cancel: outside of a run nothing is watched", async () => {
  const { set } = host_timers;
  let periods = 0;
  host_timers.set = (callback, milliseconds) => {
    if (milliseconds === PERIOD) periods++;
    return set(callback, milliseconds);
  };
  try {
    const [work, settle] = native_work();
    const task = asyncio.create_task(work);
    await cancel(task);
    settle();
    await asyncio.wait([task]);
  } finally {
    host_timers.set = set;
  }
  assertEquals(periods, 0);
});
