/**
 * The types that programs get. The compiler checks them, here and with the declarations of the npm package;
 * the tests run what they say.
 */

import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";

/** True if two types are the same; `any` is the same as nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Returns its second argument, and does not compile unless it has just the type that comes first. */
function typed<Expected>() {
  return <Actual>(
    value: Actual,
    ..._is: Same<Actual, Expected> extends true ? [] : [expected: Expected]
  ): Actual => value;
}

function equal(actual: unknown, expected: unknown): void {
  const [text, expected_text] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (text !== expected_text) throw new Error(`${text} is not ${expected_text}`);
}

const loop_factory = () => new VirtualClockEventLoop();

/** A test on the virtual clock. */
function test(name: string, main: () => Promise<void>): void {
  Deno.test(`types: ${name}`, () => asyncio.run(main, { loop_factory }));
}

const one = () => asyncio.sleep(0, 1);
const two = async () => await asyncio.sleep(0, "two");

test("gather gives a tuple of its arguments' results", async () => {
  const tuple = await asyncio.gather(one(), two, asyncio.create_task(two));
  typed<[number, string, string]>()(tuple);
  const listed = await asyncio.gather([one(), two]);
  typed<[number, string]>()(listed);
  const array = await asyncio.gather([1, 2].map((n) => asyncio.sleep(0, n)));
  typed<number[]>()(array);
  equal([tuple, listed, array], [[1, "two", "two"], [1, "two"], [1, 2]]);
});

test("gather with return_exceptions gives results or errors", async () => {
  const failing = asyncio.coroutine(async (): Promise<Date> => {
    throw await asyncio.sleep(0, new RangeError("late"));
  });
  const results = await asyncio.gather(one(), failing, { return_exceptions: true });
  typed<[number | Error, Date | Error]>()(results);
  const listed = await asyncio.gather(new Set([failing()]), { return_exceptions: true });
  typed<(Date | Error)[]>()(listed);
  const none = await asyncio.gather(one(), two, { return_exceptions: false });
  typed<[number, string]>()(none);
  equal([String(results), String(listed)], ["1,RangeError: late", "RangeError: late"]);
});

test("wait gives sets of tasks", async () => {
  const tasks = [asyncio.create_task(one()), asyncio.create_task(one())];
  const [done, pending] = await asyncio.wait(tasks);
  typed<Set<asyncio.Task<number>>>()(done);
  typed<Set<asyncio.Task<number>>>()(pending);
  equal([done.size, pending.size], [2, 0]);
});

test("yield* gives what is waited for in a generator coroutine", async () => {
  const add = asyncio.coroutine(function* (n: number) {
    const slept = yield* asyncio.sleep(0, n);
    const text = yield* asyncio.create_task(two);
    typed<number>()(slept);
    typed<string>()(text);
    return `${slept} ${text}`;
  });
  typed<asyncio.Coroutine<string>>()(add(1));
  equal(await add(1), "1 two");
});

test("coroutine keeps the parameters and the result", async () => {
  const greet = asyncio.coroutine(async (name: string, times: number) => {
    await asyncio.sleep(0);
    return Array.from({ length: times }, () => name);
  });
  typed<[name: string, times: number]>()(["ada", 2] as Parameters<typeof greet>);
  const names = await greet("ada", 2);
  typed<string[]>()(names);
  equal(names, ["ada", "ada"]);
});

test("async_with gives the body what the manager gives, and the result of the body", async () => {
  const sum = await asyncio.async_with(new asyncio.TaskGroup(), (group) => {
    typed<asyncio.TaskGroup>()(group);
    const task = group.create_task(one);
    typed<asyncio.Task<number>>()(task);
    return task;
  });
  typed<number>()(sum);
  const place = await asyncio.async_with(new asyncio.Barrier(1), async (index) => await index);
  typed<number>()(place);
  equal([sum, place], [1, 0]);
});

test("as_completed gives coroutines, and its asynchronous iterator tasks", async () => {
  for (const next of asyncio.as_completed([one(), one()])) {
    typed<asyncio.Coroutine<number>>()(next);
    equal(await next, 1);
  }
  const iterator = asyncio.as_completed([asyncio.create_task(one)])[Symbol.asyncIterator]();
  const result = await iterator.next();
  typed<IteratorResult<asyncio.Task<number>, undefined>>()(result);
  const { value } = result;
  equal([value instanceof asyncio.Task, await value], [true, 1]);
});

test("a queue gives what it takes", async () => {
  const queue = new asyncio.Queue<Date>();
  queue.put_nowait(new Date(0));
  const date = await queue.get();
  typed<Date>()(date);
  // @ts-expect-error: it takes dates alone.
  queue.put_nowait("today");
  queue.shutdown();
  for await (const item of queue) equal(item, "today");
  equal(date.getTime(), 0);
});

test("what passes a result on keeps its type", async () => {
  const shielded = await asyncio.shield(one());
  const in_time = await asyncio.wait_for(two, 1);
  const called = await asyncio.to_thread((n: number) => [n], 1);
  const ensured = await asyncio.ensure_future(one());
  typed<number>()(shielded);
  typed<string>()(in_time);
  typed<number[]>()(called);
  typed<number>()(ensured);
  equal([shielded, in_time, called, ensured], [1, "two", [1], 1]);
});

Deno.test("types: run gives what main returns", async () => {
  const result = asyncio.run(two);
  typed<Promise<string>>()(result);
  equal(await result, "two");
});

Deno.test("types: a promise is no coroutine, and is refused at both times", async () => {
  let refused = "";
  try {
    // @ts-expect-error: its work has started.
    asyncio.create_task(Promise.resolve(1));
  } catch (error) {
    refused = String(error);
  }
  equal(refused.startsWith("TypeError"), true);
  await null;
});

test("async_with passes what a manager gives, and a disposable object itself", async () => {
  const disposable = { [Symbol.dispose]() {}, size: 1 };
  typed<number>()(await asyncio.async_with(disposable, ({ size }) => asyncio.sleep(0, size)));
  const pages = asyncio.asynccontextmanager(async function* (name: string) {
    yield [name];
  });
  typed<(name: string) => asyncio.AsyncContextManager<string[]>>()(pages);
  await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
    typed<asyncio.AsyncExitStack>()(stack);
    typed<string[]>()(await stack.enter_async_context(pages("a")));
    typed<null>()(await stack.enter_async_context(new asyncio.Lock()));
    typed<typeof disposable>()(await stack.enter_async_context(disposable));
  });
  typed<number>()(
    await asyncio.async_with(asyncio.nullcontext(1), (value) => asyncio.sleep(0, value)),
  );
});

test("await using does not compile for what must know of its block's error", async () => {
  // deno-lint-ignore no-unused-vars -- it is not called
  const never = async () => {
    // @ts-expect-error a TaskGroup cannot see the error
    await using _group = new asyncio.TaskGroup();
    // @ts-expect-error nor can a timeout
    await using _limit = asyncio.timeout(1);
  };
  await Promise.resolve();
});

test("coroutine takes the types of parameters from their defaults", async () => {
  const double = asyncio.coroutine(async (amount = 1) => await asyncio.sleep(0, amount * 2));
  typed<asyncio.CoroutineFactory<[amount?: number], number>>()(double);
  equal([await double(), await double(3)], [2, 6]);
  const label = asyncio.coroutine(function* (name = "x", sizes: number[] = []) {
    return (yield* asyncio.sleep(0, name)) + sizes.length;
  });
  typed<string>()(await label("y", [1]));
  // @ts-expect-error the default is a string
  equal(await label(1), 1);
  const generic = asyncio.coroutine(async <T>(value: T) => [await asyncio.sleep(0, value)]);
  typed<string[]>()(await generic("a"));
});

test("catch and then take functions of an Error, as those of a promise do", async () => {
  const failing = () => asyncio.sleep(0).then(() => Promise.reject(new TypeError("no")));
  const text = (error: Error) => error.message;
  const fails = asyncio.coroutine(async (): Promise<number> => await failing());
  typed<string | number>()(await fails().catch(text));
  typed<string | number>()(await fails().then(null, text));
  typed<string | number>()(
    await asyncio.create_task(fails).catch((error: TypeError) => text(error)),
  );
  typed<unknown>()(await asyncio.create_task(fails).catch((error) => typed<unknown>()(error)));
  equal(await asyncio.gather(fails()).catch(text), "no");
});

test("coroutine decorates methods, which a subclass overrides", async () => {
  const log: string[] = [];
  class Base {
    readonly unit: string = "s";
    @asyncio.coroutine
    async work(amount: number): Promise<string> {
      log.push("Base");
      return await asyncio.sleep(0, amount + this.unit);
    }
  }
  class Derived extends Base {
    override readonly unit = "min";
    @asyncio.coroutine
    override async work(amount: number): Promise<string> {
      return `about ${await super.work(amount + 1)}`;
    }
  }
  const call = new Derived().work(1);
  await asyncio.sleep(1);
  equal([log.length, asyncio.iscoroutine(call), new Derived().work.name], [0, true, "work"]);
  equal([await call, await asyncio.create_task(() => new Base().work(2))], ["about 2min", "2s"]);
});

test("a subclass of Timeout may make expired a property", async () => {
  type WithoutExpired = new (when: number | null) => Omit<asyncio.Timeout, "expired">;
  class Limit extends (asyncio.Timeout as WithoutExpired) {
    get expired(): boolean {
      return asyncio.Timeout.prototype.expired.call(this as never);
    }
  }
  const limit = new Limit(asyncio.get_running_loop().time() + 1);
  const outcome = await asyncio.async_with(limit, async () => await asyncio.sleep(60))
    .then(() => "in time", (error: Error) => error.name);
  equal([outcome, typed<boolean>()(limit.expired)], ["TimeoutError", true]);
});

test("internals of the library are not visible", async () => {
  const task = asyncio.create_task(() => asyncio.sleep(0));
  const loop = asyncio.get_running_loop();
  // @ts-expect-error -- an internal
  equal(typeof task._state, "number");
  // @ts-expect-error -- an internal
  equal(typeof loop._schedule, "function");
  await task;
});

// Not called: the compiler alone looks at them.
type Never = () => unknown;

const wrong_starts: Never = () => {
  const started = two();
  return [
    // @ts-expect-error: the call has started, outside of the loop
    asyncio.run(started),
    // @ts-expect-error: the same
    new asyncio.Runner().run(started),
    // @ts-expect-error: the same
    new asyncio.Task(started),
    // @ts-expect-error: the same
    asyncio.get_running_loop().create_task(started),
    // @ts-expect-error: the same
    new asyncio.TaskGroup().create_task(started),
    // @ts-expect-error: functions and coroutines are no tasks
    asyncio.wait([two]),
    // @ts-expect-error: the same
    asyncio.wait([one()]),
    // @ts-expect-error: a promise is none either
    asyncio.wait([started]),
    // @ts-expect-error: a call in the place of the function
    asyncio.to_thread(two()),
    // @ts-expect-error: the same
    asyncio.detached(two()),
  ];
};

const right_starts: Never = () => [
  asyncio.run(two),
  asyncio.run(one()),
  asyncio.run(() => two()),
  asyncio.create_task(asyncio.coroutine(two)()),
  asyncio.create_task(function* () {
    return yield* one();
  }),
  new asyncio.TaskGroup().create_task(() => two(), { name: "two" }),
  asyncio.gather(two(), one(), two),
  asyncio.wait_for(two(), 1),
  asyncio.shield(two()),
  asyncio.wait(new Set([asyncio.create_task(two), new asyncio.Future<string>()])),
  asyncio.as_completed([two(), two()]),
  asyncio.get_event_loop().run_until_complete(two()),
  Promise.all([one(), asyncio.create_task(two)]),
];

const wrong_callbacks: Never = () => {
  const loop = asyncio.get_running_loop();
  const future = loop.create_future<number>();
  const task = asyncio.create_task(one);
  const event = new asyncio.Event();
  const queue = new asyncio.Queue<number>();
  return [
    // @ts-expect-error: the method loses its object
    loop.call_later(1, future.set_result, 1),
    // @ts-expect-error: the same
    loop.call_at(1, future.set_exception, new Error()),
    // @ts-expect-error: the same
    loop.call_soon(future.cancel),
    // @ts-expect-error: the same
    loop.call_soon(task.cancel),
    // @ts-expect-error: the same
    loop.call_soon_threadsafe(event.set),
    // @ts-expect-error: the same
    loop.call_soon(event.clear, { context: asyncio.copy_context() }),
    // @ts-expect-error: the same
    loop.call_soon(queue.put_nowait, 1),
    // @ts-expect-error: the same
    loop.call_soon(queue.shutdown),
    // @ts-expect-error: the same
    loop.call_soon(new asyncio.Lock().release),
    // @ts-expect-error: the same
    loop.call_soon(new asyncio.BoundedSemaphore(1).release),
    // @ts-expect-error: the same
    loop.call_soon(new asyncio.Condition().notify_all),
    // @ts-expect-error: the same
    loop.call_soon(loop.stop),
    // @ts-expect-error: the same
    loop.call_soon(loop.call_soon(() => {}).cancel),
    // @ts-expect-error: the same
    loop.add_signal_handler("SIGTERM", task.cancel),
    // @ts-expect-error: the same
    loop.add_signal_handler("SIGTERM", loop.stop),
    // @ts-expect-error: the same
    task.add_done_callback(event.set),
  ];
};

const right_callbacks: Never = () => {
  const loop = asyncio.get_running_loop();
  const future = loop.create_future<number>();
  const task = asyncio.create_task(one);
  const event = new asyncio.Event();
  class Own {
    readonly bound = () => {};
    static shared(_n: number) {}
  }
  return [
    loop.call_later(1, (n: number) => future.set_result(n), 1),
    loop.call_soon(future.set_result.bind(future), 1),
    loop.call_soon(event.set.bind(event)),
    loop.call_soon(console.log, "a", 1),
    loop.call_soon(new Own().bound),
    loop.call_soon(Own.shared, 1),
    loop.call_soon(
      function (n: number) {
        return n;
      },
      1,
      { context: asyncio.copy_context() },
    ),
    loop.call_soon(asyncio.detached(two)),
    loop.call_soon(() => asyncio.create_task(two)),
    loop.add_signal_handler("SIGTERM", () => task.cancel()),
    loop.add_signal_handler("SIGUSR2", asyncio.print_all_tasks),
    task.add_done_callback((done) => typed<number>()(done.result())),
    task.add_done_callback(() => event.set()),
    [new asyncio.Future<Date>()] satisfies asyncio.Future<unknown>[],
    class extends asyncio.Queue<string> {
      override put_nowait(item: string): void {
        super.put_nowait(item.trim());
      }
    },
    class extends asyncio.Task<string> {
      override cancel(message?: unknown): boolean {
        return super.cancel(message);
      }
    },
    { set() {} } satisfies Pick<asyncio.Event, "set">,
    (target: { set(): void }) => target.set(),
  ];
};

test("as_completed gives the tasks in every loop of a program, whatever was checked before", async () => {
  const started = asyncio.create_task(one());
  for (let left = 2; left > 0; left--) {
    for await (const task of asyncio.as_completed([started])) typed<asyncio.Task<number>>()(task);
    for await (const task of asyncio.as_completed([started])) typed<asyncio.Task<number>>()(task);
  }
  const iterator: asyncio.AsCompletedIterator<number, asyncio.Task<number>> = asyncio.as_completed([
    started,
  ]);
  for (const next of iterator) typed<number>()(await next);
  for await (const task of iterator) typed<asyncio.Task<number>>()(task);
  equal(started.result(), 1);
});

test("a class without a type argument is of anything, and EventLoop is any loop", async () => {
  const tasks: asyncio.Task[] = [asyncio.create_task(one), asyncio.create_task(two)];
  const futures: asyncio.Future[] = [...tasks, asyncio.get_running_loop().create_future<Date>()];
  const queue: asyncio.Queue = new asyncio.Queue<number>();
  const variable: asyncio.ContextVar = new asyncio.ContextVar<number>("variable");
  const coroutine: asyncio.Coroutine = asyncio.sleep(0, 1);
  typed<unknown>()(await coroutine);
  let seen: asyncio.EventLoop = asyncio.get_running_loop();
  const note = (loop: asyncio.EventLoop) => seen = loop;
  seen.set_exception_handler((loop: asyncio.EventLoop) => note(loop));
  note(new asyncio.EventLoop()).close();
  note(asyncio.new_event_loop()).close();
  equal([seen instanceof asyncio.EventLoop, seen.is_closed()], [true, true]);
  equal([await asyncio.gather(tasks), futures.length], [[1, "two"], 3]);
  equal([queue.size, variable.name], [0, "variable"]);
  class Slow extends asyncio.EventLoop {
    override time(): number {
      return super.time() / 2;
    }
  }
  const slow: asyncio.EventLoop = new Slow({ time: () => 4 });
  equal(slow.time(), 2);
  slow.close();
});

test("ensure_future gives a task of what has not started, and a future as it is", async () => {
  const task = asyncio.ensure_future(one());
  typed<asyncio.Task<number>>()(task);
  typed<asyncio.Task<string>>()(asyncio.ensure_future(two));
  typed<asyncio.Task<number>>()(asyncio.ensure_future(task));
  const future = asyncio.get_running_loop().create_future<Date>();
  typed<asyncio.Future<Date>>()(asyncio.ensure_future(future));
  typed<asyncio.Future<number>>()(asyncio.ensure_future(Promise.resolve(1)));
  const of_any = <T>(awaitable: asyncio.Awaitable<T>) => asyncio.ensure_future(awaitable);
  typed<asyncio.Future<string>>()(of_any(two));
  equal([asyncio.ensure_future(future) === future, await task], [true, 1]);
});

test("a task factory passes on single options that may be undefined", async () => {
  const loop = asyncio.get_running_loop();
  loop.set_task_factory((loop, coro, { name, context, eager_start }) =>
    new asyncio.Task(coro, { loop, name, context, eager_start })
  );
  const [named, other] = [asyncio.create_task(one, { name: "named" }), asyncio.create_task(one)];
  equal([named.get_name(), /^Task-/.test(other.get_name())], ["named", true]);
  equal(await asyncio.gather(named, other), [1, 1]);
});

test("a condition of a group's parts gets the errors as unknown, or takes a narrower type", async () => {
  const group = new asyncio.ExceptionGroup("two", [new TypeError("a"), new asyncio.OSError("b")]);
  const [matching, rest] = group.split((error) => {
    typed<unknown>()(error);
    return error instanceof TypeError;
  });
  typed<asyncio.BaseExceptionGroup | null>()(matching);
  equal([matching?.exceptions.length, rest?.exceptions.length], [1, 1]);
  equal(group.subgroup((error: Error) => error.message === "c"), null);
  equal(group.subgroup((error): error is TypeError => error instanceof RangeError), null);
  await Promise.resolve();
});

test("a task that start() makes reports a value of its status's type, or nothing", async () => {
  await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
    // deno-lint-ignore require-await
    const nothing = await group.start(async (status) => status.started());
    typed<unknown>()(nothing);
    // deno-lint-ignore require-await
    const port = await group.start(async (status: asyncio.TaskStatus<number>, at: number) => {
      status.started(at);
    }, 80);
    typed<number>()(port);
    equal([nothing, port], [undefined, 80]);
    // deno-lint-ignore require-await
    await group.start(async (status: asyncio.TaskStatus<number>) => {
      // @ts-expect-error: a number is expected
      status.started();
    });
  });
});

test("a report to an exception handler has the keys of Python's documentation", async () => {
  const contexts: asyncio.ExceptionContext[] = [];
  const loop = asyncio.get_running_loop();
  loop.set_exception_handler((_, context) => contexts.push(context));
  const protocol = new asyncio.Protocol();
  loop.call_exception_handler({ message: "lost", protocol, socket: 1, port: 80 });
  const [context] = contexts;
  typed<asyncio.BaseTransport | undefined>()(context?.transport);
  equal(context?.protocol === protocol, true);
  equal([context?.message, context?.socket, context?.["port"]], ["lost", 1, 80]);
  await Promise.resolve();
});

const wrong_arguments: Never = () => {
  const condition = new asyncio.Condition();
  const lock = new asyncio.Lock();
  const maybe: () => boolean | Promise<boolean> = () => true;
  return [
    // @ts-expect-error: a promise is always true
    condition.wait_for(async () => await one()),
    // @ts-expect-error: the same
    condition.wait_for(() => asyncio.create_task(one)),
    // @ts-expect-error: the same
    condition.wait_for(maybe),
    // @ts-expect-error: the block is another argument
    asyncio.async_with(lock.acquire(), two),
    // @ts-expect-error: an option that there is not
    asyncio.create_task(two, { nmae: "two" }),
    // @ts-expect-error: the same
    asyncio.gather(two, { return_exception: true }),
    // @ts-expect-error: the same
    asyncio.wait([asyncio.create_task(two)], { return_when: "FIRST" }),
    // @ts-expect-error: the same
    new asyncio.Queue({ max_size: 1 }),
    // @ts-expect-error: the same
    asyncio.run(two, { signals: "SIGTERM" }),
    // @ts-expect-error: seconds are numbers
    asyncio.timeout("1"),
    // @ts-expect-error: the same
    asyncio.sleep("1"),
    () => {
      // @ts-expect-error: it must be awaited before it can be disposed of
      using _ = lock.acquire();
    },
  ];
};

const right_arguments: Never = () => {
  const condition = new asyncio.Condition();
  const stock: string[] = [];
  const parsed = () => JSON.parse("1");
  const unsure = (): unknown => stock;
  const fails = (): never => {
    throw new Error();
  };
  return [
    condition.wait_for(() => stock.length > 0),
    condition.wait_for(() => stock.at(0)),
    condition.wait_for(parsed),
    condition.wait_for(unsure),
    condition.wait_for(fails),
    async () => typed<string | undefined>()(await condition.wait_for(() => stock.at(0))),
    asyncio.async_with(new asyncio.Lock(), two),
    asyncio.wait([asyncio.create_task(two)], { return_when: asyncio.FIRST_COMPLETED }),
    asyncio.run(two, { debug: true, signals: ["SIGINT", "SIGTERM"] }),
    asyncio.timeout(null),
    async () => {
      using _ = await new asyncio.Lock().acquire();
    },
  ];
};

test("mistakes that linters find do not compile, and programs that are right do", async () => {
  const programs = [wrong_starts, right_starts, wrong_callbacks, right_callbacks, wrong_arguments];
  equal([...programs, right_arguments].every((program) => typeof program === "function"), true);
  await Promise.resolve();
});
