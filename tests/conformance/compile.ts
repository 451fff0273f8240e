/**
 * Turns a random program into the TypeScript its author would have written: one native function for
 * each body, an async function or a `function*`, with native `try`, `for` and nested calls. Nothing of
 * an interpreter stands between the statements and the library, so that every program has exactly the
 * microtasks its source says.
 */

import type { Body, Item, Kind, Program, Statement, StatementOf } from "./program.ts";

/** Where a piece of code stands. */
interface Scope {
  /** How this flavour waits. */
  wait: "await" | "yield*";
  /** How this flavour begins an anonymous function. */
  lambda: "async function" | "function*";
  /** How this flavour calls a body through nested functions. */
  through: "through" | "through_generators";
  /** The number of the body. */
  body: number;
  /** True if `return` must leave a function inside the body first, as in `async_with`. */
  nested: boolean;
  bodies: readonly Body[];
}

function is_generator(body: Body): boolean {
  return body.form.startsWith("generator");
}

function is_coroutine(body: Body): boolean {
  return body.form.endsWith("coroutine");
}

/** The expression that stands for a body not yet started, as given to `create_task`. */
function launch(target: number, { bodies }: Pick<Scope, "bodies">): string {
  const body = bodies[target];
  if (body === undefined) throw new RangeError(`Cannot launch body ${target}: no such body`);
  if (is_coroutine(body)) return `coroutine${target}()`;
  return is_generator(body) ? `body${target}()` : `body${target}`;
}

/** The function that makes what stands for a body, as given to `staggered_race`. */
function launcher(target: number, scope: Scope): string {
  const body = scope.bodies[target];
  if (body === undefined) throw new RangeError(`Cannot launch body ${target}: no such body`);
  return is_coroutine(body) ? `coroutine${target}` : `body${target}`;
}

/** The function that a body of this flavour calls to wait for another body in place. */
function callee(target: number, scope: Scope): string {
  const body = scope.bodies[target];
  if (body === undefined) throw new RangeError(`Cannot call body ${target}: no such body`);
  const same_flavour = is_generator(body) === (scope.wait === "yield*");
  return same_flavour && !is_coroutine(body) ? `body${target}` : `coroutine${target}`;
}

function item(argument: Item, scope: Scope): string {
  if ("body" in argument) return launch(argument.body, scope);
  if ("task" in argument) return `run.waitable(${argument.task}, ${scope.body})`;
  if ("get" in argument) return `queues[${argument.get}].get()`;
  return `asyncio.sleep(${argument.sleep}, ${argument.value})`;
}

function optional(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}

/** An iteration to its end, whose items go to the trace; a `function*` leaves `for await` to a coroutine. */
function iterate(
  id: number,
  source: string,
  loop: "for" | "for await",
  value: string,
  { wait }: Scope,
  rounds: number | null = null,
): string {
  const leave = rounds === null ? "" : `if (++rounds === ${rounds}) break;`;
  const code = `let rounds = 0;
${loop} (const next of ${source}) { run.event(${id}, "next", ${value}); ${leave} }`;
  if (loop === "for" && wait === "yield*") return `yield* (function* () { ${code} })()`;
  return `${wait} asyncio.coroutine(async function () { ${code} })()`;
}

type Expressions = {
  [K in Kind]?: (statement: StatementOf<K>, scope: Scope) => string;
};

/** Statements that are one expression, whose value or error goes to the trace. */
const EXPRESSIONS: Expressions = {
  log: (s) => `${s.value}`,
  spawn: (s, scope) => `run.spawn(${s.body}, ${launch(s.body, scope)})`,
  spawn_eager: (s, scope) =>
    `run.spawn(${s.body}, ${launch(s.body, scope)}, { eager_start: true })`,
  join: (s, scope) => `${scope.wait} run.waitable(${s.task}, ${scope.body})`,
  join_self: (_, scope) => `${scope.wait} run.current()`,
  sleep: (s, scope) =>
    `${scope.wait} asyncio.sleep(${s.delay}${s.value === undefined ? "" : `, ${s.value}`})`,
  gather: (s, scope) => {
    const options = `{ return_exceptions: ${s.return_exceptions} }`;
    const items = s.items.map((argument) => item(argument, scope));
    return `${scope.wait} asyncio.gather(${[...items, options].join(", ")})`;
  },
  wait: (s, scope) => {
    const tasks = s.tasks.map((task) => `run.waitable(${task}, ${scope.body})`).join(", ");
    const options = `{ timeout: ${s.timeout}, return_when: asyncio.${s.return_when} }`;
    return `run.waited(${scope.wait} asyncio.wait([${tasks}], ${options}))`;
  },
  wait_for: (s, scope) => `${scope.wait} asyncio.wait_for(${item(s.item, scope)}, ${s.timeout})`,
  shield: (s, scope) => `${scope.wait} asyncio.shield(${item(s.item, scope)})`,
  as_completed: (s, scope) => {
    const items = s.items.map((argument) => item(argument, scope)).join(", ");
    const source = `asyncio.as_completed([${items}], { timeout: ${s.timeout} })`;
    if (s.style === "plain") return iterate(s.id, source, "for", `${scope.wait} next`, scope);
    return iterate(s.id, source, "for await", "next", scope);
  },
  staggered_race: (s, scope) => {
    const functions = s.bodies.map((body) => launcher(body, scope)).join(", ");
    return `${scope.wait} asyncio.staggered_race([${functions}], ${s.delay})`;
  },
  all_tasks: () => "run.all_tasks()",
  cancel: (s) => `run.cancel(run.known(${s.task}), ${optional(s.message)})`,
  cancelling: (s) => `run.known(${s.task}).cancelling()`,
  uncancel: () => `run.current().uncancel()`,
  call: (s, scope) => `${scope.wait} ${scope.through}(${s.depth - 1}, ${callee(s.body, scope)})`,
  done_future: (s, scope) => `${scope.wait} run.done_future(${s.value})`,
  raise: (s) => `run.raise(${[`"${s.error}"`, optional(s.message)].join(", ")})`,
  queue_put: (s, scope) => `${scope.wait} queues[${s.queue}].put(${s.item})`,
  queue_get: (s, scope) => `${scope.wait} queues[${s.queue}].get()`,
  queue_put_nowait: (s) => `queues[${s.queue}].put_nowait(${s.item})`,
  queue_get_nowait: (s) => `queues[${s.queue}].get_nowait()`,
  queue_task_done: (s) => `queues[${s.queue}].task_done()`,
  queue_join: (s, scope) => `${scope.wait} queues[${s.queue}].join()`,
  queue_shutdown: (s) => `queues[${s.queue}].shutdown(${s.immediate})`,
  group_spawn: (s, scope) => `run.group_spawn(${s.group}, ${s.body}, ${launch(s.body, scope)})`,
  timeout_reschedule: (s) => `run.reschedule(${s.timeout}, ${s.delay})`,
  timeout_state: (s) => `run.timeout_state(${s.timeout})`,
  semaphore_acquire: (s, scope) => `void (${scope.wait} semaphores[${s.semaphore}].acquire())`,
  semaphore_release: (s) => `semaphores[${s.semaphore}].release()`,
  lock_acquire: (s, scope) => `void (${scope.wait} locks[${s.lock}].acquire())`,
  lock_release: (s) => `locks[${s.lock}].release()`,
  event_wait: (s, scope) => `${scope.wait} events[${s.event}].wait()`,
  event_set: (s) => `events[${s.event}].set()`,
  event_clear: (s) => `events[${s.event}].clear()`,
  condition_acquire: (s, scope) => `void (${scope.wait} conditions[${s.condition}].acquire())`,
  condition_release: (s) => `conditions[${s.condition}].release()`,
  condition_wait: (s, scope) => `${scope.wait} conditions[${s.condition}].wait()`,
  condition_wait_for: (s, scope) =>
    `${scope.wait} conditions[${s.condition}].wait_for(run.predicate(${s.id}, ${s.condition}, ${s.remainder}))`,
  condition_notify: (s) => `run.notify(${s.condition}, ${s.count})`,
  condition_notify_all: (s) => `run.notify(${s.condition})`,
  barrier_wait: (s, scope) => `${scope.wait} barriers[${s.barrier}].wait()`,
  barrier_reset: (s, scope) => `${scope.wait} barriers[${s.barrier}].reset()`,
  barrier_abort: (s, scope) => `${scope.wait} barriers[${s.barrier}].abort()`,
  call_soon: (s) => `run.call_soon(${s.id}, ${JSON.stringify(s.action)})`,
  call_later: (s) => `run.call_later(${s.id}, ${s.delay}, ${JSON.stringify(s.action)})`,
  call_at: (s) => `run.call_at(${s.id}, ${s.when}, ${JSON.stringify(s.action)})`,
  timers: (s) => `run.timers(${s.id}, ${s.count}, ${s.spread}, ${s.keep})`,
  handle_cancel: (s) => `run.handle_cancel(${s.handle})`,
  future_new: (s) => `run.future_new(${s.future})`,
  future_wait: (s, scope) => `${scope.wait} futures[${s.future}]`,
  future_set_result: (s) => `futures[${s.future}].set_result(${s.value})`,
  future_set_exception: (s) => `futures[${s.future}].set_exception(run.error("${s.error}"))`,
  future_cancel: (s) => `futures[${s.future}].cancel(${optional(s.message)})`,
  future_result: (s) => `futures[${s.future}].result()`,
  future_add_callback: (s) =>
    `run.add_callback(${s.id}, futures[${s.future}], ${JSON.stringify(s.action)})`,
  task_add_callback: (s) =>
    `run.add_callback(${s.id}, run.known(${s.task}), ${JSON.stringify(s.action)})`,
  remove_callback: (s) => `run.remove_callback(${s.callback})`,
  variable_get: (s) => `variables[${s.variable}].get()`,
  variable_set: (s) => `run.variable_set(${s.variable}, ${s.value})`,
  variable_reset: (s) => `run.variable_reset(${s.token})`,
  generator_new: (s) => `run.generator_new(${s.generator})`,
  generator_next: (s, scope) => {
    const given = [`generators[${s.generator}]`, s.default].filter((x) => x !== undefined);
    return `${scope.wait} asyncio.anext(${given.join(", ")})`;
  },
  generator_send: (s, scope) => `${scope.wait} generators[${s.generator}].asend(${s.value})`,
  generator_throw: (s, scope) =>
    `${scope.wait} generators[${s.generator}].athrow(run.error("${s.error}"))`,
  generator_close: (s, scope) => `${scope.wait} generators[${s.generator}].aclose()`,
  generator_for: (s, scope) =>
    iterate(s.id, `generators[${s.generator}]`, "for await", "next", scope, s.rounds),
};

function traced(id: number, code: string): string {
  return `run.begin(${id});
try { ${code} } catch (error) { throw run.fail(${id}, error); }`;
}

/** What `async with` enters, and how the trace learns of it. */
const MANAGERS: { [K in Kind]?: (statement: StatementOf<K>) => [manager: string, enter: string] } =
  {
    semaphore_with: (s) => [`semaphores[${s.semaphore}]`, `run.event(${s.id}, "enter", null)`],
    lock_with: (s) => [`locks[${s.lock}]`, `run.event(${s.id}, "enter", null)`],
    condition_with: (s) => [`conditions[${s.condition}]`, `run.event(${s.id}, "enter", null)`],
    barrier_with: (s) => [`barriers[${s.barrier}]`, `run.event(${s.id}, "enter", entered)`],
    group: (s) => ["new asyncio.TaskGroup()", `run.enter_group(${s.id}, entered)`],
    timeout: (s) => [`asyncio.timeout(${s.delay})`, `run.enter_timeout(${s.id}, entered)`],
    timeout_at: (s) => [`asyncio.timeout_at(${s.when})`, `run.enter_timeout(${s.id}, entered)`],
    generator_closing: (s) => [
      `asyncio.aclosing(generators[${s.generator}])`,
      `run.event(${s.id}, "enter", null)`,
    ],
  };

/** What `raise` raises where no `except` is around it, as in programs on the way to the smallest. */
const NOTHING_HANDLED = `new asyncio.RuntimeError("No active exception to reraise")`;

/** `async with manager: block`, whose block is a function of its own: `return` in it takes two steps. */
function async_with(
  [manager, enter]: [manager: string, enter: string],
  { id, block }: { id: number; block: Statement[] },
  scope: Scope,
  handled: string,
): string {
  const inner = compile_block(block, { ...scope, nested: true }, handled);
  const left = `left${id}`;
  return `let ${left};
${
    traced(
      id,
      `${left} = ${scope.wait} asyncio.async_with(${manager}, ${scope.lambda} (entered) {
${enter};
${inner}
});`,
    )
  }
run.end(${id});
if (${left} !== undefined) return ${scope.nested ? left : `${left}[0]`};`;
}

function compile_try(statement: StatementOf<"try">, scope: Scope, handled: string): string {
  const { id } = statement;
  const error = `error${id}`;
  const handlers = statement.handlers.map((handler) =>
    `if (run.matches(${error}, "${handler.catches}")) {
run.event(${id}, "except", ${error});
${compile_block(handler.block, scope, error)}
} else `
  );
  const otherwise = compile_block(statement.otherwise, scope, handled);
  const completed = `completed${id}`;
  return `let ${completed} = false;
try {
try {
${compile_block(statement.block, scope, handled)}
${completed} = true;
} catch (${error}) {
${handlers.join("")}throw ${error};
}
if (${completed}) {
run.event(${id}, "else");
${otherwise}
}
} finally {
run.event(${id}, "finally");
${compile_block(statement.finally, scope, handled)}
}`;
}

function compile_statement(statement: Statement, scope: Scope, handled: string): string {
  const { id } = statement;
  switch (statement.do) {
    case "return":
      return `run.event(${id}, "return ${statement.value}");
return ${scope.nested ? `[${statement.value}]` : statement.value};`;
    case "reraise":
      return `run.event(${id}, "reraise", ${handled});
throw ${handled};`;
    case "loop": {
      const index = `i${id}`;
      return `for (let ${index} = 0; ${index} < ${statement.count}; ${index}++) {
run.event(${id}, "round");
${compile_block(statement.block, scope, handled)}
}`;
    }
    case "try":
      return compile_try(statement, scope, handled);
    default: {
      if ("block" in statement) return async_with(manager(statement), statement, scope, handled);
      return traced(id, `run.end(${id}, ${expression(statement, scope)});`);
    }
  }
}

function manager<K extends Kind>(statement: StatementOf<K>): [manager: string, enter: string] {
  const enter = MANAGERS[statement.do];
  if (enter === undefined) throw new TypeError(`Cannot enter '${statement.do}'`);
  return enter(statement);
}

function expression<K extends Kind>(statement: StatementOf<K>, scope: Scope): string {
  const compile = EXPRESSIONS[statement.do];
  if (compile === undefined) throw new TypeError(`Cannot compile statement '${statement.do}'`);
  return compile(statement, scope);
}

function compile_block(block: Statement[], scope: Scope, handled = NOTHING_HANDLED): string {
  return block.map((statement) => `{ ${compile_statement(statement, scope, handled)} }`).join("\n");
}

function compile_body(body: Body, index: number, bodies: readonly Body[]): string {
  const generator = is_generator(body);
  const scope: Scope = {
    wait: generator ? "yield*" : "await",
    lambda: generator ? "function*" : "async function",
    through: generator ? "through_generators" : "through",
    body: index,
    nested: false,
    bodies,
  };
  return `${generator ? "function*" : "async function"} body${index}() {
run.enter(${index});
${compile_block(body.block, scope)}
}
const coroutine${index} = asyncio.coroutine(body${index});`;
}

/**
 * The source of a function of `asyncio` and `run`, which has the primitives: it gives a function for each
 * main task, which gives its body, not yet started.
 */
export function compile(program: Program): string {
  const bodies = program.bodies.map((body, index) => compile_body(body, index, program.bodies));
  const mains = (program.runs ?? [{ body: 0 }]).map(({ body }) => `() => ${launch(body, program)}`);
  return `"use strict";
const { queues, semaphores, locks, events, conditions, barriers } = run;
const { futures, variables, generators } = run;
async function through(depth, body) {
  return depth === 0 ? await body() : await through(depth - 1, body);
}
function* through_generators(depth, body) {
  return depth === 0 ? yield* body() : yield* through_generators(depth - 1, body);
}
${bodies.join("\n")}
return [${mains.join(", ")}];`;
}
