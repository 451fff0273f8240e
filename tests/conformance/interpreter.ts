/** Runs random programs on this library under a virtual clock and returns their traces. */

import * as asyncio from "../../mod.ts";
import { DeadlockError, VirtualClockEventLoop } from "../../testing.ts";
import { compile } from "./compile.ts";
import { generate, make_error, matches, Primitives, type Witness } from "./primitives.ts";
import {
  type Action,
  type ErrorKind,
  type ExceptKind,
  HANGS,
  type Message,
  PATIENCE,
  type Program,
  type RunnerRun,
  type Trace,
} from "./program.ts";
import { show } from "./show.ts";

/** What a compiled program gives to `create_task`. */
type Launchable = Parameters<typeof asyncio.create_task>[0];
type AnyTask = asyncio.Task<unknown>;
type AnyFuture = asyncio.Future<unknown>;
type DoneCallback = (future: AnyFuture) => void;

/** What a program throws that neither ends nor finds itself in a deadlock. */
class Hangs extends Error {}

/** The item counted from the newest, around the corner. */
function newest<T>(items: readonly T[], index: number): T | undefined {
  return items[items.length - 1 - index % items.length];
}

/** One run of one program; the compiled program calls its public methods. */
class Run extends Primitives {
  readonly generators: ReturnType<typeof generate>[] = [];
  readonly #program: Program;
  readonly #patience: number;
  readonly #loop: VirtualClockEventLoop;
  readonly #trace: Trace = [];
  readonly #tasks: AnyTask[] = [];
  readonly #body_of = new Map<AnyTask, number>();
  /** The statements that each task is in, the innermost last. */
  readonly #suspended_at = new Map<AnyTask, number[]>();
  readonly #groups: asyncio.TaskGroup[] = [];
  readonly #timeouts: asyncio.Timeout[] = [];
  readonly #handles: asyncio.Handle[] = [];
  readonly #callbacks: [AnyFuture, DoneCallback][] = [];
  readonly #tokens: [asyncio.ContextVar<number>, asyncio.Token<number>][] = [];
  /** All generators there were: one that nobody holds would be closed at no defined moment. */
  readonly #all_generators: ReturnType<typeof generate>[] = [];
  /** How often each condition was notified. */
  readonly #notified: number[];

  constructor(program: Program, patience: number) {
    const loop = new VirtualClockEventLoop();
    super(program.shared, loop);
    this.#program = program;
    this.#patience = patience;
    this.#loop = loop;
    this.#notified = this.conditions.map(() => 0);
    for (const index of program.shared.generators.keys()) this.generator_new(index);
  }

  async run(): Promise<Trace> {
    this.#loop.set_exception_handler((_, { message = "", exception }) => {
      if (/never retrieved$|it is pending!$/.test(message)) return;
      // What follows in the message is a repr.
      this.#record("loop", 0, `${message.split(" <")[0]}: ${show(exception)}`);
    });
    const start = new Function("asyncio", "run", compile(this.#program));
    const mains = start(asyncio, this) as (() => Launchable)[];
    try {
      if (this.#program.runs === undefined) await this.#run_on_loop(mains[0]!);
      else await this.#run_by_runner(mains, this.#program.runs);
    } catch (error) {
      if (!(error instanceof Hangs)) throw error;
      this.#record("loop", 0, HANGS);
      return this.#trace;
    }
    for (const task of this.#tasks) {
      this.#record(task.get_name(), 0, `${state_of(task)} ${task.cancelling()}`);
    }
    const compared = [...this.compared(), ...this.#groups, ...this.#timeouts];
    for (const [index, primitive] of compared.entries()) {
      this.#record("final", 0, `${index} ${String(primitive).replace("null", "None")}`);
    }
    this.#loop.close();
    return this.#trace;
  }

  // The trace.

  event(statement: number, what: string, ...values: unknown[]): void {
    const task = asyncio.current_task();
    const name = task === null ? "callback" : show(task);
    this.#record(name, statement, [what, ...values.map(show)].join(" "));
  }

  begin(statement: number): void {
    this.#places(this.current()).push(statement);
    this.event(statement, "begin");
  }

  end(statement: number, result?: unknown): void {
    this.#places(this.current()).pop();
    this.event(statement, "end", result);
  }

  fail(statement: number, error: unknown): unknown {
    this.#places(this.current()).pop();
    this.event(statement, "fail", error);
    return error;
  }

  // Errors.

  matches(error: unknown, kind: ExceptKind): boolean {
    return matches(error, kind);
  }

  error(kind: ErrorKind): Error {
    return make_error(kind);
  }

  raise(kind: ErrorKind, message?: Message): never {
    throw make_error(kind, message === undefined ? undefined : String(message));
  }

  // Tasks.

  enter(body: number): void {
    const task = this.current();
    if (!this.#body_of.has(task)) this.#register(task, body);
    this.event(0, `body ${body}`);
  }

  spawn(body: number, work: Launchable, options: { eager_start?: boolean } = {}): string {
    return this.#created(asyncio.create_task(work, options), body);
  }

  current(): AnyTask {
    const task = asyncio.current_task();
    if (task === null) throw new Error("no task is the current one");
    return task;
  }

  known(index: number): AnyTask {
    return this.#tasks[index % this.#tasks.length]!;
  }

  /** A task that may be waited for in `body`, or a future that is done. */
  waitable(index: number, body: number): AnyFuture {
    const tasks = this.#tasks.filter((task) => (this.#body_of.get(task) ?? 0) > body);
    return tasks[index % tasks.length] ?? this.done_future("no task");
  }

  done_future(value: unknown): AnyFuture {
    const future = this.#loop.create_future<unknown>();
    future.set_result(value);
    return future;
  }

  waited([done, pending]: [Iterable<AnyFuture>, Iterable<AnyFuture>]): string[][] {
    return [done, pending].map((futures) => [...futures].map(show).sort());
  }

  all_tasks(): string[] {
    const tasks = [...asyncio.all_tasks()].filter((task) => this.#body_of.has(task));
    return tasks.map((task) => task.get_name()).sort();
  }

  cancel(task: AnyTask, message?: Message): string {
    const place = this.#places(task).at(-1);
    let where = place === undefined ? "start" : `#${place}`;
    if (task.done()) where = "done";
    else if (task === asyncio.current_task()) where = "itself";
    const cancelled = message === undefined ? task.cancel() : task.cancel(message);
    return `${task.get_name()} ${show(cancelled)} at ${where}`;
  }

  // Groups and timeouts.

  enter_group(statement: number, group: asyncio.TaskGroup): void {
    this.#groups.push(group);
    this.event(statement, "enter", null);
  }

  group_spawn(index: number, body: number, work: Launchable): string {
    const group = newest(this.#groups, index);
    return group ? this.#created(group.create_task(work), body) : "no group";
  }

  enter_timeout(statement: number, timeout: asyncio.Timeout): void {
    this.#timeouts.push(timeout);
    this.event(statement, "enter", null);
  }

  reschedule(index: number, delay: number | null): string | void {
    const timeout = newest(this.#timeouts, index);
    if (timeout === undefined) return "no timeout";
    return timeout.reschedule(delay === null ? null : this.#loop.time() + delay);
  }

  timeout_state(index: number): unknown {
    const timeout = newest(this.#timeouts, index);
    return timeout ? [timeout.when(), timeout.expired()] : "no timeout";
  }

  // Conditions.

  notify(condition: number, count?: number): void {
    this.#notified[condition]!++;
    if (count === undefined) this.conditions[condition]!.notify_all();
    else this.conditions[condition]!.notify(count);
  }

  predicate(statement: number, condition: number, remainder: number): () => boolean {
    return () => {
      const result = this.#notified[condition]! % 3 === remainder;
      this.event(statement, "check", result);
      return result;
    };
  }

  // Callbacks and futures.

  call_soon(statement: number, action: Action): void {
    this.#handles.push(this.#loop.call_soon(this.#callback(statement, action)));
  }

  call_later(statement: number, delay: number, action: Action): void {
    this.#handles.push(this.#loop.call_later(delay, this.#callback(statement, action)));
  }

  call_at(statement: number, when: number, action: Action): void {
    this.#handles.push(this.#loop.call_at(when, this.#callback(statement, action)));
  }

  timers(statement: number, count: number, spread: number, keep: number): void {
    const handles: asyncio.TimerHandle[] = [];
    for (let index = 0; index < count; index++) {
      const tell = () => this.event(statement, `timer ${index}`);
      handles.push(this.#loop.call_later(index * 7 % spread, tell));
    }
    for (const [index, handle] of handles.entries()) {
      if (index % keep !== 0) handle.cancel();
    }
  }

  handle_cancel(index: number): boolean | string {
    const handle = newest(this.#handles, index);
    if (handle === undefined) return "no handle";
    handle.cancel();
    return handle.cancelled();
  }

  add_callback(statement: number, future: AnyFuture, action: Action): void {
    const callback = this.#callback(statement, action);
    this.#callbacks.push([future, callback]);
    future.add_done_callback(callback);
  }

  remove_callback(index: number): number | string {
    const [future, callback] = newest(this.#callbacks, index) ?? [];
    if (future === undefined || callback === undefined) return "no callback";
    return future.remove_done_callback(callback);
  }

  future_new(index: number): void {
    this.futures[index] = this.#loop.create_future<unknown>();
  }

  // Context variables and async generators.

  variable_set(index: number, value: number): void {
    const variable = this.variables[index]!;
    this.#tokens.push([variable, variable.set(value)]);
  }

  variable_reset(index: number): string | void {
    const [variable, token] = newest(this.#tokens, index) ?? [];
    if (variable === undefined || token === undefined) return "no token";
    variable.reset(token);
  }

  generator_new(index: number): void {
    const plan = this.#program.shared.generators[index]!;
    const tell: Witness = (what, ...values) => this.event(-1 - index, what, ...values);
    const generator = generate(plan, index, tell);
    this.generators[index] = generator;
    this.#all_generators.push(generator);
  }

  // Its own.

  #act(action: Action, statement: number): unknown {
    switch (action.act) {
      case "log":
        return action.value;
      case "raise":
        return this.raise(action.error);
      case "cancel":
        return this.cancel(this.known(action.task));
      case "set_result":
        return this.futures[action.future]!.set_result(action.value);
      case "set_exception":
        return this.futures[action.future]!.set_exception(make_error(action.error));
      case "call_soon":
        return this.call_soon(statement, { act: "log", value: action.value });
      case "variable_get":
        return this.variables[action.variable]!.get();
      case "variable_set":
        return this.variable_set(action.variable, action.value);
    }
  }

  #callback(statement: number, action: Action): (...args: unknown[]) => void {
    return (...args) => {
      this.event(statement, "called", args);
      try {
        this.event(statement, "callback", this.#act(action, statement));
      } catch (error) {
        this.event(statement, "callback fails", error);
        throw error;
      }
    };
  }

  async #run_on_loop(main: () => Launchable): Promise<void> {
    const task: AnyTask = this.#loop.create_task(main());
    this.#register(task, 0);
    const phase = (work: Parameters<asyncio.EventLoop["run_until_complete"]>[0]) =>
      this.#phase("loop", "stopped", () => this.#loop.run_until_complete(work));
    await phase(task);
    await phase(() => this.#finish());
    if (this.#all_generators.length > 0) await phase(this.#loop.shutdown_asyncgens());
  }

  async #run_by_runner(mains: (() => Launchable)[], runs: readonly RunnerRun[]): Promise<void> {
    const runner = new asyncio.Runner({ loop_factory: () => this.#loop });
    for (const [index, { own_context }] of runs.entries()) {
      const options = own_context ? { context: asyncio.copy_context() } : {};
      await this.#phase("runner", "ran", () => runner.run(mains[index]!(), options));
    }
    await this.#phase("runner", "closed", () => runner.close());
    await this.#phase("runner", "ran", () => runner.run(mains[0]!()));
  }

  /** Runs the loop for a while and says how that ended; throws `Hangs` if it does not. */
  async #phase(name: string, ended: string, work: () => PromiseLike<unknown>): Promise<void> {
    const { promise: impatience, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Hangs()), this.#patience * 1000);
    try {
      const result = await Promise.race([work(), impatience]);
      this.#record(name, 0, `${ended} ${show(result)}`);
    } catch (error) {
      if (error instanceof Hangs) throw error;
      const deadlock = error instanceof DeadlockError;
      this.#record(name, 0, deadlock ? "deadlock" : `${ended} ${show(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  async #finish(): Promise<number> {
    const pending = this.#tasks.filter((task) => !task.done());
    if (this.#program.finish === "cancel") {
      for (const task of pending) task.cancel();
    }
    await asyncio.gather(pending, { return_exceptions: true });
    return pending.length;
  }

  #created(task: AnyTask, body: number): string {
    // An eager task has registered itself.
    if (!this.#body_of.has(task)) this.#register(task, body);
    return task.get_name();
  }

  #register(task: AnyTask, body: number): void {
    task.set_name(`t${this.#tasks.length}`);
    this.#tasks.push(task);
    this.#body_of.set(task, body);
    this.#suspended_at.set(task, []);
  }

  #places(task: AnyTask): number[] {
    const places = this.#suspended_at.get(task);
    if (places === undefined) throw new Error(`${task.get_name()} is not one of the program's`);
    return places;
  }

  #record(task: string, statement: number, what: string): void {
    this.#trace.push([this.#loop.time(), task, statement, what]);
  }
}

function state_of(task: AnyTask): string {
  if (!task.done()) return "pending";
  if (task.cancelled()) return "cancelled";
  return show(task.exception() ?? task.result());
}

/**
 * The trace of one program on this library.
 *
 * @param patience real seconds after which a program that does not end is given up; its trace then ends
 * with `HANGS`
 */
export function run_program(program: Program, patience = PATIENCE): Promise<Trace> {
  return new Run(program, patience).run();
}
