/**
 * Cancels a scope: which awaits are cancelled, what is left pending, and when that is thrown.
 *
 * @module
 */

import { when_dry } from "../host/macrotask.ts";
import {
  cancel_because,
  cancel_each,
  Cancellation,
  CancellationReason,
  is_cancelled_error,
  make_cancelled_error,
} from "./cancellation.ts";
import { is_a } from "../internal/error_kinds.ts";
import type {
  BlockRequestsCore,
  Continuation,
  DeliveryCore,
  Scope,
  TaskCore,
  Waitable,
} from "./contracts.ts";
import { live_await, OpenAwaits } from "./open_awaits.ts";
import { is_inside, next_moment, type Reach, reach, scope_around } from "./scopes.ts";

/** One cancellation of a scope, on its way to the code. */
export class Delivery implements DeliveryCore {
  readonly scope: Scope;
  readonly cancellation: Cancellation;
  /**
   * Requested by the task's own running code, as only that can on CPython: then an await that need not wait
   * does not throw it, nor does the end of a body.
   */
  by_itself: boolean;
  thrown_at = -1;
  is_known = false;

  constructor(scope: Scope, message: unknown, by_itself: boolean) {
    this.scope = scope;
    this.cancellation = new Cancellation(message);
    this.by_itself = by_itself;
  }
}

// Those that have been thrown since the microtask queue ran dry, on hosts on which that can be seen.
let just_thrown: DeliveryCore[] = [];

function forget_just_thrown(): void {
  // Code that is resumed from now on is not resumed by their rejections.
  for (const delivery of just_thrown) delivery.thrown_at = -1;
  just_thrown = [];
}

/** Notes that an await to which a cancellation was delivered has been rejected with it. */
export function note_thrown(delivery: DeliveryCore): void {
  delivery.thrown_at = next_moment();
  if (just_thrown.length === 0) when_dry(forget_just_thrown);
  if (just_thrown.at(-1) !== delivery) just_thrown.push(delivery);
  delivery.scope._owner?._cancellation_state?.add_thrown(delivery);
}

/** Leaves a cancellation pending that an await has taken, and has given a value all the same: nothing is lost. */
export function leave_pending(delivery: DeliveryCore): void {
  const { scope } = delivery;
  const task = scope._owner;
  if (scope._ended || delivery.is_known) return;
  if (task === null) {
    scope._loop._left_moment = next_moment();
  } else if (task.done() || task.cancelling() > 0) {
    const state = task._cancellation_state ??= new CancellationState();
    delivery.by_itself = false;
    // An await that was rejected before has not resumed the code that continues with the value.
    delivery.thrown_at = -1;
    state.add_pending(delivery);
  }
}

/** An await of a task that was made for it alone. */
interface SoleAwait {
  /** The cancellations that were delivered to it. */
  readonly deliveries: DeliveryCore[];
  /** True if the task has given its value and left the cancellation to the code that awaits. */
  is_left: boolean;
}

/**
 * Returns a pending cancellation for an await that may give a value all the same, and then leaves it pending again;
 * awaits that have taken it before do not.
 */
export function renew({ scope, cancellation, by_itself }: DeliveryCore): DeliveryCore {
  return { scope, cancellation, by_itself, thrown_at: -1, is_known: false };
}

// By code that has outlived its own task.
const sole_awaits = new WeakMap<object, SoleAwait>();

/** Notes that what an await waits on was made for it alone: it is cancelled with the await, and its value kept. */
export function own_solely(waiting: object): void {
  sole_awaits.set(waiting, { deliveries: [], is_left: false });
}

/**
 * Leaves the cancellation that is pending in a task which has given its value to the code that awaits it, if the
 * task was made for that await alone and got the cancellation by it; else returns false.
 */
export function leave_to_sole_waiter(waiter: unknown): boolean {
  const sole = sole_awaits.get(waiter as object);
  if (sole === undefined || sole.deliveries.length === 0) return false;
  return sole.is_left = true;
}

/**
 * Leaves a cancellation to the code whose await is about to be resumed, by a task that was made for it alone: its
 * value is not lost. Returns false if there is no such task.
 */
export function leave_to_code(waiting: object, delivery: DeliveryCore): boolean {
  const sole = sole_awaits.get(waiting);
  if (sole === undefined) return false;
  sole.deliveries.push(delivery);
  return sole.is_left = true;
}

/** Concludes the deliveries to an await whose task, made for it alone, has ended. */
export function conclude_sole(waiting: object): void {
  const sole = sole_awaits.get(waiting);
  sole?.deliveries.forEach(sole.is_left ? leave_pending : note_thrown);
}

/** Adds to the cancellation state of a task what its blocks need: those that are shielded, or cancel every wait in them. */
export interface BlockPolicy {
  /** Notes a cancellation that is about to be delivered. */
  note_delivery(delivery: DeliveryCore): void;
  /**
   * Returns the cancellation of a wait that begins while none is pending for its scope; `null` to let it wait.
   *
   * @param waitable what is waited on; `null` for the next step alone
   */
  due_at_wait(scope: Scope, waitable: Waitable | null): DeliveryCore | null;
  /**
   * Has the waits of tasks cancelled, too, that a block waits for and cancels.
   *
   * @param is_repeated whether they were cancelled earlier, and may have dealt with that
   */
  pass_on(scope: Scope, tasks: Iterable<TaskCore>, is_repeated: boolean): void;
}

/** Follows what the code of a cancelled task waits for. */
export interface WaitNotes {
  /** Notes that a continuation is about to be resumed. */
  note_resumed(continuation: Continuation): void;
  /** Notes that a continuation begins to wait. */
  note_wait(continuation: Continuation): void;
}

/** The cancellation state of a task: made at its first cancellation, or when it yields what cannot be waited on. */
export class CancellationState {
  /** The requests that have not been taken back. */
  requests = 0;
  /** Those of them that blocks have made; set by the first. */
  of_blocks: BlockRequestsCore | null = null;
  /** The message of the latest cancellation that could not be thrown at once. */
  message: unknown = undefined;
  /** The request that is being delivered to its awaits. */
  delivering: Request | null = null;
  /** The scope in which the task's own coroutine waits, if that is a block. */
  own_scope: Scope | null = null;
  /** The scope that the next call of `cancel()` is meant for; `null` for the task. */
  target: Scope | null = null;
  /** True if that is requested by what manages the scope: it counts as a request from outside, whatever code runs. */
  by_manager = false;
  /** Made by the first block that needs it. */
  policy: BlockPolicy | null = null;
  /** Set by the end of the run for tasks with several branches. */
  waits: WaitNotes | null = null;
  #open: OpenAwaits | null = null;
  #pending: Map<Scope, DeliveryCore> | null = null;
  // The errors thrown into continuations at their resumption: a cancellation that may be dropped, or an error.
  #marked: Map<Continuation, unknown> | null = null;
  // The awaits that a cancellation was delivered to, where that may not be the end of the delivery.
  #delivered_to: Map<Continuation, DeliveryCore[]> | null = null;
  // Those that have been thrown, by their scopes: the next await shows whether they have resumed the code.
  #thrown: Map<Scope, Set<DeliveryCore>> | null = null;
  // The moment at which the latest of them was thrown.
  #thrown_at = 0;

  /** Takes the requests of a block out of account, and drops what it left pending. */
  forget(block: Scope): void {
    this.of_blocks?.forget(block);
    this.#pending?.delete(block);
  }

  /** Marks what is thrown into a continuation at its resumption: an error, or a cancellation. */
  mark(continuation: Continuation, thrown: unknown): void {
    if (thrown instanceof Cancellation) this.message = thrown.message;
    (this.#marked ??= new Map()).set(continuation, thrown);
  }

  /** Returns whether a cancellation waits to be thrown into a continuation at its resumption. */
  is_marked(continuation: Continuation): boolean {
    return this.#marked?.get(continuation) instanceof Cancellation;
  }

  /** Returns whether a continuation was detached from what it waited on, to be resumed with a cancellation. */
  is_detached(continuation: Continuation): boolean {
    return is_cancelled_error(this.#marked?.get(continuation));
  }

  /** Takes what is to be thrown into a continuation that is resumed; `undefined` for nothing. */
  take_mark(continuation: Continuation): unknown {
    this.waits?.note_resumed(continuation);
    this.#open?.delete(continuation);
    const delivered = this.#delivered_to?.get(continuation);
    if (delivered !== undefined) {
      // One error stands for all cancellations that were delivered to it.
      delivered.forEach(note_thrown);
      this.#delivered_to?.delete(continuation);
    }
    const thrown = this.#marked?.get(continuation);
    this.#marked?.delete(continuation);
    return thrown;
  }

  /** The index of the task's open awaits. */
  get open_awaits(): OpenAwaits {
    return this.#open ??= new OpenAwaits();
  }

  /** Notes that a cancellation was delivered to continuations. */
  add_delivered(continuations: readonly Continuation[], delivery: DeliveryCore): void {
    const delivered = this.#delivered_to ??= new Map();
    for (const continuation of continuations) {
      const earlier = delivered.get(continuation);
      if (earlier === undefined) delivered.set(continuation, [delivery]);
      else earlier.push(delivery);
    }
  }

  /** Notes a cancellation that an await has been rejected with. */
  add_thrown(delivery: DeliveryCore): void {
    this.#thrown_at = delivery.thrown_at;
    const thrown = this.#thrown ??= new Map();
    const same = thrown.get(delivery.scope);
    if (same === undefined) thrown.set(delivery.scope, new Set([delivery]));
    else same.add(delivery);
  }

  /** Leaves a cancellation pending. */
  add_pending(delivery: DeliveryCore): void {
    this.message = delivery.cancellation.message;
    const all = this.#pending ??= new Map();
    all.delete(delivery.scope); // the latest is last
    all.set(delivery.scope, delivery);
  }

  /** Returns whether a cancellation of the task or of a block in it is pending. */
  get any_pending(): boolean {
    return this.#pending !== null && this.#pending.size > 0;
  }

  /** Returns whether a cancellation of the scope itself is pending. */
  is_pending(scope: Scope): boolean {
    return this.#pending?.has(scope) ?? false;
  }

  /** Returns whether a cancellation of the scope itself is pending which its own code has not requested. */
  is_pending_from_outside(scope: Scope): boolean {
    return this.#pending?.get(scope)?.by_itself === false;
  }

  /**
   * Takes the cancellations that are pending for code of a scope; returns the latest that is due, or `null`.
   *
   * One is dropped if the code knows it: if an await was rejected with it and the code has reached its next one, or
   * its end, before the microtask queue ran dry, so that this rejection has resumed it.
   *
   * @param must_wait whether the code is about to wait; else only what others requested is thrown
   * @param waitable what it is about to wait on; `null` for the next step alone
   */
  take_pending(
    scope: Scope,
    must_wait: boolean,
    waitable: Waitable | null = null,
  ): DeliveryCore | null {
    if (this.#thrown !== null) this.#note_known(scope, this.#thrown);
    const due = this.any_pending ? this.#latest_due(scope, must_wait) : null;
    if (due !== null) this.drop_around(scope);
    return due ?? (must_wait ? this.policy?.due_at_wait(scope, waitable) ?? null : null);
  }

  #latest_due(scope: Scope, must_wait: boolean): DeliveryCore | null {
    const all = this.#pending as Map<Scope, DeliveryCore>;
    const due: DeliveryCore[] = [];
    for (let at: Scope | null = scope; at !== null; at = scope_around(at)) {
      const delivery = all.get(at);
      if (delivery === undefined) continue;
      if (delivery.is_known) all.delete(at);
      else if (must_wait || !delivery.by_itself) due.push(delivery);
    }
    if (due.length < 2) return due[0] ?? null;
    return [...all.values()].reverse().find((delivery) => due.includes(delivery)) as DeliveryCore;
  }

  // Code that reaches an await, or ends, before the microtask queue runs dry has been resumed by the rejection.
  #note_known(scope: Scope, thrown: Map<Scope, Set<DeliveryCore>>): void {
    const { _dry_moment: dry } = scope._loop;
    if (this.#thrown_at <= dry) thrown.clear();
    for (let at: Scope | null = scope; at !== null; at = scope_around(at)) {
      const deliveries = thrown.get(at);
      for (const delivery of deliveries ?? []) {
        if (delivery.thrown_at > dry) {
          // Code that is resumed beside an await which is still live is not the code that waits there.
          const is_beside = (open: Continuation) =>
            open._begun < delivery.thrown_at && !this.#delivered_to?.get(open)?.includes(delivery);
          if (live_await(at, this.open_awaits, is_beside) !== null) continue;
          delivery.is_known = true;
        }
        deliveries?.delete(delivery);
      }
      if (deliveries?.size === 0) thrown.delete(at);
    }
    if (thrown.size === 0) this.#thrown = null;
  }

  /** Takes the cancellation that is due at the end of a scope's own code, or `null`. */
  take_pending_at_end(scope: Scope, failed: boolean): DeliveryCore | null {
    if (this.#thrown !== null) this.#note_known(scope, this.#thrown);
    const delivery = this.#pending?.get(scope);
    if (delivery === undefined) return null;
    const knows = delivery.is_known;
    if (!knows && (failed || (delivery.by_itself && scope !== scope._owner))) return null;
    this.#pending?.delete(scope);
    return knows ? null : delivery;
  }

  /** Drops what is pending for code of a scope that has been thrown an error, which stands for all of it. */
  drop_around(scope: Scope): void {
    for (let at: Scope | null = scope; at !== null; at = scope_around(at)) {
      const delivery = this.#pending?.get(at);
      if (delivery === undefined) continue;
      delivery.is_known = true;
      this.#pending?.delete(at);
    }
  }

  /** Frees what only a task that has not ended needs; blocks of code that outlives it keep what is theirs. */
  end(): void {
    this.own_scope = this.policy = null;
    this.#marked = this.#delivered_to = this.#open = null;
    this.#thrown = null;
    for (const scope of this.#pending?.keys() ?? []) {
      if (scope === scope._owner) this.#pending?.delete(scope);
    }
  }

  /** Drops what has not been thrown yet; older awaits are of other code than that which takes it back. */
  drop_undelivered(task: TaskCore): void {
    this.#pending?.clear();
    for (const [continuation, thrown] of this.#marked ?? []) {
      if (!(thrown instanceof Cancellation)) continue;
      if (reach(continuation, task) === "live") this.#marked?.delete(continuation);
    }
  }
}

// How many tasks a cancellation passes on to each other on the stack; deeper ones, and those that user code requests
// of a task while one is delivered to it, come when it has unwound.
const MAX_DEPTH = 200;

interface Request {
  readonly task: TaskCore;
  readonly state: CancellationState;
  readonly delivery: Delivery;
  /** True if user code has made it while another one was being delivered. */
  readonly is_again: boolean;
}

let depth = 0;
// A cancellation passed from task to task has reached one that it came from.
let met_cycle = false;
let deferred: Request[] = [];

// The receiver of a cancellation that the library passes on; other calls of `cancel()` are requests.
let passed_to: unknown = null;

/** Passes a cancellation on to what is waited for, by its message, which may be the reason of a manager. */
export function cancel_with(
  cancelled: { cancel(message?: unknown): boolean },
  message: unknown,
): boolean {
  passed_to = cancelled;
  const was_cancelled = is_a(message, CancellationReason)
    ? cancel_because(message, () => cancelled.cancel())
    : cancelled.cancel(message);
  passed_to = null;
  return was_cancelled;
}

/** Notes a cancellation that has come back to a task to which it is being delivered; returns whether it is one. */
export function note_cycle(task: object, { delivering }: CancellationState): boolean {
  const is_cycle = delivering !== null && (delivering.is_again || passed_to === task);
  passed_to = null;
  if (is_cycle) met_cycle = true;
  return is_cycle;
}

/** Delivers a cancellation to the open awaits in a scope, or leaves it pending. */
export function cancel_scope(task: TaskCore, state: CancellationState, delivery: Delivery): void {
  const request = { task, state, delivery, is_again: state.delivering !== null };
  state.policy?.note_delivery(delivery);
  if (request.is_again || depth >= MAX_DEPTH) {
    deferred.push(request);
    state.delivering ??= request;
    return;
  }
  try {
    deliver(request);
  } finally {
    if (depth === 0 && deferred.length > 0) deliver_deferred();
  }
}

function deliver_deferred(): void {
  try {
    // It grows meanwhile.
    cancel_each(deferred, deliver);
  } finally {
    deferred = [];
  }
}

function deliver(request: Request): void {
  depth++;
  request.state.delivering = request;
  try {
    deliver_request(request);
  } finally {
    request.state.delivering = null;
    depth--;
  }
}

function deliver_request({ task, state, delivery }: Request): void {
  let any_live = false;
  const own = task as unknown as Continuation;
  if (task._newest !== null) {
    const delivered: Continuation[] = [];
    let reached = 0;
    const deliver_to_open = (open: Continuation): void => {
      if (open._begun === 0) return;
      const how = deliver_to(state, open, delivery);
      if (how === "live") any_live = true;
      if (how === "outside") return;
      reached++;
      // A wait that may still return a value notes itself whether the cancellation has reached the code.
      if (!may_fulfil(open)) delivered.push(open);
    };
    cancel_each(state.open_awaits.of(delivery.scope), deliver_to_open);
    if (reached > 1 || !any_live) state.add_delivered(delivered, delivery);
  } else if (own._begun > 0) {
    any_live = deliver_to(state, own, delivery) === "live";
  }
  if (!any_live) state.add_pending(delivery);
}

function may_fulfil(open: Continuation): boolean {
  return open._waiting?._may_fulfil || sole_awaits.has(open);
}

function deliver_to(
  state: CancellationState,
  continuation: Continuation,
  delivery: Delivery,
): Reach {
  let how = reach(continuation, delivery.scope);
  // The waits in a shielded block know nothing of what is cancelled around it.
  if (how === "outside" || !is_inside(continuation._scope, delivery.scope)) return "outside";
  // The running code waits on none of the open awaits.
  if (delivery.by_itself) how = "older";
  const waitable = continuation._waiting;
  if (waitable === null) {
    if (!state.is_detached(continuation)) state.mark(continuation, delivery.cancellation);
    return how;
  }
  const sole = sole_awaits.get(continuation);
  if (sole !== undefined && !waitable._is_waiting()) {
    state.add_pending(delivery);
    return "outside";
  }
  sole?.deliveries.push(delivery);
  if (how === "older" && !waitable._is_owned && sole === undefined) {
    // Others may wait for it: the await alone is rejected.
    if (waitable._is_waiting()) detach(state, continuation, delivery);
    else state.mark(continuation, delivery.cancellation);
    return how;
  }
  met_cycle = false;
  if (waitable._cancel_for(delivery)) return how;
  // It waits, directly or not, for this very task: one of the waits has to be abandoned.
  if (met_cycle && waitable._is_waiting()) detach(state, continuation, delivery);
  else state.mark(continuation, delivery.cancellation);
  met_cycle = false;
  return how;
}

// Rejects an await alone. There is nothing to resume it with but the error, which is not to be dropped.
function detach(state: CancellationState, continuation: Continuation, delivery: Delivery): void {
  (continuation._waiting as Waitable)._remove_waiter(continuation);
  continuation._waiting = null;
  state.mark(continuation, make_cancelled_error(delivery.cancellation.message));
  continuation._scope._loop._schedule(continuation);
}
