/** Shows a program as the Python it means, and two traces side by side. */

import { first_difference } from "./compare.ts";
import type {
  Action,
  Event,
  Item,
  Kind,
  Message,
  Program,
  RunnerRun,
  Shared,
  Statement,
  StatementOf,
  Trace,
} from "./program.ts";

function item(argument: Item): string {
  if ("body" in argument) return `body${argument.body}()`;
  if ("task" in argument) return `waitable(${argument.task})`;
  if ("get" in argument) return `queue${argument.get}.get()`;
  return `sleep(${argument.sleep}, ${argument.value})`;
}

function value(text: number | boolean | null | undefined): string {
  if (text === null) return "None";
  if (typeof text === "boolean") return text ? "True" : "False";
  return text === undefined ? "" : `${text}`;
}

function action(done: Action): string {
  switch (done.act) {
    case "log":
      return `log(${done.value})`;
    case "raise":
      return `raise ${done.error}()`;
    case "cancel":
      return `known(${done.task}).cancel()`;
    case "set_result":
      return `future${done.future}.set_result(${done.value})`;
    case "set_exception":
      return `future${done.future}.set_exception(${done.error}())`;
    case "call_soon":
      return `loop.call_soon(lambda: log(${done.value}))`;
    case "variable_get":
      return `variable${done.variable}.get()`;
    case "variable_set":
      return `variable${done.variable}.set(${done.value})`;
  }
}

/** A callback that does the action. */
function callback(done: Action): string {
  return `lambda *_: ${action(done)}`;
}

function message(text: Message | undefined): string {
  return text === undefined ? "" : JSON.stringify(text);
}

/** A call of a body through functions that only `return await`. */
function through(body: number, depth: number): string {
  return "through(".repeat(depth - 1) + `body${body}()` + ")".repeat(depth - 1);
}

/** Statements of one line. */
const LINES: { [K in Kind]?: (statement: StatementOf<K>) => string } = {
  log: (s) => `log(${s.value})`,
  spawn: (s) => `create_task(body${s.body}())`,
  join: (s) => `await waitable(${s.task})`,
  join_self: () => "await current_task()",
  sleep: (s) => `await sleep(${[s.delay, s.value].filter((x) => x !== undefined).join(", ")})`,
  spawn_eager: (s) => `create_task(body${s.body}(), eager_start=True)`,
  gather: (s) => {
    const options = s.return_exceptions ? ["return_exceptions=True"] : [];
    return `await gather(${[...s.items.map(item), ...options].join(", ")})`;
  },
  wait: (s) => {
    const tasks = s.tasks.map((task) => `waitable(${task})`).join(", ");
    return `await wait([${tasks}], timeout=${value(s.timeout)}, return_when=${s.return_when})`;
  },
  wait_for: (s) => `await wait_for(${item(s.item)}, ${value(s.timeout)})`,
  shield: (s) => `await shield(${item(s.item)})`,
  as_completed: (s) => {
    const source = `as_completed([${s.items.map(item).join(", ")}], timeout=${value(s.timeout)})`;
    return s.style === "plain"
      ? `for x in ${source}: log(await x)`
      : `async for x in ${source}: log(x)`;
  },
  staggered_race: (s) => {
    const functions = s.bodies.map((body) => `body${body}`).join(", ");
    return `await staggered_race([${functions}], ${value(s.delay)})`;
  },
  all_tasks: () => "all_tasks()",
  group_spawn: (s) => `group(-${s.group + 1}).create_task(body${s.body}())`,
  timeout_reschedule: (s) =>
    `timeout(-${s.timeout + 1}).reschedule(${s.delay === null ? "None" : `time() + ${s.delay}`})`,
  timeout_state: (s) => `log(timeout(-${s.timeout + 1}))`,
  cancel: (s) => `known(${s.task}).cancel(${message(s.message)})`,
  cancelling: (s) => `known(${s.task}).cancelling()`,
  uncancel: () => "current_task().uncancel()",
  call: (s) => `await ${through(s.body, s.depth)}`,
  done_future: (s) => `await done_future(${s.value})`,
  raise: (s) => `raise ${s.error}(${message(s.message)})`,
  reraise: () => "raise",
  return: (s) => `return ${s.value}`,
  queue_put: (s) => `await queue${s.queue}.put(${s.item})`,
  queue_get: (s) => `await queue${s.queue}.get()`,
  queue_put_nowait: (s) => `queue${s.queue}.put_nowait(${s.item})`,
  queue_get_nowait: (s) => `queue${s.queue}.get_nowait()`,
  queue_task_done: (s) => `queue${s.queue}.task_done()`,
  queue_join: (s) => `await queue${s.queue}.join()`,
  queue_shutdown: (s) => `queue${s.queue}.shutdown(${value(s.immediate)})`,
  semaphore_acquire: (s) => `await semaphore${s.semaphore}.acquire()`,
  semaphore_release: (s) => `semaphore${s.semaphore}.release()`,
  lock_acquire: (s) => `await lock${s.lock}.acquire()`,
  lock_release: (s) => `lock${s.lock}.release()`,
  event_wait: (s) => `await event${s.event}.wait()`,
  event_set: (s) => `event${s.event}.set()`,
  event_clear: (s) => `event${s.event}.clear()`,
  condition_acquire: (s) => `await condition${s.condition}.acquire()`,
  condition_release: (s) => `condition${s.condition}.release()`,
  condition_wait: (s) => `await condition${s.condition}.wait()`,
  condition_wait_for: (s) =>
    `await condition${s.condition}.wait_for(lambda: notified % 3 == ${s.remainder})`,
  condition_notify: (s) => `condition${s.condition}.notify(${s.count})`,
  condition_notify_all: (s) => `condition${s.condition}.notify_all()`,
  barrier_wait: (s) => `await barrier${s.barrier}.wait()`,
  barrier_reset: (s) => `await barrier${s.barrier}.reset()`,
  barrier_abort: (s) => `await barrier${s.barrier}.abort()`,
  call_soon: (s) => `loop.call_soon(${callback(s.action)})`,
  call_later: (s) => `loop.call_later(${s.delay}, ${callback(s.action)})`,
  call_at: (s) => `loop.call_at(${s.when}, ${callback(s.action)})`,
  timers: (s) => `timers(count=${s.count}, spread=${s.spread}, keep=${s.keep})`,
  handle_cancel: (s) => `handle(-${s.handle + 1}).cancel()`,
  future_new: (s) => `future${s.future} = create_future()`,
  future_wait: (s) => `await future${s.future}`,
  future_set_result: (s) => `future${s.future}.set_result(${s.value})`,
  future_set_exception: (s) => `future${s.future}.set_exception(${s.error}())`,
  future_cancel: (s) => `future${s.future}.cancel(${message(s.message)})`,
  future_result: (s) => `future${s.future}.result()`,
  future_add_callback: (s) => `future${s.future}.add_done_callback(${callback(s.action)})`,
  task_add_callback: (s) => `known(${s.task}).add_done_callback(${callback(s.action)})`,
  remove_callback: (s) => `remove_done_callback(callback(-${s.callback + 1}))`,
  variable_get: (s) => `variable${s.variable}.get()`,
  variable_set: (s) => `variable${s.variable}.set(${s.value})`,
  variable_reset: (s) => `reset(token(-${s.token + 1}))`,
  generator_new: (s) => `generator${s.generator} = plan${s.generator}()`,
  generator_next: (s) =>
    `await anext(generator${s.generator}${s.default === undefined ? "" : `, ${s.default}`})`,
  generator_send: (s) => `await generator${s.generator}.asend(${s.value})`,
  generator_throw: (s) => `await generator${s.generator}.athrow(${s.error}())`,
  generator_close: (s) => `await generator${s.generator}.aclose()`,
  generator_for: (s) => {
    const leave = s.rounds === null ? "" : `; after ${s.rounds}: await aclose() and break`;
    return `async for x in generator${s.generator}: log(x)${leave}`;
  },
};

/** The first lines of statements with one block. */
const HEADS: { [K in Kind]?: (statement: StatementOf<K>) => string } = {
  loop: (s) => `for _ in range(${s.count}):`,
  group: () => "async with TaskGroup():",
  timeout: (s) => `async with timeout(${value(s.delay)}):`,
  timeout_at: (s) => `async with timeout_at(${s.when}):`,
  semaphore_with: (s) => `async with semaphore${s.semaphore}:`,
  lock_with: (s) => `async with lock${s.lock}:`,
  condition_with: (s) => `async with condition${s.condition}:`,
  barrier_with: (s) => `async with barrier${s.barrier}:`,
  generator_closing: (s) => `async with aclosing(generator${s.generator}):`,
};

function head<K extends Kind>(statement: StatementOf<K>): string {
  return HEADS[statement.do]?.(statement) ?? `${statement.do}:`;
}

function line<K extends Kind>(statement: StatementOf<K>): string {
  return LINES[statement.do]?.(statement) ?? statement.do;
}

function suite(head: string, block: Statement[], indent: string): string[] {
  const body = block.flatMap((statement) => lines(statement, `${indent}    `));
  return [`${indent}${head}`, ...(body.length > 0 ? body : [`${indent}    pass`])];
}

function lines(statement: Statement, indent: string): string[] {
  const mark = `  # ${statement.id}`;
  switch (statement.do) {
    case "try":
      return [
        ...suite(`try:${mark}`, statement.block, indent),
        ...statement.handlers.flatMap(({ catches, block }) =>
          suite(`except ${catches}:`, block, indent)
        ),
        ...(statement.otherwise.length > 0 ? suite("else:", statement.otherwise, indent) : []),
        ...(statement.finally.length > 0 ? suite("finally:", statement.finally, indent) : []),
      ];
    default:
      return "block" in statement
        ? suite(`${head(statement)}${mark}`, statement.block, indent)
        : [`${indent}${line(statement)}${mark}`];
  }
}

/** How each primitive is made. */
function declarations(shared: Shared): string[] {
  const many = (count: number, name: string, made: string): string[] =>
    Array.from({ length: count }, (_, index) => `${name}${index} = ${made}`);
  return [
    ...shared.queues.map(({ kind, maxsize }, index) => `queue${index} = ${kind}(${maxsize})`),
    ...shared.semaphores.map(({ value, bounded }, index) =>
      `semaphore${index} = ${bounded ? "BoundedSemaphore" : "Semaphore"}(${value})`
    ),
    ...many(shared.locks, "lock", "Lock()"),
    ...many(shared.events, "event", "Event()"),
    ...many(shared.conditions, "condition", "Condition()"),
    ...shared.barriers.map((parties, index) => `barrier${index} = Barrier(${parties})`),
    ...many(shared.futures, "future", "create_future()"),
    ...many(shared.variables, "variable", "ContextVar(default=0)"),
    ...shared.generators.map((plan, index) => `plan${index} = ${JSON.stringify(plan)}`),
  ];
}

function runner_run({ body, own_context }: RunnerRun): string {
  const context = own_context ? ", context=copy_context()" : "";
  return `    runner.run(body${body}()${context})`;
}

/** The program as Python would have it; bodies without statements are left out. */
export function print_program({ shared, bodies, finish, runs }: Program): string {
  return [
    ...declarations(shared),
    ...bodies.flatMap(({ form, block }, index) =>
      block.length > 0 ? suite(`async def body${index}():  # ${form}`, block, "") : []
    ),
    ...(runs === undefined
      ? [`# when body0 has ended: ${finish} the rest`]
      : ["with Runner() as runner:", ...runs.map(runner_run)]),
  ].join("\n");
}

function show(event: Event | undefined): string {
  if (event === undefined) return "(no more events)";
  const [time, task, statement, what] = event;
  return `${time} ${task} #${statement} ${what}`;
}

/** Both traces up to the first event that differs, which is marked. */
export function print_difference(expected: Trace, actual: Trace): string {
  const index = first_difference(expected, actual);
  if (index === null) return "no difference";
  return [
    ...expected.slice(0, index).map((event) => `  ${show(event)}`),
    `> CPython: ${show(expected[index])}`,
    `> here:    ${show(actual[index])}`,
    ...expected.slice(index + 1, index + 4).map((event) => `  CPython goes on: ${show(event)}`),
    ...actual.slice(index + 1, index + 4).map((event) => `  here goes on:    ${show(event)}`),
  ].join("\n");
}
