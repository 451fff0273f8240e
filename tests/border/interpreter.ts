/** Runs a program on the deterministic host and notes what the oracle needs. */

import { async_context, host } from "./fake_host.ts";
import * as asyncio from "../../mod.ts";
import { DeadlockError, VirtualClockEventLoop } from "../../testing.ts";
import { TraceRecorder } from "../../trace.ts";
import { is_combinator, type Native, type Program, type Statement, type Wait } from "./program.ts";
import type {
  AnyTask,
  Flow,
  Leaf,
  Moment,
  Operation,
  Outcome,
  Part,
  Pending,
  Request,
  Scope,
  ScopeKind,
  TaskRecord,
  Violation,
} from "./records.ts";

/** One tick of a program, in seconds: sums of it are exact. */
const TICK = 1 / 8;
const MILLISECONDS = 125;

/** How long the main task waits before it cancels what is left, in ticks, and how often. */
const HORIZON = 64;
const MAX_ROUNDS = 12;

/** How many turns of the host everything gets after the program has ended. */
const LAST_TURNS = 30;

/** An error that a program throws. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}

/** Whether an error is a cancellation: the rule that the library follows. */
export function is_cancellation(error: unknown): boolean {
  if (error instanceof asyncio.CancelledError) return true;
  return error instanceof AggregateError && !(error instanceof asyncio.BaseExceptionGroup) &&
    error.errors.length > 0 && error.errors.every(is_cancellation);
}

/** The tags of the requests that an error tells of. */
function tags_of(error: unknown): string[] {
  if (error instanceof asyncio.CancelledError) return [error.message];
  return error instanceof AggregateError ? error.errors.flatMap(tags_of) : [];
}

/** An error or a value as text. */
export function describe(value: unknown): string {
  if (value instanceof AggregateError) {
    return `${value.name}[${value.errors.map(describe).join(", ")}]`;
  }
  if (value instanceof Error) return `${value.name}(${value.message})`;
  return Array.isArray(value) ? `[${value.map(describe).join(", ")}]` : String(value);
}

/** What is awaited as `work` is, and has what comes of it noted at the same moments. */
function observed<T>(
  work: PromiseLike<T>,
  begin: () => void,
  settle: (failed: boolean, value: unknown) => void,
): PromiseLike<T> {
  return {
    then: (fulfilled, rejected) => {
      begin();
      return work.then(
        (value) => {
          settle(false, value);
          return fulfilled!(value);
        },
        (error) => {
          settle(true, error);
          return rejected!(error);
        },
      );
    },
  };
}

/** A task whose cancellations are noted and have a message each. */
class BorderTask<T> extends asyncio.Task<T> {
  override cancel(message?: unknown): boolean {
    return current.on_cancel(
      this as AnyTask,
      message as string | undefined,
      (tag) => super.cancel(tag),
    );
  }
}

/** A lock or a semaphore. */
interface Permit extends asyncio.AsyncContextManager<unknown> {
  acquire(): PromiseLike<unknown>;
  release(): void;
}

/** Where a call is: the code that makes it, and what is around. */
interface Place {
  flow: Flow;
  slots: Map<number, { promise: Promise<unknown>; flow: Flow }>;
}

/** What was noted of a program. */
export class Run {
  readonly program: Program;
  readonly violations: Violation[] = [];
  readonly tasks: TaskRecord[] = [];
  readonly scopes: Scope[] = [];
  readonly flows: Flow[] = [];
  readonly leaves: Leaf[] = [];
  readonly requests: Request[] = [];
  readonly lines: string[] = [];
  readonly put_items: string[] = [];
  readonly got_items: string[] = [];
  readonly queues: asyncio.Queue<string>[] = [];
  readonly semaphores: asyncio.Semaphore[] = [];
  readonly locks: asyncio.Lock[] = [];
  readonly events: asyncio.Event[] = [];
  readonly events_set: (Moment | null)[] = [];
  /** When code of a task was resumed by a native promise, of which the library knows nothing. */
  readonly native_resumptions: { task: TaskRecord | null; over: Moment }[] = [];
  /** When the main task had nothing more to wait for. */
  end: Moment | null = null;

  readonly #traces: boolean;
  readonly #main_tasks: TaskRecord[] = [];
  readonly #records = new Map<AnyTask, TaskRecord>();
  readonly #not_started = new Map<unknown, TaskRecord>();
  readonly #natives = new Set<() => void>();
  #loop: asyncio.AbstractEventLoop | null = null;
  #moments = 0;
  #names = new Map<string, number>();
  /** The block whose signal is being aborted. */
  #aborting: Scope | null = null;
  #is_explicit = false;
  /** The code that cancels a task. */
  #canceller: Flow | null = null;
  #is_by_other_task = false;
  /** Whether the run of the loop cancels what its main task has left. */
  #is_ending_run = false;
  /** The last request that the library may have made for several scopes. */
  #unresolved: Request | null = null;
  readonly #expired = new Set<Scope>();

  constructor(program: Program, traces: boolean) {
    this.program = program;
    this.#traces = traces;
  }

  moment(): Moment {
    return { at: ++this.#moments, time: this.#loop === null ? 0 : this.#loop.time() / TICK };
  }

  note(text: () => string): void {
    if (!this.#traces) return;
    const { time } = this.moment();
    this.lines.push(`${String(time).padStart(6)}  ${text()}`);
  }

  violate(invariant: string, detail: string): void {
    this.violations.push({ invariant, detail });
    this.note(() => `!!! ${invariant}: ${detail}`);
  }

  #name(prefix: string): string {
    const count = (this.#names.get(prefix) ?? 0) + 1;
    this.#names.set(prefix, count);
    return `${prefix}${count}`;
  }

  #outcome(failed: boolean, value: unknown): Outcome {
    return { ...this.moment(), failed, value, cancelled: failed && is_cancellation(value) };
  }

  #seconds(ticks: number): number {
    return ticks * TICK;
  }

  // ---------------------------------------------------------------- records

  #new_task(group: Scope | null, gathered_by: Leaf | null): TaskRecord {
    const name = this.#name("T");
    const root = this.#new_scope("task", null, []);
    const record: TaskRecord = {
      name,
      task: null,
      root,
      flow: null,
      body: null,
      group,
      gathered_by,
      uncancels: [],
    };
    root.task = record;
    root.name = name;
    this.tasks.push(record);
    return record;
  }

  #new_scope(kind: ScopeKind, task: TaskRecord | null, around: readonly Scope[]): Scope {
    const scope: Scope = {
      name: this.#name(kind === "task" ? "root" : kind),
      kind,
      task,
      chain: [],
      begun: null,
      known: new Set(),
      deadline: null,
      timeout: null,
      aborted: null,
      reason: undefined,
      children: [],
      errors: [],
      body: null,
      known_at_end: new Set(),
      seen_at_end: new Set(),
      result: null,
    };
    scope.chain = [...around, scope];
    this.scopes.push(scope);
    return scope;
  }

  #new_flow(
    parent: Flow | null,
    task: TaskRecord | null,
    chain: readonly Scope[],
    is_aside = parent?.is_aside ?? false,
  ): Flow {
    const flow: Flow = {
      name: this.#name("f"),
      task,
      chain,
      known: new Set(parent?.known),
      seen: new Set(parent?.seen),
      has_begun: false,
      outcome: null,
      waited_natively: null,
      is_aside,
      awaited_by: null,
    };
    this.flows.push(flow);
    return flow;
  }

  #new_leaf(flow: Flow, pending: Pending, kind: Leaf["kind"], more: Partial<Leaf> = {}): Leaf {
    const leaf: Leaf = {
      name: this.#name("w"),
      kind,
      flow,
      chain: flow.chain,
      pending,
      known: new Set(),
      seen: new Set(),
      begun: null,
      outcome: null,
      tags: [],
      ticks: null,
      index: null,
      task: null,
      limit: null,
      operation: null,
      ...more,
    };
    pending.leaves.push(leaf);
    this.leaves.push(leaf);
    return leaf;
  }

  #begin(leaf: Leaf): void {
    this.#resolve();
    leaf.begun = this.moment();
    leaf.known = new Set(leaf.flow.known);
    leaf.seen = new Set(leaf.flow.seen);
    this.note(() => `${leaf.flow.name} begins ${leaf.name} = ${leaf.kind}`);
  }

  #settle(leaf: Leaf, failed: boolean, value: unknown): void {
    this.#resolve();
    leaf.outcome = this.#outcome(failed, value);
    if (leaf.outcome.cancelled) leaf.tags = tags_of(value);
    const text = failed ? `throws ${describe(value)}` : `gives ${describe(value)}`;
    this.note(() => `${leaf.flow.name}'s ${leaf.name} ${text}`);
    if (leaf.kind === "get" && !failed) this.got_items.push(value as string);
  }

  // What code learns from an error that is thrown to it.
  #see(flow: Flow, tags: Iterable<string>): void {
    for (const tag of tags) {
      flow.known.add(tag);
      flow.seen.add(tag);
    }
  }

  #learn(flow: Flow, tags: Iterable<string>): void {
    for (const tag of tags) flow.known.add(tag);
  }

  #learn_from(flow: Flow, { leaves, flows, tasks }: Pending): void {
    for (const { tags } of leaves) this.#learn(flow, tags);
    for (const { known } of flows) this.#learn(flow, known);
    for (const task of tasks) this.#learn(flow, task.flow?.known ?? []);
  }

  // ---------------------------------------------------------------- cancellation

  /** What `Task.cancel()` does here. */
  on_cancel(task: AnyTask, message: string | undefined, go: (tag?: string) => boolean): boolean {
    const record = this.#records.get(task);
    // Blocks of a call that has outlived its task still cancel what they are around.
    const by_block = !this.#is_explicit && message === undefined;
    if (record === undefined) return this.#by_other_task(() => go(message));
    if (task.done() && !by_block) return go(message);
    this.#resolve();
    // What is passed on to other tasks within this call is not explicit any more.
    const is_explicit = this.#is_explicit;
    this.#is_explicit = false;
    const by = is_explicit
      ? "program"
      : message !== undefined || this.#is_by_other_task
      ? "await"
      : this.#is_ending_run
      ? "end of run"
      : "library";
    const tag = message ?? this.#name("r");
    const causes = by === "library" ? this.#causes(record) : only(record.root);
    const { scopes } = causes;
    const request: Request = {
      ...this.moment(),
      tag,
      task: record,
      by,
      ...causes,
      known: new Set(record.flow?.known),
      by_itself: is_explicit && this.#canceller?.task === record,
    };
    this.note(() => `${record.name} is cancelled by the ${by}: ${tag}, ${names(scopes)}`);
    if (scopes.length === 0) this.violate("cancelled without a cause", `${record.name}, ${tag}`);
    if (by === "await" && !this.#is_by_other_task) this.#check_passed_on(record, tag);
    this.requests.push(request);
    const was_cancelled = go(tag);
    if (by === "library") this.#unresolved = request;
    return was_cancelled;
  }

  // A block of a call that has outlived its task may have a task of its own, whose cancellation has no tag.
  #by_other_task(go: () => boolean): boolean {
    const outer = this.#is_by_other_task;
    this.#is_by_other_task = true;
    try {
      return go();
    } finally {
      this.#is_by_other_task = outer;
    }
  }

  // For which of a task's scopes the library may call its cancel() now: those of which it can be.
  #causes(record: TaskRecord): Pick<Request, "scopes" | "causes" | "renewed"> {
    if (this.#aborting !== null) return only(this.#aborting);
    const { time } = this.moment();
    const own = this.requests.filter(({ task }) => task === record);
    // A group may have renewed what came for the scope in the place of another that cancels it later.
    const used = (scope: Scope) =>
      own.some(({ scopes, causes, renewed, by }) =>
        by === "library" && scopes.length === 1 && scopes[0] === scope && causes.includes(scope) &&
        !renewed.includes(scope)
      );
    const open = this.scopes.filter(({ task, begun, result }) =>
      task === record && begun !== null && result === null
    );
    const causes = open.filter((scope) => {
      if (used(scope)) return false;
      // One that begins when its task has ended has a task of its own.
      if (record.body !== null && record.body.time < (scope.begun as Moment).time) return false;
      if (scope.kind === "group") return scope.errors.length > 0 && !scope.body?.failed;
      return scope.deadline !== null && scope.deadline <= time;
    });
    const { group, root, gathered_by } = record;
    const outlives = group !== null && group.task !== null && group.task.body !== null;
    if (group !== null && !used(root) && (outlives || is_aborting(group, this.requests))) {
      causes.push(root);
    }
    // A block that has outlived its task has a task of its own, which passes its cancellation on.
    const maker = gathered_by?.flow.task ?? null;
    if (maker !== null && maker.body !== null && gathered_by?.outcome === null) causes.push(root);
    // A group that throws its errors renews the requests that came from outside.
    const renewed = open
      .filter(({ kind, body, errors, children }) =>
        kind === "group" && body !== null && errors.length + Number(body.failed) > 0 &&
        children.every(({ task }) => task === null || task.done())
      )
      .flatMap(({ chain }) => chain.slice(0, -1))
      .filter((scope) => own.some(({ scopes }) => scopes.includes(scope)));
    return { scopes: [...new Set([...causes, ...renewed])], causes, renewed };
  }

  // Which of several limits it was shows when it has been called: it says so itself.
  #resolve(): void {
    const request = this.#unresolved;
    if (request === null) return;
    this.#unresolved = null;
    const { causes, renewed } = request;
    // When a call has outlived its task, limits may have passed by other tasks than that.
    if (request.task.task?.done()) return;
    const expired = causes.filter((scope) => scope.timeout?.expired() && !this.#expired.has(scope));
    for (const scope of expired) this.#expired.add(scope);
    request.causes = expired.length > 0
      ? expired
      : causes.filter(({ timeout }) => timeout === null);
    if (expired.length > 0) request.renewed = [];
    request.scopes = [...new Set([...request.causes, ...renewed])];
  }

  // Only an await that is in progress passes a cancellation on to what others may share.
  #check_passed_on(record: TaskRecord, tag: string): void {
    const reached = (leaf: Leaf) =>
      this.requests.some((request) =>
        request.tag === tag && request.scopes.some((scope) => leaf.chain.includes(scope))
      );
    const waiting = this.leaves.filter((leaf) =>
      leaf.begun !== null && leaf.outcome === null && awaits(leaf, record) && reached(leaf)
    );
    // What has ended in this very moment may not have been known to have, nor what has been won at once.
    const { time } = this.moment();
    const may_be_live = ({ begun, pending: { over } }: Leaf) =>
      over === null || over.time === time || over.time === begun?.time;
    if (waiting.some(may_be_live)) return;
    this.violate(
      "a shared task is cancelled",
      `${record.name} by ${tag}, ${
        waiting.length > 0 ? `through ${waiting[0]?.name}, which is over` : "by no await of it"
      }`,
    );
  }

  #cancel(
    record: TaskRecord | undefined,
    times: number,
    { by = null, prefix = "c" }: { by?: Flow | null; prefix?: string } = {},
  ): void {
    for (let i = 0; i < times; i++) {
      const task = record?.task;
      if (task === null || task === undefined || task.done()) return;
      this.#is_explicit = true;
      this.#canceller = by;
      const tag = this.#name(prefix);
      try {
        task.cancel(tag);
      } finally {
        this.#is_explicit = false;
        this.#canceller = null;
      }
    }
  }

  // ---------------------------------------------------------------- native promises

  /** A native promise, and what settles it earlier. */
  #native({ by, after, fails }: Native): {
    promise: Promise<string>;
    settle: (error: unknown) => void;
  } {
    const name = this.#name("n");
    let settle!: (error?: unknown) => void;
    const promise = new Promise<string>((resolve, reject) => {
      settle = (error) => {
        if (!this.#natives.delete(settle)) return;
        this.note(() => `native ${name} ${error === undefined ? "fulfils" : "rejects"}`);
        if (error === undefined) resolve(name);
        else reject(error);
      };
    });
    this.#natives.add(settle);
    promise.catch(() => {});
    const end = () => settle(fails ? new ProgramError(name) : undefined);
    if (by === "host") host.set_timer(end, after * MILLISECONDS);
    else if (by === "loop") this.#loop?.call_later(this.#seconds(after), end);
    else if (by === "microtask") Promise.resolve().then(end);
    else if (by === "turns") {
      const turn = (left: number): void =>
        void host.set_immediate(() => left > 0 ? turn(left - 1) : end());
      turn(after);
    }
    return { promise, settle };
  }

  #work(wait: Wait & { wait: "from_promise" }, operation: Operation): () => PromiseLike<unknown> {
    const { on_abort, late, native } = wait;
    const options = wait.abandon ? { abandon_on_cancel: true } : {};
    const watch = (promise: Promise<unknown>) => {
      promise.then(
        (value) => void (operation.settled = this.#outcome(false, value)),
        (error) => void (operation.settled = this.#outcome(true, error)),
      );
      return promise;
    };
    if (!wait.function) {
      const { promise } = this.#native(native);
      operation.called = true;
      return () => asyncio.from_promise(watch(promise), options);
    }
    const work = (signal: AbortSignal) => {
      const { promise, settle } = this.#native(native);
      operation.called = true;
      signal.addEventListener("abort", () => {
        operation.aborted = this.moment();
        operation.reason = signal.reason;
        this.note(() => `signal aborted: ${describe(signal.reason)}`);
        if (on_abort === "ignore") return;
        const end = () =>
          settle(
            on_abort === "fulfil"
              ? undefined
              : on_abort === "reason"
              ? signal.reason
              : new DOMException(this.#name("abort"), "AbortError"),
          );
        if (late > 0) host.set_timer(end, late * MILLISECONDS);
        else end();
      }, { once: true });
      return watch(promise);
    };
    return () => asyncio.from_promise(work, options);
  }

  // ---------------------------------------------------------------- awaits

  #evaluate(
    place: Place,
    wait: Wait,
    pending: Pending,
    part = pending.part,
  ): PromiseLike<unknown> {
    const { flow } = place;
    const tracked = (work: PromiseLike<unknown>, more: Partial<Leaf> = {}) => {
      part.leaf = this.#new_leaf(flow, pending, wait.wait, more);
      return this.#tracked(part.leaf, work);
    };
    switch (wait.wait) {
      case "sleep":
        return tracked(asyncio.sleep(this.#seconds(wait.ticks), "slept"), { ticks: wait.ticks });
      case "get":
        return tracked(this.queues[wait.queue]!.get(), { index: wait.queue });
      case "put":
        return tracked(this.#put(wait.queue), { index: wait.queue });
      case "event":
        return tracked(this.events[wait.event]!.wait(), { index: wait.event });
      case "join": {
        const record = this.#main_tasks[wait.task]!;
        pending.tasks.push(record);
        if (!wait.shield) part.task = record;
        const more = { index: wait.task, task: record };
        if (!wait.shield) return tracked(record.task!, more);
        return tracked(asyncio.shield(record.task!), { ...more, kind: "shield" });
      }
      case "native":
        return this.#native(wait.native).promise;
      case "from_promise": {
        const operation: Operation = {
          function: wait.function,
          on_abort: wait.on_abort,
          late: wait.late,
          abandon: wait.abandon,
          never: wait.native.by === "never",
          called: false,
          aborted: null,
          reason: undefined,
          settled: null,
        };
        return tracked(this.#work(wait, operation)(), { operation });
      }
      case "all":
      case "race":
      case "any":
      case "allSettled": {
        part.parts = wait.of.map(new_part);
        const parts = wait.of.map((one, i) => this.#evaluate(place, one, pending, part.parts[i]));
        return (Promise[wait.wait] as (parts: PromiseLike<unknown>[]) => Promise<unknown>)(parts);
      }
      case "gather": {
        const leaf = this.#new_leaf(flow, pending, "gather");
        const bodies = wait.bodies.map((body) => {
          const record = this.#new_task(null, leaf);
          pending.tasks.push(record);
          return this.#body(record, body);
        });
        return this.#tracked(leaf, asyncio.gather(...bodies));
      }
      case "limited":
        return this.#limited(flow, wait, pending);
      case "call": {
        const sub = this.#new_flow(flow, flow.task, flow.chain);
        pending.flows.push(sub);
        part.flow = sub;
        sub.awaited_by = pending;
        if (wait.lazy) return asyncio.coroutine(() => this.#call(sub, place.slots, wait.body))();
        const promise = this.#call(sub, place.slots, wait.body);
        promise.catch(() => {});
        return promise;
      }
      case "held": {
        const held = place.slots.get(wait.slot);
        if (held === undefined) return Promise.resolve("not held");
        pending.flows.push(held.flow);
        part.flow = held.flow;
        return held.promise;
      }
    }
  }

  #limited(flow: Flow, wait: Wait & { wait: "limited" }, pending: Pending): PromiseLike<unknown> {
    const { of, after, ticks } = wait;
    const scope = this.#new_scope("wait_for", flow.task, flow.chain);
    const work: asyncio.Coroutine<unknown> = of === "sleep"
      ? asyncio.sleep(this.#seconds(after))
      : of === "get"
      ? this.queues[0]!.get()
      : this.events[0]!.wait();
    const leaf = this.#new_leaf(flow, pending, "limited", { limit: scope });
    return observed(
      asyncio.wait_for(work, this.#seconds(ticks)),
      () => {
        this.#begin(leaf);
        scope.begun = leaf.begun;
        scope.deadline = (leaf.begun as Moment).time + ticks;
      },
      (failed, value) => {
        this.#settle(leaf, failed, value);
        scope.result = leaf.outcome;
        if (of === "get" && !failed) this.got_items.push(value as string);
      },
    );
  }

  #tracked(leaf: Leaf, work: PromiseLike<unknown>): PromiseLike<unknown> {
    return observed(
      work,
      () => this.#begin(leaf),
      (failed, value) => this.#settle(leaf, failed, value),
    );
  }

  #put(index: number): PromiseLike<unknown> {
    const item = this.#name("i");
    const note = (failed: boolean) => void (failed || this.put_items.push(item));
    return observed(this.queues[index]!.put(item), () => {}, note);
  }

  async #await(place: Place, wait: Wait): Promise<void> {
    const { flow } = place;
    const pending = new_pending(flow, wait);
    try {
      await this.#evaluate(place, wait, pending);
      this.#see(flow, seen_in(pending.part));
    } catch (error) {
      pending.has_failed = true;
      throw error;
    } finally {
      pending.over = this.moment();
      if (pending.has_native || pending.flows.some(({ waited_natively }) => waited_natively)) {
        flow.waited_natively = pending.over;
        this.native_resumptions.push({ task: flow.task, over: pending.over });
      }
      this.#learn_from(flow, pending);
      this.#see(flow, pending.part.flow?.seen ?? []);
      this.#check_current(flow);
    }
    if (wait.wait !== "native" && pending.has_native) {
      // What no rule can decide: the winner of a race is a native promise, and another wait for one follows.
      await this.#await(place, { wait: "sleep", ticks: 0 });
    }
  }

  #check_current(flow: Flow): void {
    if (!async_context || this.end !== null) return;
    const outlives = flow.task?.task?.done() ?? false;
    const expected = outlives ? null : flow.task?.task ?? null;
    let seen: AnyTask | null | undefined;
    try {
      seen = asyncio.current_task();
    } catch {
      seen = undefined;
    }
    // A block outside of a task may have one of its own.
    const is_own = (outlives || flow.task === null) && seen !== undefined && seen !== null &&
      !this.#records.has(seen);
    if (seen !== expected && !is_own) {
      this.violate(
        "wrong current task",
        `${flow.name} of ${flow.task?.name ?? "no task"} has ${seen?.get_name() ?? seen}`,
      );
    }
  }

  // ---------------------------------------------------------------- statements

  /** The function that is the body of a task. */
  #body(record: TaskRecord, body: Statement[]): () => Promise<string> {
    const run = async () => {
      if (record.task === null) this.#bind(record, asyncio.current_task() as AnyTask);
      const flow = this.#new_flow(null, record, record.root.chain);
      record.flow = flow;
      record.root.begun = this.moment();
      this.note(() => `${record.name} starts as ${flow.name}`);
      try {
        const value = await this.#call(flow, new Map(), body);
        record.body = this.#outcome(false, value);
        return value;
      } catch (error) {
        record.body = this.#outcome(true, error);
        if (!record.body.cancelled) record.group?.errors.push({ error });
        throw error;
      }
    };
    this.#not_started.set(run, record);
    return run;
  }

  #bind(record: TaskRecord, task: AnyTask): void {
    record.task = task;
    this.#records.set(task, record);
  }

  async #call(flow: Flow, slots: Place["slots"], body: Statement[]): Promise<string> {
    flow.has_begun = true;
    try {
      await this.#block({ flow, slots }, body);
      flow.outcome = this.#outcome(false, flow.name);
      return flow.name;
    } catch (error) {
      flow.outcome = this.#outcome(true, error);
      throw error;
    } finally {
      const { failed, value } = flow.outcome as Outcome;
      this.note(() => `${flow.name} ${failed ? `throws ${describe(value)}` : "ends"}`);
    }
  }

  async #block(place: Place, statements: Statement[]): Promise<void> {
    for (const statement of statements) {
      try {
        await this.#statement(place, statement);
      } catch (error) {
        if (is_cancellation(error)) this.#see(place.flow, tags_of(error));
        else this.#learn(place.flow, tags_of(error));
        throw error;
      }
    }
  }

  async #statement(place: Place, statement: Statement): Promise<void> {
    const { flow } = place;
    switch (statement.do) {
      case "await":
        return await this.#await(place, statement.wait);
      case "timeout":
      case "wait_for":
      case "aborted_by":
        return await this.#limit(place, statement);
      case "group":
        return await this.#group(place, statement);
      case "lock": {
        const lock = this.locks[statement.lock]!;
        return await this.#exclusive(place, lock, statement.lock, statement);
      }
      case "semaphore": {
        const semaphore = this.semaphores[statement.semaphore]!;
        return await this.#exclusive(place, semaphore, statement.semaphore, statement);
      }
      case "try":
        try {
          await this.#block(place, statement.body);
        } catch (error) {
          this.note(() => `${flow.name} catches ${describe(error)}`);
          if (statement.catches === "nothing") throw error;
          if (is_cancellation(error)) {
            if (statement.catches === "errors") throw error;
            if (statement.uncancels && flow.task?.task) {
              flow.task.uncancels.push(this.moment());
              flow.task.task.uncancel();
              this.note(() => `${flow.name} calls uncancel()`);
            }
          }
        } finally {
          if (statement.clean_up.length > 0) await this.#block(place, statement.clean_up);
        }
        return;
      case "hold":
      case "forget": {
        const sub = this.#new_flow(flow, flow.task, flow.chain, true);
        const promise = this.#call(sub, new Map(place.slots), statement.body);
        promise.catch(() => {});
        if (statement.do === "hold") place.slots.set(statement.slot, { promise, flow: sub });
        return;
      }
      case "throw":
        throw statement.what === "error"
          ? new ProgramError(this.#name("e"))
          : statement.what === "null"
          ? null
          : undefined;
      case "cancel":
      case "cancel_self": {
        const task = statement.do === "cancel_self"
          ? flow.task ?? undefined
          : this.#main_tasks[statement.task];
        const times = statement.do === "cancel_self" ? 1 : statement.times;
        this.#cancel(task, times, { by: flow });
        return;
      }
      case "set":
        return this.#set(statement.event);
      case "callback":
        return this.#callback(statement);
    }
  }

  #set(event: number): void {
    this.events_set[event] ??= this.moment();
    this.note(() => `event ${event} is set`);
    this.events[event]!.set();
  }

  #callback({ by, ticks, body }: Statement & { do: "callback" }): void {
    const call = async () => {
      const flow = this.#new_flow(null, null, []);
      this.note(() => `${by} calls ${flow.name}`);
      this.#check_current(flow);
      await this.#call(flow, new Map(), body).catch(() => {});
    };
    const loop = this.#loop as asyncio.AbstractEventLoop;
    if (by === "call_soon") loop.call_soon(() => void call());
    else if (by === "call_later") loop.call_later(this.#seconds(ticks), () => void call());
    else {
      const calls = asyncio.detached(call);
      const times = by === "interval" ? 3 : 1;
      for (let i = 1; i <= times; i++) {
        host.set_timer(() => {
          if (this.end === null) void calls();
        }, i * ticks * MILLISECONDS);
      }
    }
  }

  async #exclusive(
    place: Place,
    permit: Permit,
    index: number,
    { async_with, body }: { async_with: boolean; body: Statement[] },
  ): Promise<void> {
    const pending = new_pending(place.flow, { wait: "sleep", ticks: 0 });
    const leaf = this.#new_leaf(place.flow, pending, "acquire", { index });
    const end = () => {
      pending.over = this.moment();
      this.#learn_from(place.flow, pending);
    };
    if (async_with) {
      this.#begin(leaf);
      const inside = () => {
        this.#settle(leaf, false, "acquired");
        end();
        return this.#block(place, body);
      };
      try {
        await asyncio.async_with(permit, inside);
      } catch (error) {
        if (leaf.outcome === null) this.#settle(leaf, true, error);
        if (pending.over === null) end();
        throw error;
      }
      return;
    }
    try {
      await this.#tracked(leaf, permit.acquire());
    } finally {
      end();
    }
    try {
      await this.#block(place, body);
    } finally {
      permit.release();
    }
  }

  // Runs the body of a block in its scope.
  async #inside(place: Place, scope: Scope, body: () => Promise<void>): Promise<string> {
    const { flow } = place;
    const outer = flow.chain;
    scope.begun = this.moment();
    scope.known = new Set(flow.known);
    flow.chain = scope.chain;
    this.note(() => `${flow.name} enters ${scope.name}`);
    try {
      await body();
      scope.body = this.#outcome(false, scope.name);
      return scope.name;
    } catch (error) {
      scope.body = this.#outcome(true, error);
      throw error;
    } finally {
      scope.known_at_end = new Set(flow.known);
      scope.seen_at_end = new Set(flow.seen);
      const { failed, value } = scope.body as Outcome;
      this.note(() => `body of ${scope.name} ${failed ? `throws ${describe(value)}` : "ends"}`);
      // The exit waits in the block's scope, too, but none of the program's code does.
      flow.chain = outer;
    }
  }

  async #entered(place: Place, scope: Scope, block: PromiseLike<unknown>): Promise<void> {
    try {
      scope.result = this.#outcome(false, await block);
    } catch (error) {
      scope.result = this.#outcome(true, error);
      this.note(() => `${scope.name} throws ${describe(error)}`);
      throw error;
    } finally {
      this.#check_current(place.flow);
    }
  }

  async #limit(
    place: Place,
    statement: Statement & { do: "timeout" | "wait_for" | "aborted_by" },
  ): Promise<void> {
    const { flow } = place;
    const { ticks } = statement;
    const scope = this.#new_scope(statement.do, flow.task, flow.chain);
    const body = () => this.#inside(place, scope, () => this.#block(place, statement.body));
    const loop = this.#loop as asyncio.AbstractEventLoop;
    if (statement.do === "aborted_by") {
      const controller = new AbortController();
      scope.reason = new ProgramError(this.#name("reason"));
      const abort = () => {
        scope.aborted = this.moment();
        this.note(() => `the signal of ${scope.name} is aborted`);
        this.#aborting = scope;
        controller.abort(scope.reason);
        this.#aborting = null;
      };
      if (statement.by === "host") host.set_timer(abort, ticks * MILLISECONDS);
      else loop.call_later(this.#seconds(ticks), abort);
      const manager = asyncio.aborted_by(controller.signal);
      return await this.#entered(place, scope, asyncio.async_with(manager, body));
    }
    scope.deadline = loop.time() / TICK + ticks;
    if (statement.do === "wait_for") {
      return await this.#entered(place, scope, asyncio.wait_for(body, this.#seconds(ticks)));
    }
    const manager = statement.at
      ? asyncio.timeout_at(scope.deadline * TICK)
      : asyncio.timeout(this.#seconds(ticks));
    scope.timeout = manager;
    await this.#entered(place, scope, asyncio.async_with(manager, body));
  }

  async #group(place: Place, statement: Statement & { do: "group" }): Promise<void> {
    const { flow } = place;
    const scope = this.#new_scope("group", flow.task, flow.chain);
    const block = asyncio.async_with(
      new asyncio.TaskGroup(),
      (group) =>
        this.#inside(place, scope, async () => {
          for (const child of statement.children) {
            const record = this.#new_task(scope, null);
            const body = this.#body(record, child);
            scope.children.push(record);
            group.create_task(body, { name: record.name });
          }
          await this.#block(place, statement.body);
        }),
    );
    await this.#entered(place, scope, block);
  }

  // ---------------------------------------------------------------- the program

  async #main(): Promise<void> {
    const { tasks, cancels, events, queues, semaphores, locks } = this.program;
    const loop = this.#loop = asyncio.get_running_loop();
    loop.set_exception_handler((_, { message, exception }) => {
      // As in CPython, what a shield's task throws after its awaiter is gone.
      if (this.end !== null || message?.endsWith("exception in shielded future")) return;
      // After some seconds: a call that is held, and was begun outside of a block, is no part of it.
      if (message?.includes("it waits for a native promise")) return;
      // So is code that goes on though it was cancelled.
      if (message?.includes("was cancelled and has not ended")) return;
      // Or a gather() that fails when its await, of a branch, has been rejected alone: others might share it.
      const is_given_up = ({ kind, outcome }: Leaf) => kind === "gather" && outcome?.cancelled;
      if (message?.startsWith("_GatheringFuture") && this.leaves.some(is_given_up)) return;
      this.violate("reported", `${message}: ${describe(exception)}`);
    });
    for (const value of semaphores) this.semaphores.push(new asyncio.Semaphore(value));
    for (let i = 0; i < locks; i++) this.locks.push(new asyncio.Lock());
    for (const [index, at] of events.entries()) {
      this.events.push(new asyncio.Event());
      this.events_set.push(null);
      if (at !== null) loop.call_later(this.#seconds(at), () => this.#set(index));
    }
    for (const { maxsize, puts } of queues) {
      const queue = new asyncio.Queue<string>(maxsize);
      this.queues.push(queue);
      for (const at of puts) {
        host.set_timer(() => {
          if (this.end !== null || queue.full()) return;
          const item = this.#name("i");
          this.put_items.push(item);
          queue.put_nowait(item);
        }, at * MILLISECONDS);
      }
    }
    for (const body of tasks) {
      const record = this.#new_task(null, null);
      this.#main_tasks.push(record);
      asyncio.create_task(this.#body(record, body), { name: record.name });
    }
    for (const { at, task, times, by } of cancels) {
      const cancel = () => this.#cancel(this.#main_tasks[task], times);
      if (by === "loop") loop.call_later(this.#seconds(at), cancel);
      else host.set_timer(() => this.end === null && cancel(), at * MILLISECONDS);
    }
    if (this.program.main_ends !== null) {
      await asyncio.sleep(this.#seconds(this.program.main_ends));
    } else {
      await this.#wait_for_all();
      // Natives and callbacks that are still to come.
      await asyncio.sleep(this.#seconds(HORIZON));
      await this.#check_wakeups();
    }
    this.end = this.moment();
    this.note(() => "the main task ends");
  }

  async #wait_for_all(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const left = this.#left();
      if (left.length === 0) return;
      const [, pending] = await asyncio.wait(left, { timeout: this.#seconds(HORIZON) });
      if (pending.size === 0) continue;
      await this.#check_wakeups();
      for (const task of pending) this.#cancel(this.#records.get(task), 1, { prefix: "end" });
    }
    this.violate("a task does not end", this.#left().map((task) => task.get_name()).join(", "));
  }

  // The tasks of the program that are not done; what is detached may have some of its own.
  #left(): AnyTask[] {
    return [...asyncio.all_tasks()].filter((task) => this.#records.has(task));
  }

  // Nothing waits for what is there, nor does it a moment later.
  async #check_wakeups(): Promise<void> {
    const stuck = this.leaves.filter((leaf) => this.#has_what_it_waits_for(leaf));
    if (stuck.length === 0) return;
    await asyncio.sleep(TICK);
    for (const leaf of stuck) {
      if (!this.#has_what_it_waits_for(leaf)) continue;
      this.violate("a wake-up is lost", `${leaf.name}, a ${leaf.kind}, still waits`);
    }
  }

  #has_what_it_waits_for({ kind, index, begun, outcome }: Leaf): boolean {
    if (begun === null || outcome !== null || index === null) return false;
    return kind === "get" && !this.queues[index]!.empty() ||
      kind === "put" && !this.queues[index]!.full() ||
      kind === "event" && this.events[index]!.is_set() ||
      (kind === "join" || kind === "shield") && this.#main_tasks[index]!.task!.done();
  }

  #make_task: asyncio.TaskFactory = (loop, coro, options) => {
    const task = new BorderTask(coro, { ...options, loop });
    const record = this.#not_started.get(coro);
    if (record !== undefined) this.#bind(record, task as AnyTask);
    return task;
  };

  /** Runs it; returns when nothing happens any more. */
  async execute(): Promise<void> {
    const { host_seed, busy, virtual_clock, mode } = this.program;
    host.reset(host_seed, busy);
    let settled = false;
    const loop_factory = () => {
      const options = mode === "traced" ? { trace: new TraceRecorder() } : {};
      const loop = virtual_clock
        ? new VirtualClockEventLoop(options)
        : new asyncio.EventLoop(options);
      loop.set_debug(mode === "debug");
      const begin_shutdown = loop["_begin_shutdown"];
      loop["_begin_shutdown"] = () => {
        begin_shutdown.call(loop);
        this.#is_ending_run = true;
        queueMicrotask(() => this.#is_ending_run = false);
      };
      loop.set_task_factory(this.#make_task);
      return loop;
    };
    const ended = (async () => {
      try {
        await asyncio.run(() => this.#main(), { loop_factory });
      } catch (error) {
        const is_due = error instanceof DeadlockError && this.waits_on();
        if (!is_due) this.violate("run() fails", describe(error));
      }
      settled = true;
    })();
    const ending = await host.drive(() => settled || this.#waits_for_good());
    if (!settled && this.waits_on()) return;
    if (ending !== "done") {
      this.violate("hangs", `${ending}; ${this.#waiting()}`);
      return;
    }
    await ended;
    await host.run_immediates();
    const left_behind = host.left_behind();
    if (left_behind > 0) this.violate("left behind", `${left_behind} timers or turns of the host`);
    for (const settle of [...this.#natives]) settle();
    let turns = 0;
    await host.drive(() => ++turns > LAST_TURNS);
  }

  /**
   * Whether code that belongs to no task, or has outlived it, has caught its cancellation at the end of
   * run(), and waits for what never comes, or does not wait for what it has begun.
   */
  waits_on(): boolean {
    const { end } = this;
    return end !== null && this.leaves.some((leaf) => {
      const { begun, outcome, kind, operation } = leaf;
      if (outcome !== null || begun === null || begun.at < end.at) return false;
      return is_loser(leaf) || is_left_by_gather(leaf) ||
        kind !== "sleep" && (operation === null || operation.never);
    });
  }

  // Whether the end is so long ago that nothing but what is waited for in vain can be left.
  #waits_for_good(): boolean {
    const { end } = this;
    return end !== null && host.now > (end.time + MAX_ROUNDS * HORIZON) * MILLISECONDS &&
      this.waits_on();
  }

  #waiting(): string {
    return this.leaves
      .filter(({ begun, outcome }) => begun !== null && outcome === null)
      .map(({ flow, name, kind }) => `${flow.name} at ${name} = ${kind}`).join(", ");
  }
}

const only = (scope: Scope) => ({ scopes: [scope], causes: [scope], renewed: [] });

function names(scopes: readonly Scope[]): string {
  return scopes.map(({ name }) => name).join(" or ") || "for nothing";
}

/** Whether a group cancels its children. */
function is_aborting(
  { errors, body, chain, seen_at_end }: Scope,
  requests: readonly Request[],
): boolean {
  return errors.length > 0 || body !== null &&
      (body.failed ||
        requests.some(({ tag, scopes }) =>
          !seen_at_end.has(tag) && scopes.some((scope) => chain.includes(scope))
        ));
}

/** Whether a leaf awaits a task: itself, or as one of those that it gathers. */
function awaits({ kind, pending, index, name }: Leaf, record: TaskRecord): boolean {
  if (kind === "gather") return record.gathered_by?.name === name;
  return kind === "join" && index !== null && pending.tasks.includes(record);
}

const new_part = ({ wait }: Wait): Part => ({
  wait,
  leaf: null,
  flow: null,
  task: null,
  parts: [],
});

const new_pending = (flow: Flow, wait: Wait): Pending => ({
  flow,
  has_native: has_native(wait),
  part: new_part(wait),
  leaves: [],
  flows: [],
  tasks: [],
  over: null,
  has_failed: false,
});

/** The cancellations of which code has certainly learned that has awaited something, which was fulfilled. */
function seen_in({ wait, leaf, flow, task, parts }: Part): string[] {
  const others = wait === "all" ? parts.flatMap(seen_in) : [];
  return [
    ...leaf?.outcome?.cancelled ? leaf.tags : [],
    ...flow?.seen ?? [],
    ...task?.flow?.seen ?? [],
    ...others,
  ];
}

function has_native(wait: Wait): boolean {
  return wait.wait === "native" || is_combinator(wait) && wait.of.some(has_native);
}

/** Whether a race that an await is a part of was over before the await. */
export function is_loser({ outcome, pending }: Leaf): boolean {
  for (let around: Pending | null = pending; around !== null; around = around.flow.awaited_by) {
    if (around.over !== null && (outcome === null || around.over.at < outcome.at)) return true;
  }
  return false;
}

/** Whether a gather() has failed for which an await was made: as in CPython, the tasks beside go on by themselves. */
const is_left_by_gather = ({ flow }: Leaf) => (flow.task?.gathered_by?.outcome ?? null) !== null;

/** The program that is being run. */
let current: Run;

/** Runs a program, for the oracle. */
export async function run_program(program: Program, traces = false): Promise<Run> {
  const run = current = new Run(program, traces);
  await run.execute();
  return run;
}
