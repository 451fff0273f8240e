/**
 * The invariants: what must hold of every program, whatever it is.
 *
 * They are stated over what the program's code could see, and over the calls of `Task.cancel()`. Where
 * several cancellations meet, so that several outcomes are right, all of them are let pass.
 */

import { describe, is_cancellation, is_loser, type Run } from "./interpreter.ts";
import * as asyncio from "../../mod.ts";
import type {
  Flow,
  Leaf,
  Moment,
  Outcome,
  Part,
  Pending,
  Request,
  Scope,
  TaskRecord,
  Violation,
} from "./records.ts";

/** An invariant: gives what breaks it. */
type Invariant = (run: Run) => Generator<string>;

/** Waits that end at once when they are cancelled, and whose errors are nothing but cancellations. */
const AT_ONCE = new Set(["sleep", "get", "put", "event", "acquire", "shield", "limited"]);

const is_for = ({ scopes }: Request, scope: Scope) => scopes.includes(scope);

/** Whether a request is for one scope, as far as can be told, and for which. */
const only_scope = ({ scopes }: Request): Scope | null => scopes.length === 1 ? scopes[0]! : null;

/** Whether a task's body had ended when a request for the task came: as in CPython, a task that is done takes none. */
const is_too_late = ({ at, task, scopes }: Request) =>
  scopes.every(({ kind }) => kind === "task") && task.body !== null && task.body.at < at;

const same = (one: Outcome, other: Outcome) =>
  one.failed === other.failed && Object.is(one.value, other.value);

/** Whether the code of a task has called uncancel() since. */
const uncancels_since = ({ uncancels }: TaskRecord, at: number) =>
  uncancels.some((uncancel) => uncancel.at > at);

/** Whether code knows of a request, or of one that came to a task together with it. */
function is_known(run: Run, request: Request, known: ReadonlySet<string>): boolean {
  if (known.has(request.tag)) return true;
  const { requests } = run;
  // One error tells of the end of the run, and of what comes in the same moment.
  const comes_with_end = requests.some((other) =>
    other !== request && other.task === request.task && other.by === "end of run" &&
    other.time === request.time
  );
  if (comes_with_end) return true;
  // As in CPython, an await that had been woken with a cancellation of what it awaits throws that alone.
  const was_woken = ({ kind, task, chain, outcome, tags }: Leaf) =>
    (kind === "join" || kind === "shield" || kind === "gather") && outcome !== null &&
    outcome.cancelled && outcome.at > request.at && outcome.time === request.time &&
    (task === null || task.body !== null && task.body.at < request.at) &&
    request.scopes.some((scope) => chain.includes(scope)) && tags.some((tag) => known.has(tag));
  if (run.leaves.some(was_woken)) return true;
  // A group that waits for its children has been told; it throws something, and renews what it has to.
  const is_told = ({ task, at, scopes, tag }: Request) =>
    run.scopes.some(({ kind, task: owner, body, result, chain, children, known_at_end }) =>
      kind === "group" && owner === task && body !== null && result !== null && result.failed &&
      (body.at < at || children.length > 0 && !known_at_end.has(tag)) && result.at > at &&
      scopes.some((scope) => chain.includes(scope))
    );
  // A block whose body has not seen it throws it at its end, perhaps by the message of another.
  const is_thrown = ({ task, at, scopes }: Request) =>
    run.scopes.some(({ task: owner, body, result, chain }) =>
      owner === task && body !== null && !body.failed && result !== null && result.cancelled &&
      result.at > at && scopes.some((scope) => chain.includes(scope))
    );
  if (is_thrown(request)) return true;
  // One await throws once for both: it was open at the request, and throws the other one, which a branch beside it knew.
  const is_told_with = ({ at, scopes }: Request, tag: string) =>
    run.leaves.some((leaf) =>
      leaf.tags.includes(tag) && leaf.outcome?.cancelled && is_open_at(leaf, at) &&
      scopes.some((scope) => leaf.chain.includes(scope))
    );
  // An await passes it on: then what came to the task that is awaited counts, too.
  return requests.some((one) =>
    one.tag === request.tag &&
    (is_told(one) || requests.some((other) =>
      other.task === one.task && known.has(other.tag) &&
      // The error that tells of both may have the message of the first one.
      (other.at > one.at || !one.known.has(other.tag) || is_told_with(one, other.tag))
    ))
  );
}

/**
 * What awaits in a scope have thrown that its main code does not wait for any more: beside a native
 * promise that has won a race in the very moment of the cancellation, or while the main code ended.
 */
function tags_beside(run: Run, scope: Scope, { time }: Moment): string[] {
  return run.leaves.flatMap(({ pending, chain, tags, outcome }) =>
    chain.includes(scope) && (pending.has_native || outcome?.time === time) ? tags : []
  );
}

/** Whether another line of code has taken a cancellation, so that the main one may not have seen it. */
function is_taken(run: Run, scope: Scope, request: Request, { time }: Moment): boolean {
  const inside = run.leaves.filter(({ chain }) => chain.includes(scope));
  // That of async_with() begins to wait a moment after it is called.
  const open = inside.filter((leaf) =>
    is_open_at(leaf, request.at) &&
    !(leaf.kind === "acquire" && leaf.begun?.time === request.time)
  );
  // The main code was about to end, or to wait, or waits for a native promise.
  if (open.length > 0 && time === request.time) return true;
  // Or a native promise resumed it in this very moment.
  const follows = (moment: Moment | null) =>
    moment !== null && moment.at > request.at && moment.time === request.time;
  // A group's exit waits for its children.
  const begins = inside.some(({ begun }) => follows(begun)) ||
    run.scopes.some(({ kind, body, chain }) =>
      kind === "group" && chain.includes(scope) && follows(body)
    );
  const is_bystander = (leaf: Leaf) => leaf.flow.is_aside || is_loser(leaf);
  if (begins && open.length > 0 && open.every(is_bystander)) return true;
  if (open.length > 0 && open.every(({ flow }) => flow.is_aside)) return true;
  // A call that nothing awaits at once was told, while an operation of the main code went on.
  const is_operating = open.some(({ operation }) => operation !== null);
  const tags_of_task = run.requests.filter(({ task }) => task === request.task)
    .map(({ tag }) => tag);
  const has_seen = ({ is_aside, chain, seen }: Flow) =>
    is_aside && chain.includes(scope) && tags_of_task.some((tag) => seen.has(tag));
  if ((open.length === 0 || is_operating) && run.flows.some(has_seen)) return true;
  // As in CPython, an await that has passed it on gives what the tasks that it awaits give.
  const fails = ({ kind, outcome }: Leaf) =>
    (kind === "gather" || kind === "join") && outcome !== null && outcome.failed &&
    !outcome.cancelled;
  if (open.some(fails)) return true;
  // And so does one of a task that was ending when it was passed on to it.
  const gives = ({ kind, task, outcome }: Leaf) =>
    kind === "join" && outcome?.cancelled === false &&
    run.requests.some((other) => other.tag === request.tag && other.task === task);
  if (inside.some(gives)) return true;
  if (is_refused_in(run, scope)) return true;
  return inside.some((leaf) => {
    const { tags, begun, pending, operation, flow } = leaf;
    // What is pending is thrown once, by the first that waits: perhaps in a race that another wins.
    const takes_pending = begun !== null && begun.at > request.at &&
      (tags.length > 0 || operation?.aborted);
    if (takes_pending && (flow.is_aside || is_loser(leaf))) return true;
    if (takes_pending && is_swallowed(leaf)) return true;
    if (!is_combinator(pending.part)) return false;
    if (takes_pending && tags.length === 0) return true;
    // A race that was won at once: its loser may as well be a branch that is waited for.
    const { over } = pending;
    if (over !== null && over.time === begun?.time && tags.includes(request.tag)) return true;
    // Something else had given its value in the same moment.
    return tags.some((tag) => tags_of_task.includes(tag)) && !pending.has_failed &&
      pending.over?.time === request.time;
  });
}

/** Whether a block, or a coroutine, which is a part of something else, was refused in a scope: it has taken what came. */
function is_refused_in({ scopes, flows }: Run, scope: Scope): boolean {
  return scopes.some(({ begun, result, chain }) =>
    begun === null && result !== null && result.cancelled && chain.includes(scope)
  ) || flows.some(({ has_begun, chain }) => !has_begun && chain.includes(scope));
}

/** Whether something that an await is a part of gave a value all the same. */
function is_swallowed({ pending }: Leaf): boolean {
  for (let around: Pending | null = pending; around !== null; around = around.flow.awaited_by) {
    if (is_combinator(around.part) && !around.has_failed) return true;
  }
  return false;
}

const is_combinator = ({ parts }: Part) => parts.length > 0;

/** Whether a block in code that has outlived its task, which may have a task of its own, may have left an await behind. */
function is_left_outside(leaf: Leaf): boolean {
  const { begun, flow: { task, is_aside } } = leaf;
  const outlives = begun !== null && task !== null && task.body !== null && task.body.at < begun.at;
  return outlives && (is_aside || is_loser(leaf));
}

/** Every open await in a scope is told of a cancellation of it, at the moment of the request. */
function* told(run: Run): Generator<string> {
  for (const request of run.requests) {
    const scope = only_scope(request);
    if (scope === null || is_too_late(request)) continue;
    for (const leaf of run.leaves) {
      if (leaf.begun === null || leaf.begun.at > request.at) continue;
      if (leaf.outcome !== null && leaf.outcome.at < request.at) continue;
      if (!leaf.chain.includes(scope)) continue;
      if (is_left_outside(leaf)) continue;
      const { operation, outcome, name, kind } = leaf;
      let until = request.time;
      if (operation !== null) {
        if (operation.function && !operation.abandon) {
          if (operation.on_abort === "ignore") continue;
          until += operation.late;
        }
      } else if (!AT_ONCE.has(kind)) continue;
      // That of async_with() begins to wait a moment after it is called.
      if (kind === "acquire" && leaf.begun.time === request.time) continue;
      if (outcome === null || outcome.time > until) {
        const when = outcome === null ? "never" : `at ${outcome.time}`;
        yield `${name}, a ${kind} in ${scope.name}, which is cancelled at ${request.time} by ` +
          `${request.tag}, ends ${when}`;
      }
    }
  }
}

/** Whether an await was open when a request came. */
const is_open_at = ({ begun, outcome }: Leaf, at: number) =>
  begun !== null && begun.at < at && (outcome === null || outcome.at > at);

/** The scopes of an await from its own one outward to one. */
const scopes_up_to = ({ chain }: Leaf, scope: Scope) => chain.slice(chain.indexOf(scope));

/**
 * When code of each scope was resumed: by an await that settled, unless the code had gone on without it,
 * and by a block that ended.
 */
function resumptions(run: Run): Map<Scope, Moment[]> {
  const resumed = new Map<Scope, Moment[]>();
  const events: { scope: Scope; begun: Moment | null; moment: Moment }[] = [];
  for (const { chain, begun, outcome, kind } of run.leaves) {
    // The library need not wait for what is free: that is no await of its own.
    if (kind === "acquire" && begun?.time === outcome?.time) continue;
    if (outcome !== null) events.push({ scope: chain.at(-1)!, begun, moment: outcome });
  }
  for (const { chain, result } of run.scopes) {
    if (result !== null && chain.length > 1) {
      events.push({ scope: chain.at(-2)!, begun: null, moment: result });
    }
  }
  for (const { scope, begun, moment } of events.toSorted((a, b) => a.moment.at - b.moment.at)) {
    if (scope === undefined) continue;
    const moments = resumed.get(scope) ?? [];
    resumed.set(scope, moments);
    const last = moments.at(-1);
    if (begun === null || last === undefined || last.at < begun.at) moments.push(moment);
  }
  return resumed;
}

const is_over = ({ over }: Pending, { at }: Request) => over !== null && over.at < at;

/** Only a live await passes a cancellation on to a task that others may share, and each one does. */
function* passed_on(run: Run): Generator<string> {
  const resumed = resumptions(run);
  for (const request of run.requests) {
    const scope = only_scope(request);
    if (scope === null || request.by === "end of run") continue;
    // The code that cancels its own task waits for none of its open awaits: they are of other branches.
    const must_pass = !request.by_itself;
    for (const leaf of run.leaves) {
      const { kind, pending, chain, name, begun } = leaf;
      if (kind !== "join" || !chain.includes(scope) || !is_open_at(leaf, request.at)) continue;
      const awaited = leaf.task as TaskRecord;
      const on_task = run.requests.filter(({ task }) => task === awaited);
      const passed = on_task.find(({ tag, by }) => tag === request.tag && by === "await");
      const scopes = scopes_up_to(leaf, scope);
      // What happens in one moment may have been seen in another order.
      const since = scopes.flatMap((scope) =>
        resumed.get(scope)?.filter(({ at }) => at > begun!.at && at < request.at) ?? []
      );
      const is_older = since.some(({ time }) => time < request.time);
      if (passed !== undefined) {
        const others = run.leaves.filter((other) =>
          other !== leaf && other.task === awaited && other.kind !== "shield" &&
          is_open_at(other, passed.at)
        );
        if (is_older && others.length === 0) {
          yield `${awaited.name} is cancelled by ${request.tag} through ${name}, whose code went on`;
        }
        continue;
      }
      const may_be_done = awaited.body !== null && awaited.body.at < request.at ||
        awaited.body === null && on_task.some(({ at }) => at < request.at);
      // What a native promise has resumed shows only by what it began.
      const has_begun = run.leaves.some((other) =>
        scopes.includes(other.chain.at(-1)!) && other.begun !== null && other.begun.at > begun!.at
      );
      if (
        must_pass && !may_be_done && since.length === 0 && !has_begun && !is_over(pending, request)
      ) {
        yield `${request.tag} is not passed on by ${name} to ${awaited.name}`;
      }
    }
  }
}

/** A pending cancellation is thrown by the first wait of its scope. */
function* not_pending(run: Run): Generator<string> {
  for (const request of run.requests) {
    const scope = only_scope(request);
    const { task, at, tag, by } = request;
    if (scope === null || by === "end of run" || task.uncancels.length > 0) continue;
    const inside = run.leaves.filter(({ chain }) => chain.includes(scope));
    const open = inside.filter((leaf) => is_open_at(leaf, at));
    // What these wait for may have taken it, or code that has begun to wait for something else.
    if (open.some(({ kind }) => kind === "join" || kind === "gather")) continue;
    // Of several that are pending the latest is thrown, or passed on, and stands for all of them.
    const together = new Set(
      run.requests.filter((other) => other.task === task && other.at >= at).map(({ tag }) => tag),
    );
    if (run.requests.some((other) => together.has(other.tag) && other.task !== task)) continue;
    if (is_refused_in(run, scope)) continue;
    if (run.flows.some(({ chain, seen }) => chain.includes(scope) && seen.has(tag))) continue;
    for (const leaf of inside) {
      const { begun, outcome, kind, name, known } = leaf;
      if (begun === null || begun.at < at || !AT_ONCE.has(kind)) continue;
      // The end of a body takes it, where the block then throws.
      const end = scope.kind === "task"
        ? task.body
        : scope.result?.failed
        ? scope.body
        : scope.result;
      if (end !== null && end.at < begun.at) continue;
      const waits_on = outcome === null || outcome.time > begun.time;
      if (!waits_on || is_known(run, request, known)) continue;
      const is_told = inside.some((other) =>
        other.begun !== null && other.begun.at < begun.at && other.outcome !== null &&
        other.outcome.at > at && (other.outcome.cancelled || other.operation?.aborted)
      );
      if (!is_told) yield `${name}, a ${kind}, waits, though ${tag} is pending in ${scope.name}`;
    }
  }
}

/** A CancelledError reaches awaits only in a scope that it was meant for. */
function* meant(run: Run): Generator<string> {
  for (const { name, kind, chain, tags, outcome, flow, limit, seen } of run.leaves) {
    if (outcome === null || run.end !== null && outcome.at > run.end.at) continue;
    for (const tag of tags) {
      // Code that has outlived its task: its blocks have a task that is not the program's.
      if (tag === "" && flow.task?.body !== null && flow.task?.task?.done()) continue;
      const requests = run.requests.filter((request) =>
        request.at < outcome.at && (tag === "" || request.tag === tag)
      );
      const around = limit === null ? chain : limit.chain;
      const is_around = ({ scopes }: Request) => scopes.some((scope) => around.includes(scope));
      if (requests.some(is_around)) continue;
      // Of two that have not been seen the error has the message of one.
      const together = run.requests.filter((request) =>
        is_around(request) && request.at < outcome.at && !seen.has(request.tag)
      );
      if (together.length > 0) continue;
      // The result of a task that was cancelled, or threw the error, is its awaiters' error.
      if (kind === "join" || kind === "shield" || kind === "gather") {
        if (requests.length > 0) continue;
      }
      const scopes = requests.flatMap(({ scopes }) => scopes.map(({ name }) => name));
      yield `${flow.name}'s ${name}, a ${kind}, is cancelled by ${tag || "somebody"}, ` +
        `which was for ${scopes.join(" or ") || "nobody"}`;
    }
  }
}

/** A cancellation is thrown once: code that knows of it does not see it again. */
function* once(run: Run): Generator<string> {
  const late = new Map<string, Leaf>();
  const resumed = resumptions(run);
  for (const leaf of run.leaves) {
    const { name, kind, tags, begun, flow, seen } = leaf;
    if (!AT_ONCE.has(kind) && kind !== "from_promise") continue;
    if (kind === "shield") continue;
    for (const tag of tags) {
      // Two awaits of one task pass it on twice.
      const count = run.requests.filter((one) => one.tag === tag && one.task === flow.task).length;
      if (tag === "" || count > 1) continue;
      if (is_left_beside(run, flow, tag)) continue;
      if (begun !== null && is_hidden_by_native(run, flow.task, begun, tag, resumed)) continue;
      if (seen.has(tag)) {
        yield `${flow.name} has seen ${tag}, and its ${name}, a ${kind}, throws it`;
      }
      const request = run.requests.find((request) =>
        request.tag === tag && request.task === flow.task
      );
      if (request === undefined || begun === null || begun.at < request.at) continue;
      // Code aside may have had an operation that was told, and was fulfilled all the same.
      if (flow.is_aside) continue;
      const key = `${tag} ${flow.task?.name}`;
      const first = late.get(key);
      if (first === undefined) late.set(key, leaf);
      else yield `${tag} is thrown by ${first.name} and by ${name}, which both began after it`;
    }
  }
}

/**
 * Whether work that gave its value left a cancellation to what comes after it, while other awaits of the
 * task threw it: which of their codes comes next does not show.
 */
function is_left_beside(run: Run, { task }: Flow, tag: string): boolean {
  const request = run.requests.find((one) => one.tag === tag && one.task === task);
  if (request === undefined || task === null) return false;
  const told = run.leaves.filter((leaf) =>
    leaf.chain.includes(task.root) && (is_open_at(leaf, request.at) || has_taken(leaf, request))
  );
  // A promise that had settled gives its value, too.
  return told.length > 1 &&
    told.some(({ operation, outcome }) =>
      operation !== null && outcome?.failed === false &&
      (operation.aborted !== null || outcome.time === request.time)
    );
}

/**
 * Whether code that has caught the error of an older await, as of a branch of `Promise.all` beside one that had settled,
 * waited for a native promise next: to the library it looks as a lost race beside code that waits for that promise, and
 * at the next await or the end of the task the cancellation is thrown again.
 */
function is_hidden_by_native(
  run: Run,
  task: Flow["task"],
  next: Moment,
  tag: string,
  resumed: ReadonlyMap<Scope, readonly Moment[]>,
): boolean {
  const request = run.requests.find((one) => one.tag === tag && one.task === task);
  const scope = request === undefined ? null : only_scope(request);
  if (request === undefined || scope === null) return false;
  const native = run.native_resumptions.find((native) =>
    native.task === task && native.over.at > request.at && native.over.at < next.at
  );
  if (native === undefined) return false;
  const inside = run.leaves.filter(({ chain }) => chain.includes(scope));
  const is_older = (leaf: Leaf) =>
    scopes_up_to(leaf, scope).some((scope) =>
      resumed.get(scope)?.some(({ at }) => at > leaf.begun!.at && at < request.at)
    );
  const open = inside.filter((leaf) => is_open_at(leaf, request.at));
  return open.length > 0 && open.every(is_older) &&
    !inside.some(({ begun }) =>
      begun !== null && begun.at > request.at && begun.at < native.over.at
    );
}

/** Whether work took, when it began, a cancellation that was pending. */
function has_taken({ begun, operation }: Leaf, { at }: Request): boolean {
  return begun !== null && begun.at > at && operation?.aborted?.time === begun.time;
}

/** A task that was cancelled before its body ended has seen it, or ends as cancelled. */
function* not_lost(run: Run): Generator<string> {
  for (const record of run.tasks) {
    const { body, flow, task, root, name } = record;
    if (task === null || flow === null || body === null || body.failed || task.cancelled()) {
      continue;
    }
    // Code that takes back what a block has asked for makes the block take back something else.
    if (run.tasks.some(({ uncancels }) => uncancels.length > 0)) continue;
    const known = new Set([...flow.known, ...tags_beside(run, root, body)]);
    for (const request of run.requests) {
      if (request.task !== record || only_scope(request) !== root || request.at > body.at) continue;
      if (!is_known(run, request, known) && !is_taken(run, root, request, body)) {
        yield `${name} was cancelled by ${request.tag}; its body has not seen it and gave a value`;
      }
    }
  }
}

/** A task ends as its body did; as cancelled only for a cancellation that its code has not seen. */
function* ends_of_tasks(run: Run): Generator<string> {
  const resumed = resumptions(run);
  for (const record of run.tasks) {
    const { name, task, flow, body, root } = record;
    if (task === null) continue;
    if (!task.done()) {
      if (!run.waits_on()) yield `${name} is not done`;
      continue;
    }
    const requests = run.requests.filter((request) => is_for(request, root));
    if (body === null) {
      if (!task.cancelled() || requests.length === 0) yield `${name} ended, its body did not`;
    } else if (body.cancelled) {
      if (!task.cancelled()) yield `the body of ${name} was cancelled, the task was not`;
    } else if (body.failed) {
      if (task.cancelled() || !Object.is(task.exception(), body.value)) {
        yield `the body of ${name} threw ${describe(body.value)}, the task did not`;
      }
    } else if (task.cancelled()) {
      const unseen = requests.some((request) =>
        !(flow as NonNullable<typeof flow>).seen.has(request.tag) ||
        is_left_by_work(run, root, request) ||
        is_hidden_by_native(run, record, body, request.tag, resumed)
      );
      if (!unseen) yield `${name} ended as cancelled after its code had seen every cancellation`;
    } else if (!Object.is(task.result(), body.value)) yield `${name} lost its result`;
  }
}

/** Whether aborted work gave its value all the same, and so left a cancellation to what comes after it. */
function is_left_by_work(run: Run, scope: Scope, request: Request): boolean {
  return run.leaves.some((leaf) =>
    leaf.chain.includes(scope) && is_open_at(leaf, request.at) && leaf.operation?.aborted &&
    leaf.outcome?.failed === false
  );
}

/** What was requested of a block's task for scopes around the block, while its body ran. */
function outer_requests(run: Run, { task, chain, begun, body, result }: Scope): Request[] | null {
  const around = chain.slice(0, -1);
  const found: Request[] = [];
  for (const request of run.requests) {
    if (request.task !== task || request.at > result!.at) continue;
    const is_open = (scope: Scope) => scope.result === null || scope.result.at > result!.at;
    if (!request.scopes.some((scope) => around.includes(scope) && is_open(scope))) continue;
    // It may have come when the block had ended, and its code was not resumed yet.
    if (request.scopes.length > 1 || request.at > body!.at) return null;
    // A group that renews what came before the block: as on CPython, that is no request of its own.
    if (request.renewed.length > 0 && request.causes.length === 0) return null;
    if (request.at > begun!.at) found.push(request);
    // One that was under way when the block began: which of them the code sees is not decided here.
    else if (!request.known.has(request.tag) && !knows_at_begin(run, request, chain.at(-1)!)) {
      return null;
    }
  }
  return found;
}

const knows_at_begin = (run: Run, request: Request, scope: Scope) =>
  is_known(run, request, scope.known);

/** A limit that has passed ends its own block as its own error; one that has not changes nothing. */
function* limits(run: Run): Generator<string> {
  for (const scope of run.scopes) {
    const { name, kind, task, begun, body, result, deadline } = scope;
    if (kind === "task" || kind === "group" || task === null) continue;
    if (begun === null || body === null || result === null) continue;
    if (run.end !== null && result.at > run.end.at) continue;
    if (uncancels_since(task, begun.at)) continue;
    const outlives = task.body !== null && task.body.at < result.at;
    // A block that begins when its task has ended has a task of its own.
    const is_foreign = task.body !== null && task.body.at < begun.at;
    const own = run.requests.filter((request) => is_for(request, scope));
    const has_passed = scope.timeout !== null
      ? scope.timeout.expired()
      : kind === "aborted_by"
      ? scope.aborted !== null && scope.aborted.at < result.at &&
        (scope.aborted.at < body.at || "perhaps")
      : is_foreign
      ? "perhaps"
      : own.length > 0 && (own.some((request) => only_scope(request) !== null) || "perhaps");
    const is_own_error = result.failed && !same(body, result) &&
      (kind === "aborted_by"
        ? Object.is(result.value, scope.reason)
        : result.value instanceof asyncio.TimeoutError);
    if (deadline !== null && has_passed === false && body.time > deadline) {
      yield `the limit of ${name} did not pass at ${deadline}`;
    }
    if (is_own_error) {
      if (has_passed === false) yield `${name} throws its own error before it has passed`;
      if (body.failed && !body.cancelled) {
        yield `${name} throws its own error in the place of ${describe(body.value)}`;
      }
    }
    const outer = is_foreign ? null : outer_requests(run, scope);
    if (outer === null || has_passed === "perhaps") continue;
    if (body.failed && !body.cancelled) {
      if (!same(body, result)) {
        yield `${name} throws ${describe(result.value)} in the place of ${describe(body.value)}`;
      }
    } else if (has_passed && body.cancelled) {
      if (outer.length === 0 && !is_own_error) {
        yield `${name} has passed and its body was cancelled, and it ends with ${ending(result)}`;
      }
      if (outer.length > 0 && !result.cancelled && !outlives) {
        yield `${name} was cancelled from outside, too, by ${outer[0]!.tag}, and ends with ${
          ending(result)
        }`;
      }
    } else if (has_passed) {
      const known = new Set([...scope.known_at_end, ...tags_beside(run, scope, body)]);
      const unseen = own.length > 0 &&
        own.every((request) =>
          !is_known(run, request, known) && !is_taken(run, scope, request, body)
        );
      if (unseen && !result.failed) yield `${name} has passed in silence`;
      if (result.failed && !is_own_error && !(result.cancelled && outer.length > 0)) {
        yield `${name} ends with ${ending(result)}`;
      }
    } else if (!same(body, result) && !(result.cancelled && outer.length > 0)) {
      yield `${name} has not passed, its body ends with ${ending(body)}, and it with ${
        ending(result)
      }`;
    }
  }
}

const ending = ({ failed, value }: Outcome) => `${failed ? "error " : ""}${describe(value)}`;

/** A group waits for its children and throws all of their errors, and its body's. */
function* groups(run: Run): Generator<string> {
  for (const scope of run.scopes) {
    const { name, kind, children, errors, body, result, begun, task } = scope;
    if (kind !== "group" || task === null || begun === null || result === null) continue;
    for (const child of children) {
      if (child.task !== null && !child.task.done()) yield `${name} ends before ${child.name}`;
      if (child.body !== null && child.body.at > result.at) yield `${child.name} outlives ${name}`;
    }
    if (body === null) continue;
    const expected = errors.map(({ error }) => error);
    if (body.failed && !body.cancelled) expected.push(body.value);
    const from_outside = run.requests.some((request) =>
      request.task === task && request.at < result.at &&
      (request.at > begun.at || !scope.known.has(request.tag)) &&
      request.scopes.some((other) => other !== scope && scope.chain.includes(other))
    );
    if (expected.length > 0) {
      // As in CPython, a cancellation while the group waits goes before the error of its body alone.
      if (errors.length === 0 && result.cancelled && from_outside) continue;
      const seen = result.value instanceof asyncio.ExceptionGroup ? [...result.value.errors] : null;
      const text = `${name} ends with ${ending(result)} in the place of ${describe(expected)}`;
      if (!result.failed || seen === null || seen.length !== expected.length) yield text;
      else if (!expected.every((error) => seen.some((other) => Object.is(error, other)))) {
        yield text;
      }
    } else if (!same(body, result)) {
      const outlives = task.body !== null && task.body.at < result.at;
      const may_be = result.cancelled && (from_outside || body.cancelled || outlives);
      if (!may_be) {
        yield `the body of ${name} ends with ${ending(body)}, and it with ${ending(result)}`;
      }
    }
  }
}

/** The count of a task's cancellations is that of what the program asked for. */
function* counts(run: Run): Generator<string> {
  for (const record of run.tasks) {
    const { task, name, uncancels, root, body } = record;
    if (task === null || uncancels.length > 0) continue;
    const blocks = run.scopes.filter(({ task, kind }) => task === record && kind !== "task");
    if (blocks.some(({ begun, result }) => begun !== null && result === null)) continue;
    const is_ambiguous = (request: Request) =>
      is_for(request, root) &&
      (only_scope(request) === null || request.causes.length > 0 && request.renewed.length > 0);
    if (run.requests.some((request) => request.task === record && is_ambiguous(request))) continue;
    // What comes while a task ends may come too late to count.
    const is_late = ({ at }: Moment) => body !== null && at > body.at;
    if (blocks.some(({ result }) => result !== null && is_late(result))) continue;
    if (run.requests.some((request) => request.task === record && is_late(request))) continue;
    // Blocks take their requests back; a group that renews one has taken back another.
    const asked = run.requests.filter((request) =>
      is_for(request, root) && request.task === record && request.causes.length > 0
    );
    if (task.cancelling() !== asked.length) {
      yield `${name} counts ${task.cancelling()} cancellations, asked for were ${asked.length}`;
    }
  }
}

/** Items, permits and waiters: nothing is lost, nothing is left. */
function* conserved(run: Run): Generator<string> {
  if (run.waits_on()) return;
  const items = [...run.got_items];
  for (const queue of run.queues) {
    if (/_(?:getters|putters)\[/.test(String(queue))) {
      yield `left waiting: ${queue}`;
      return;
    }
    while (!queue.empty()) items.push(queue.get_nowait());
  }
  const lost = run.put_items.filter((item) => !items.includes(item));
  const new_ones = items.filter((item, index) =>
    !run.put_items.includes(item) || items.indexOf(item) !== index
  );
  if (lost.length > 0) yield `items ${lost} are lost`;
  if (new_ones.length > 0) yield `items ${new_ones} come from nowhere, or twice`;
  for (const [index, semaphore] of run.semaphores.entries()) {
    const value = run.program.semaphores[index];
    if (!String(semaphore).includes(`[unlocked, value:${value}]`)) {
      yield `of ${value}: ${semaphore}`;
    }
  }
  for (const lock of run.locks) if (!String(lock).includes("[unlocked]")) yield `left: ${lock}`;
  for (const event of run.events) if (String(event).includes("waiters")) yield `left: ${event}`;
}

/** After the end nothing waits: all code has come to its end. */
function* everything_ends(run: Run): Generator<string> {
  if (run.waits_on()) return;
  for (const { name, has_begun, outcome } of run.flows) {
    if (has_begun && outcome === null) yield `${name} still waits`;
  }
}

/** A `wait_for()` of one thing throws its TimeoutError when its time is over, and not before. */
function* waits_for(run: Run): Generator<string> {
  for (const { kind, name, outcome, limit, chain, flow, begun } of run.leaves) {
    if (kind !== "limited" || outcome === null || limit === null) continue;
    if (run.end !== null && outcome.at > run.end.at) continue;
    if (flow.task !== null && flow.task.body !== null && flow.task.body.at < begun!.at) continue;
    const from_outside = run.requests.some(({ at, scopes }) =>
      at < outcome.at && scopes.some((scope) => chain.includes(scope))
    );
    if (outcome.cancelled && !from_outside) yield `${name} throws ${describe(outcome.value)}`;
    const deadline = limit.deadline as number;
    const is_over = outcome.failed && outcome.value instanceof asyncio.TimeoutError;
    if (is_over ? outcome.time !== deadline : outcome.time > deadline) {
      yield `${name}, until ${deadline}, ends at ${outcome.time} with ${ending(outcome)}`;
    }
  }
}

/** A sleep takes its time; what waits for an event is woken when it is set. */
function* in_time(run: Run): Generator<string> {
  for (const { kind, name, begun, outcome, ticks, index } of run.leaves) {
    if (begun === null || outcome === null || outcome.failed) continue;
    if (kind === "sleep" && outcome.time !== begun.time + ticks!) {
      yield `${name}, a sleep of ${ticks}, took ${outcome.time - begun.time}`;
    }
    if (kind === "event") {
      const set = run.events_set[index!] ?? null;
      const expected = Math.max(begun.time, set?.time ?? Infinity);
      if (outcome.time !== expected) yield `${name} waits until ${outcome.time}, not ${expected}`;
    }
  }
}

/** The end of the run cancels what is left once, and clean-ups come to their end. */
function* cuts_nothing({ end, leaves, requests, scopes }: Run): Generator<string> {
  if (end === null) return;
  const is_by_end = (tag: string) =>
    tag === "" || requests.some((one) => one.tag === tag && one.by === "end of run");
  for (const leaf of leaves) {
    const { flow, name, kind, begun, tags, outcome, chain } = leaf;
    if (begun === null || begun.at < end.at || !outcome?.cancelled || !tags.includes("")) continue;
    // Others throw what became of a task.
    if (kind === "shield" || !AT_ONCE.has(kind) && kind !== "from_promise") continue;
    // Limits still hold, and what code has left running is cancelled when it has ended.
    if (chain.length > 1 || is_loser(leaf)) continue;
    // The library does not know whether a native promise, or a callback, has resumed the code.
    if (flow.waited_natively !== null && flow.waited_natively.at > end.at) continue;
    // Work that was aborted and gave its value leaves a cancellation to what comes next in its scope: of several
    // that are resumed in one moment the library does not know which one that is.
    const is_left = ({ operation, outcome }: Leaf) =>
      operation?.aborted && outcome?.failed === false && outcome.at > end.at &&
      outcome.at < begun.at;
    if (leaves.some(is_left)) continue;
    // So does a wait that had ended already when the run did: it gives its value.
    const had_ended = (task: TaskRecord | null, before: Moment | null, after: Outcome | null) =>
      task === flow.task && before !== null && before.at < begun.at && after !== null &&
      !after.failed && after.time === end.time && after.at > end.at && after.at < begun.at;
    if (leaves.some((other) => had_ended(other.flow.task, other.begun, other.outcome))) continue;
    if (scopes.some(({ task, begun, result }) => had_ended(task, begun, result))) continue;
    const is_clean_up = leaves.some((other) =>
      other.flow === flow && other.begun !== null && other.begun.at < end.at &&
      other.outcome?.cancelled && other.outcome.at > end.at && other.outcome.at < begun.at &&
      other.chain.length <= 1 && other.tags.some(is_by_end)
    );
    if (is_clean_up) yield `${flow.name}'s ${name}, a ${kind} of a clean-up, is cancelled`;
  }
}

/** Awaits throw nothing but cancellations and what the program has thrown. */
function* known_errors(run: Run): Generator<string> {
  for (const { name, kind, outcome, flow } of run.leaves) {
    if (outcome === null || !outcome.failed || outcome.cancelled) continue;
    if (run.end !== null && outcome.at > run.end.at) continue;
    const is_timeout = kind === "limited" && outcome.value instanceof asyncio.TimeoutError;
    if (AT_ONCE.has(kind) && kind !== "shield" && !is_timeout || is_of_the_library(outcome.value)) {
      yield `${flow.name}'s ${name}, a ${kind}, throws ${describe(outcome.value)}`;
    }
  }
  for (const { name, result, body } of run.scopes) {
    if (result === null || !result.failed || body !== null) continue;
    if (run.end !== null && result.at > run.end.at) continue;
    if (!result.cancelled && is_of_the_library(result.value)) {
      yield `${name} is not begun: ${describe(result.value)}`;
    }
  }
}

const is_of_the_library = (error: unknown) =>
  error instanceof asyncio.RuntimeError || error instanceof asyncio.InvalidStateError ||
  error instanceof TypeError || error instanceof RangeError;

/** `from_promise()` tells the operation, waits for it, and gives or throws what is right. */
function* operations(run: Run): Generator<string> {
  for (const leaf of run.leaves) {
    const { name, operation, outcome } = leaf;
    if (operation === null || outcome === null) continue;
    if (run.end !== null && outcome.at > run.end.at) continue;
    const { settled, aborted, abandon, reason } = operation;
    if (operation.function && leaf.begun !== null) {
      const requests = run.requests.filter(({ at, scopes }) =>
        is_open_at(leaf, at) && (settled === null || settled.at > at) &&
        scopes.some((scope) => leaf.chain.includes(scope))
      );
      const is_sure = requests.some((request) =>
        only_scope(request) !== null && !is_too_late(request)
      );
      if (is_sure && operation.called && aborted === null && !is_left_outside(leaf)) {
        yield `the signal of ${name} is not aborted`;
      }
      // Or one that was pending when it began.
      const has_cause = aborted === null || run.end !== null && aborted.at > run.end.at ||
        run.requests.some(({ at, scopes }) =>
          at < aborted.at && scopes.some((scope) => leaf.chain.includes(scope))
        );
      if (!has_cause && leaf.flow.task?.body === null) {
        yield `the signal of ${name} is aborted for nothing`;
      }
    }
    if (aborted !== null && !is_cancellation(reason)) {
      yield `the signal of ${name} is aborted with ${describe(reason)}`;
    }
    if (!operation.function || abandon) continue;
    if (!operation.called) {
      // What is pending is thrown before it begins.
      if (!outcome.cancelled) yield `${name} has not called its function`;
    } else if (settled === null) {
      yield `${name} does not wait for its operation`;
    } else if (aborted === null || settled.at < aborted.at) {
      // It was settled when it was cancelled, if it was.
      if (!outcome.cancelled && !same(settled, outcome)) yield `${name} has another result`;
    } else if (settled.failed) {
      const { value } = outcome;
      if (!outcome.cancelled) yield `${name} was aborted and throws ${describe(value)}`;
      else if (
        !is_cancellation(settled.value) && !Object.is((value as Error).cause, settled.value)
      ) {
        yield `${name} has not ${describe(settled.value)} as its cause`;
      }
    } else if (!same(settled, outcome)) {
      yield `${name} was aborted and fulfilled, and ends with ${ending(outcome)}`;
    }
  }
}

const INVARIANTS: Record<string, Invariant> = {
  "not told": told,
  "passed on": passed_on,
  "not thrown": not_pending,
  "not meant for it": meant,
  "seen twice": once,
  "lost": not_lost,
  "end of a task": ends_of_tasks,
  "limit": limits,
  "group": groups,
  "count": counts,
  "not conserved": conserved,
  "does not end": everything_ends,
  "cut": cuts_nothing,
  "time": in_time,
  "wait_for": waits_for,
  "unknown error": known_errors,
  "from_promise": operations,
};

/** What is broken of a program that was run. */
export function judge(run: Run): Violation[] {
  const found = [...run.violations];
  // What hangs breaks everything else as well.
  if (found.some(({ invariant }) => invariant === "hangs")) return found;
  for (const [invariant, broken] of Object.entries(INVARIANTS)) {
    for (const detail of broken(run)) found.push({ invariant, detail });
  }
  return found;
}
