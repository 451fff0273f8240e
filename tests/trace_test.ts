/** The recorder of what tasks do: every kind of event, who caused it, and when. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { set_default_trace, type TraceEvent, TraceRecorder } from "../trace.ts";

/** Runs a program on the virtual clock; gives what its tasks did, without those of the cleaning up. */
async function record(main: asyncio.CoroutineLike<unknown>): Promise<TraceEvent[]> {
  const trace = new TraceRecorder();
  const loop_factory = () => new VirtualClockEventLoop({ trace });
  await asyncio.run(main, { loop_factory });
  return without_cleanup(trace.events);
}

function without_cleanup(events: readonly TraceEvent[]): TraceEvent[] {
  const cleanup = new Set(
    events.filter((event) => event.kind === "created" && event.coroutine.startsWith("shutdown_"))
      .map(({ task }) => task),
  );
  return events.filter(({ task }) => !cleanup.has(task));
}

/** An event in a few words: `0.5 task 1 resumed`. */
function line(event: TraceEvent): string {
  const { time, task, kind } = event;
  const rest = kind === "created"
    ? ` by ${event.parent}`
    : kind === "waits"
    ? ` on ${event.on}`
    : kind === "woken" || kind === "cancel requested"
    ? ` by ${event.by}`
    : kind === "renamed"
    ? ` ${event.name}`
    : kind === "ended"
    ? ` ${event.outcome} ${event.value}`.trimEnd()
    : "";
  return `${Number(time.toFixed(9))} task ${task} ${kind}${rest}`;
}

/** What one task did, without its number. */
function lines_of(task: number, events: readonly TraceEvent[]): string[] {
  return events.filter((event) => event.task === task)
    .map((event) => line(event).replace(` task ${task}`, ""));
}

/** On what a task waited, in order. */
function waits_of(task: number, events: readonly TraceEvent[]): string[] {
  return events.flatMap((event) => event.task === task && event.kind === "waits" ? [event.on] : []);
}

/** A timer of the host, of which the loop knows nothing. */
const host_timer = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** A promise that the loop does not know but settles: not before it has noticed who waits for it. */
const foreign_promise = (delay: number) =>
  new Promise<void>((resolve) => asyncio.get_running_loop().call_later(delay, resolve));

const async_function = (delay: number) => async () => {
  await asyncio.sleep(delay);
};
const generator = (delay: number) =>
  asyncio.coroutine(function* () {
    yield* asyncio.sleep(delay);
  });

for (const [form, nap] of Object.entries({ async_function, generator })) {
  Deno.test(`a task of a ${form} is made, starts, waits, goes on and ends`, async () => {
    const events = await record(async () => {
      await asyncio.create_task(nap(0.5), { name: "nap" });
    });
    assertEquals(events.map(line), [
      "0 task 1 created by null",
      "0 task 1 started",
      "0 task 2 created by 1",
      "0 task 1 waits on task nap",
      "0 task 2 started",
      "0 task 2 waits on sleep 0.5",
      "0.5 task 2 woken by null",
      "0.5 task 2 resumed",
      "0.5 task 2 ended result null",
      "0.5 task 1 woken by 2",
      "0.5 task 1 resumed",
      "0.5 task 1 ended result null",
    ]);
  });
}

Deno.test("a created task is told with its name, coroutine, parent and loop", async () => {
  const events = await record(async () => {
    await asyncio.create_task(async function fetcher() {}, { name: "f" });
  });
  assertEquals(events.find((event) => event.kind === "created" && event.task === 2), {
    kind: "created",
    time: 0,
    task: 2,
    name: "f",
    coroutine: "fetcher",
    parent: 1,
    loop: 1,
    loop_class: "VirtualClockEventLoop",
  });
});

Deno.test("a name that is given later is told", async () => {
  const events = await record(async () => {
    const task = asyncio.create_task(asyncio.sleep(1));
    task.set_name("sleeper");
    await task;
  });
  assertEquals(lines_of(2, events).slice(0, 3), [
    "0 created by 1",
    "0 started",
    "0 renamed sleeper",
  ]);
});

Deno.test("everything that can be waited on has a name", async () => {
  const events = await record(async () => {
    const loop = asyncio.get_running_loop();
    const soon = (call: () => unknown) => {
      loop.call_later(1, call);
    };
    const lock = new asyncio.Lock();
    await lock.acquire();
    soon(() => lock.release());
    await lock.acquire();

    const event = new asyncio.Event();
    soon(() => event.set());
    await event.wait();

    const queue = new asyncio.Queue<number>(1);
    soon(() => queue.put_nowait(1));
    await queue.get();

    const future = loop.create_future<void>();
    soon(() => future.set_result());
    await future;

    await asyncio.sleep(0);
    await asyncio.gather(asyncio.sleep(0.25));
    await asyncio.wait([asyncio.create_task(asyncio.sleep(1))]);
    await asyncio.wait_for(asyncio.sleep(0.75), 5);
    await asyncio.ensure_future(host_timer());
    await foreign_promise(1);
  });
  assertEquals(waits_of(1, events), [
    "Lock.acquire",
    "Event.wait",
    "Queue.get",
    "a future",
    "its turn",
    "gather",
    "wait",
    "sleep 0.75",
    "a foreign promise",
    "a foreign promise",
  ]);
});

Deno.test("every wait is over once, in the step that follows it", async () => {
  const events = await record(async () => {
    const queue = new asyncio.Queue<number>(1);
    await asyncio.gather(
      async () => {
        for (let n = 0; n < 10; n++) await queue.put(n);
      },
      async () => {
        for (let n = 0; n < 10; n++) await queue.get();
      },
      host_timer,
    );
    await Promise.all([asyncio.sleep(1), asyncio.sleep(2)]);
  });
  const open = new Set<number>();
  for (const event of events) {
    if (event.kind === "waits") open.add(event.wait);
    else if (event.kind === "woken") assert(open.has(event.wait));
    else if (event.kind === "resumed") assert(open.delete(event.wait));
  }
  assertEquals(open.size, 0);
});

Deno.test("who wakes a task is known through callbacks, too", async () => {
  const events = await record(async () => {
    const loop = asyncio.get_running_loop();
    const future = loop.create_future<void>();
    const gathered = asyncio.create_task(async () => {
      await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2));
    });
    asyncio.create_task(async () => {
      await future;
    });
    await asyncio.sleep(3);
    loop.call_soon(() => loop.call_soon(() => future.set_result()));
    await asyncio.sleep(1);
    await gathered;
  });
  assertEquals(lines_of(2, events).filter((line) => line.includes("woken")), ["2 woken by 5"]);
  assertEquals(lines_of(3, events).filter((line) => line.includes("woken")), ["3 woken by 1"]);
});

Deno.test("nobody of the loop wakes a task that the host wakes", async () => {
  const events = await record(async () => {
    let settle = () => {};
    const outside = asyncio.ensure_future(new Promise<void>((resolve) => settle = resolve));
    await asyncio.gather(
      async () => {
        await outside;
      },
      async () => {
        setTimeout(settle, 0); // when both wait
        await outside;
      },
    );
  });
  const woken = events.filter((event) => event.kind === "woken" && event.task > 1);
  assertEquals(woken.map(line), ["0 task 2 woken by null", "0 task 3 woken by null"]);
});

Deno.test("a cancellation is requested by somebody, and delivered in the next step", async () => {
  const events = await record(async () => {
    const task = asyncio.create_task(async () => {
      try {
        await asyncio.sleep(10);
      } finally {
        await asyncio.sleep(1);
      }
    });
    await asyncio.sleep(2);
    task.cancel();
    await asyncio.wait([task]);
  });
  assertEquals(lines_of(2, events).slice(3), [
    "2 cancel requested by 1",
    "2 woken by 1",
    "2 resumed",
    "2 cancel delivered",
    "2 waits on sleep 1",
    "3 woken by null",
    "3 resumed",
    "3 ended cancelled",
  ]);
});

Deno.test("a cancellation before the start, one by a timeout, and one of oneself", async () => {
  const events = await record(async () => {
    asyncio.create_task(asyncio.sleep(1)).cancel();
    await asyncio.wait_for(asyncio.sleep(10), 0.5).catch(() => {});
    const task = asyncio.create_task(async () => {
      asyncio.current_task()?.cancel();
      await asyncio.sleep(1);
    });
    await asyncio.wait([task]);
  });
  const cancels = events.filter(({ kind }) => kind.startsWith("cancel"));
  assertEquals(cancels.map(line), [
    "0 task 2 cancel requested by 1",
    "0 task 2 cancel delivered",
    "0.5 task 1 cancel requested by null",
    "0.5 task 1 cancel delivered",
    "0.5 task 3 cancel requested by 3",
    "0.5 task 3 cancel delivered",
  ]);
});

Deno.test("a request that comes to nothing is not delivered", async () => {
  const events = await record(async () => {
    const stubborn = asyncio.create_task(() => asyncio.sleep(1).catch(() => "stayed"));
    const waiting = asyncio.create_task(async () => await stubborn);
    await asyncio.sleep(0.5);
    waiting.cancel();
    assertEquals(await waiting, "stayed");
  });
  assertEquals(lines_of(3, events).slice(3), [
    "0.5 cancel requested by 1",
    "0.5 woken by 2",
    "0.5 resumed",
    "0.5 ended result 'stayed'",
  ]);
});

Deno.test("TraceRecorder: a cancellation that comes during a native wait is delivered at the next await", async () => {
  const events = await record(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const task = asyncio.create_task(async () => {
      await promise;
      await asyncio.sleep(1);
    });
    await asyncio.sleep(1);
    task.cancel();
    resolve();
    await asyncio.wait([task]);
  });
  assertEquals(lines_of(2, events).slice(2), [
    "0 waits on a foreign promise",
    "1 cancel requested by 1",
    "1 resumed",
    "1 cancel delivered",
    "1 ended cancelled",
  ]);
});

Deno.test("results and errors are shown, long ones shortened", async () => {
  const events = await record(async () => {
    await asyncio.gather(
      () => Promise.resolve("x".repeat(1000)),
      () => Promise.reject(new RangeError("too far")),
      { return_exceptions: true },
    );
  });
  assertEquals(lines_of(2, events).at(-1), "0 ended result 'xxxxxxxxxxxx...xxxxxxxxxxxxx'");
  assertEquals(lines_of(3, events).at(-1), "0 ended error RangeError('too far')");
});

Deno.test("an eager task starts in the step of who makes it", async () => {
  const events = await record(async () => {
    const options = { eager_start: true };
    asyncio.create_task(function* () {}, options);
    await asyncio.create_task(function* () {
      asyncio.create_task(asyncio.sleep(0));
      yield* asyncio.sleep(1);
    }, options);
  });
  assertEquals(events.slice(2, 9).map(line), [
    "0 task 2 created by 1",
    "0 task 2 started",
    "0 task 2 ended result null",
    "0 task 3 created by 1",
    "0 task 3 started",
    "0 task 4 created by 3",
    "0 task 3 waits on sleep 1",
  ]);
});

Deno.test("on the real clock times do not go back, and sleeps are named by what was asked for", async () => {
  const trace = new TraceRecorder();
  await asyncio.run(async () => {
    await asyncio.sleep(0.1);
    await foreign_promise(0.001);
    await asyncio.gather(asyncio.sleep(0.001), asyncio.sleep(0.002));
  }, { loop_factory: () => new asyncio.EventLoop({ trace }) });
  const times = trace.events.map(({ time }) => time);
  assertEquals(times, times.toSorted((a, b) => a - b));
  assertEquals(waits_of(1, trace.events), ["sleep 0.1", "a foreign promise", "gather"]);
});

Deno.test("all loops that are made take the default recorder, unless they are told otherwise", async () => {
  const trace = new TraceRecorder();
  set_default_trace(trace);
  try {
    await asyncio.run(asyncio.sleep(0));
    await asyncio.run(asyncio.sleep(0), {
      loop_factory: () => new VirtualClockEventLoop(),
    });
    const loop_factory = () => new asyncio.EventLoop({ trace: null });
    await asyncio.run(asyncio.sleep(0), { loop_factory });
  } finally {
    set_default_trace(null);
  }
  await asyncio.run(asyncio.sleep(0));
  const loops = trace.events.flatMap((event) =>
    event.kind === "created" && event.coroutine === "sleep" ? [[event.loop, event.loop_class]] : []
  );
  assertEquals(loops, [[1, "EventLoop"], [2, "VirtualClockEventLoop"]]);
});

Deno.test("set_default_trace: what is no recorder is refused, and changes nothing", () => {
  for (const wrong of [{}, "trace", 1]) {
    assertThrows(() => set_default_trace(wrong as never), TypeError, "must be a TraceRecorder");
  }
  new asyncio.EventLoop().close();
});

Deno.test("a recorder that is cleared goes on", async () => {
  const trace = new TraceRecorder();
  await asyncio.run(async () => {
    trace.clear();
    assertEquals(trace.events, []);
    await asyncio.sleep(1);
  }, { loop_factory: () => new VirtualClockEventLoop({ trace }) });
  assertEquals(lines_of(1, trace.events), [
    "0 waits on sleep 1",
    "1 woken by null",
    "1 resumed",
    "1 ended result null",
  ]);
});

Deno.test("a program does the same with and without a recorder", async () => {
  const program = (log: string[]) => async () => {
    const lock = new asyncio.Lock();
    const work = (name: string) => async () => {
      for (let round = 0; round < 3; round++) {
        await asyncio.async_with(lock, () => asyncio.sleep(0));
        log.push(`${name} ${round} ${asyncio.get_running_loop().time()}`);
        await asyncio.sleep(0.1 * round);
      }
    };
    await asyncio.gather(work("a"), work("b"), work("c"));
  };
  const run = async (trace: TraceRecorder | null) => {
    const log: string[] = [];
    const loop_factory = () => new VirtualClockEventLoop({ trace });
    await asyncio.run(program(log), { loop_factory });
    return log;
  };
  assertEquals(await run(new TraceRecorder()), await run(null));
});

Deno.test("an unknown option of a loop is an error that names it", () => {
  assertThrows(
    () => new asyncio.EventLoop({ tracer: null } as asyncio.EventLoopOptions),
    TypeError,
    "EventLoop() got an unexpected option 'tracer'",
  );
});
