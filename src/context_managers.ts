/**
 * Python's `async with`.
 *
 * @module
 */

import {
  check_returned,
  type Coroutine,
  DelegatingCoroutine,
  FunctionCoroutine,
  isawaitable,
  library_coroutine,
  wait_on,
} from "./core/coroutines.ts";
import { CLOSED, note_made, type Unawaited } from "./core/unawaited.ts";
import { as_error } from "./core/cancellation.ts";
import { repr } from "./internal/format_helpers.ts";
import { check_function } from "./internal/functions.ts";
import {
  BlockWait,
  NativeCall,
  type Outcome,
  RAISED,
  RETURNED,
  settle_now,
  SUSPENDED,
} from "./core/awaits.ts";
import type { Scope, TaskCore } from "./core/contracts.ts";
import { enter_scope, leave_scope, running_loop, running_scope } from "./core/current.ts";
import { type AnyTask, ScopeManager } from "./core/scope_managers.ts";
import { BlockScope } from "./core/scopes.ts";
import { has_async_context, keep_context, run_as } from "./host/async_context.ts";

/**
 * An object that `async_with()` can enter: Python's asynchronous context manager.
 *
 * See {@link https://docs.python.org/3/reference/datamodel.html#asynchronous-context-managers Python's asynchronous context managers}.
 *
 * @category Structure
 */
export interface AsyncContextManager<T = unknown> {
  /** Called at the start of the block; its result is passed to the block. */
  __aenter__(): PromiseLike<T>;
  /** Called at the end of the block, with the error that left it or `null`; a true result swallows the error. */
  __aexit__(error: unknown): PromiseLike<unknown>;
}

/** A manager that runs loops itself, so that outside of all loops its block must not be run by one. */
interface LoopRunner {
  readonly _runs_loops?: true;
}

/** The manager of something that is disposed of at the end of a block. */
class Disposing<D extends AsyncDisposable | Disposable> implements AsyncContextManager<D> {
  readonly #thing: D;

  constructor(thing: D) {
    this.#thing = thing;
  }

  __aenter__(): PromiseLike<D> {
    return library_coroutine("__aenter__", return_value(this.#thing));
  }

  __aexit__(_error: unknown): PromiseLike<void> {
    return library_coroutine("__aexit__", dispose_of(this.#thing));
  }
}

// deno-lint-ignore require-yield -- it never waits
function* return_value<T>(value: T): Generator<never, T, unknown> {
  return value;
}

function* dispose_of(thing: Partial<AsyncDisposable & Disposable>): Generator<unknown, void> {
  if (typeof thing[Symbol.asyncDispose] !== "function") thing[Symbol.dispose]?.();
  else yield* wait_on(thing[Symbol.asyncDispose]?.());
}

/**
 * Returns the manager that a block is entered by: the object itself, or one that disposes of it.
 *
 * @throws {TypeError} if it is neither a context manager nor disposable
 */
export function manager_of<T>(
  given: AsyncContextManager<T> | AsyncDisposable | Disposable,
): AsyncContextManager<T> {
  const { __aenter__, __aexit__ } = (given ?? {}) as Partial<AsyncContextManager<T>>;
  if (typeof __aenter__ === "function" && typeof __aexit__ === "function") {
    return given as AsyncContextManager<T>;
  }
  const { [Symbol.asyncDispose]: dispose_async, [Symbol.dispose]: dispose } =
    (given ?? {}) as Partial<AsyncDisposable & Disposable>;
  if (typeof dispose_async === "function" || typeof dispose === "function") {
    return new Disposing(given as AsyncDisposable) as AsyncContextManager<unknown> as never;
  }
  throw new TypeError(`${repr(given)} does not support the asynchronous context manager protocol`);
}

/**
 * Runs a block of code inside a context manager: Python's `async with`.
 *
 * The manager's `__aexit__` is called however the block ends, also when it is cancelled. An object with
 * `[Symbol.asyncDispose]()` or `[Symbol.dispose]()` and without `__aenter__` is passed to the block, and
 * disposed of at its end.
 *
 * See {@link https://docs.python.org/3/reference/compound_stmts.html#the-async-with-statement Python's async with}.
 *
 * @param manager a `TaskGroup`, `timeout()`, lock, … or any {@linkcode AsyncContextManager}, `AsyncDisposable` or
 * `Disposable`
 * @param body the block: an async function (or `function*`) that is passed the manager's result
 * @returns what the block returns; `undefined` if the manager swallowed the block's error
 * @throws what the block throws, unless the manager swallows or replaces it
 * @throws {TypeError} if the manager cannot be entered, or the body is no function
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const lock = new asyncio.Lock();
 * const seen = await asyncio.async_with(lock, async () => lock.locked());
 * assertEquals([seen, lock.locked()], [true, false]);
 * ```
 */
export function async_with<T, R>(
  manager: AsyncContextManager<T>,
  body: (value: T) => PromiseLike<R> | Generator<unknown, R, unknown>,
): Coroutine<R>;
/** Runs a block of code, and disposes of an object at its end. */
export function async_with<D extends AsyncDisposable | Disposable, R>(
  manager: D,
  body: (value: D) => PromiseLike<R> | Generator<unknown, R, unknown>,
): Coroutine<R>;
export function async_with<T, R>(
  given: AsyncContextManager<T> | AsyncDisposable | Disposable,
  body: (value: T) => PromiseLike<R> | Generator<unknown, R, unknown>,
): Coroutine<R> {
  const manager = manager_of<T>(given);
  check_function("async_with", "body", body);
  return (manager as LoopRunner)._runs_loops && running_loop() === null
    ? new BlockOutside("async_with", () => run_block_outside(manager, body))
    : new Block(manager, body);
}

/** A block that, awaited outside of all tasks, is no task of a loop. */
class BlockOutside<R> extends FunctionCoroutine<R> {
  readonly #run: () => Promise<R>;

  constructor(name: string, run: () => Promise<R>) {
    super(name, run);
    this.#run = run;
  }

  /** @internal */
  protected override _await_outside(
    resolve: (value: R) => unknown,
    reject: (error: unknown) => unknown,
  ): unknown {
    try {
      this._claim();
    } catch (error) {
      return settle_now(reject, error);
    }
    return this.#run().then(resolve, reject);
  }
}

async function run_block_outside<T, R>(
  manager: AsyncContextManager<T>,
  body: (value: T) => PromiseLike<R> | Generator<unknown, R, unknown>,
): Promise<R> {
  const value = await manager.__aenter__();
  let result: R;
  try {
    result = await (body(value) as PromiseLike<R>);
  } catch (error) {
    if (await manager.__aexit__(error)) return undefined as R;
    throw error;
  }
  await manager.__aexit__(null);
  return result;
}

/** A manager of the library whose `__aexit__`, if no subclass overrides it, does not wait. */
interface ExitsAtOnce {
  readonly _exits_at_once: boolean;
  _exit(error: unknown): void;
}

/** A manager of the library that is notified of thrown values which are no sign of an error. */
export interface NotesThrown {
  _note_thrown(error: unknown): void;
}

const CREATED = 0;
const ENTERING = 1;
const INSIDE = 2;
const LEAVING = 3;

const call_body = (block: Block<unknown, unknown>): Outcome => block["_call_body"]();

/** A block inside a manager: a coroutine that waits for the manager, the body and the manager again. */
class Block<T, R> extends DelegatingCoroutine<R> {
  declare private readonly _manager: AsyncContextManager<T>;
  declare private readonly _body: (value: T) => PromiseLike<R> | Generator<unknown, R, unknown>;
  declare private _stage: number;
  // The value that the body returned, or the error that left it.
  declare private _result: unknown;
  declare private _failed: boolean;
  // The scope of the block, if its manager can cancel it.
  declare private _scope: BlockScope | null;
  // True if a cancellation was thrown at the end of the body.
  declare private _is_late: boolean;

  constructor(
    manager: AsyncContextManager<T>,
    body: (value: T) => PromiseLike<R> | Generator<unknown, R, unknown>,
  ) {
    super();
    this._phase = CREATED;
    this._value = undefined;
    this._yielded = undefined;
    this._inner = null;
    this._manager = manager;
    this._body = body;
    this._stage = CREATED;
    this._result = undefined;
    this._failed = false;
    this._scope = null;
    this._is_late = false;
    note_made(this as unknown as Unawaited, Block);
  }

  override get name(): string {
    return "async_with";
  }

  /** @internal */
  protected override _advance(thrown: boolean, value: unknown): Outcome {
    const scope = this._scope;
    if (scope === null || this._stage === ENTERING) return this._advance_inside(thrown, value);
    const outer = enter_scope(scope);
    try {
      // Code of a generator runs here and now; that of an async function has its context from its call.
      return has_async_context && this._needs_context()
        ? run_as(keep_context(), scope, () => this._advance_inside(thrown, value), undefined)
        : this._advance_inside(thrown, value);
    } finally {
      leave_scope(outer);
    }
  }

  private _advance_inside(thrown: boolean, value: unknown): Outcome {
    let outcome: Outcome;
    try {
      outcome = this._stage === CREATED && !thrown ? this._enter() : this._forward(thrown, value);
    } catch (error) {
      outcome = this._raise(error);
    }
    while (outcome !== SUSPENDED) {
      // An error of the body ends the block; one of the manager leaves it at once.
      if (outcome === RAISED && this._stage !== INSIDE) {
        this._end_scope();
        this._phase = CLOSED;
        return RAISED;
      }
      if (this._stage === LEAVING) return this._end();
      try {
        outcome = this._stage === ENTERING ? this._run_body() : this._leave(outcome === RAISED);
      } catch (error) {
        outcome = this._raise(error);
      }
    }
    const { _scope: scope, _yielded: yielded } = this;
    if (
      scope !== null && this._stage !== ENTERING && !(yielded instanceof NativeCall) &&
      !(yielded instanceof BlockWait)
    ) {
      this._yielded = new BlockWait(yielded, scope);
    }
    return SUSPENDED;
  }

  /** @internal The body and the manager's methods may be the user's. */
  protected override _needs_context(): boolean {
    if (this._stage === LEAVING) return super._needs_context();
    const inner = this._inner;
    const manager: unknown = this._manager;
    return this._stage !== INSIDE || inner === null || inner["_needs_context"]() ||
      !(manager instanceof ScopeManager && manager["_has_own_exit"]);
  }

  private _enter(): Outcome {
    this._stage = ENTERING;
    const manager: unknown = this._manager;
    if (manager instanceof ScopeManager) {
      const parent = running_scope();
      if (parent !== null) {
        const scope = this._scope = new BlockScope(parent, parent._owner as TaskCore);
        if (manager["_has_own_enter"]) {
          manager["_enter"](scope);
          this._value = manager;
          return RETURNED;
        }
        manager["_offer"](scope);
      }
    }
    return this._await_given(this._manager.__aenter__());
  }

  private _run_body(): Outcome {
    this._stage = INSIDE;
    const scope = this._scope;
    if (scope === null) return this._call_body();
    const outer = enter_scope(scope);
    try {
      return has_async_context
        ? run_as(keep_context(), scope, call_body, this as Block<unknown, unknown>)
        : this._call_body();
    } finally {
      leave_scope(outer);
    }
  }

  /** @internal */
  protected _call_body(): Outcome {
    const body = this._body;
    return this._delegate_to(check_returned(body(this._value as T), body));
  }

  private _leave(raised: boolean): Outcome {
    let failed = raised;
    const scope = this._scope;
    const state = scope === null
      ? null
      : (scope._owner as unknown as AnyTask)["_cancellation_state"];
    const due = state?.take_pending_at_end(scope as Scope, failed) ?? null;
    if (due !== null) {
      // A cancellation that could not be delivered to the body is late, but not silent.
      this._value = due.cancellation;
      failed = true;
      this._is_late = true;
    }
    const result = failed ? as_error(this._value) : this._value;
    this._stage = LEAVING;
    this._failed = failed;
    this._result = result;
    const manager: unknown = this._manager;
    const { _exits_at_once: exits_at_once } = manager as Partial<ExitsAtOnce>;
    if (exits_at_once) {
      (manager as ExitsAtOnce)._exit(failed ? result : null);
      this._value = undefined;
      return RETURNED;
    }
    if (failed && (result === null || result === undefined)) {
      (manager as Partial<NotesThrown>)._note_thrown?.(result);
    }
    return this._await_given(this._manager.__aexit__(failed ? result : null));
  }

  private _end_scope(): void {
    const scope = this._scope;
    if (scope === null) return;
    (scope._owner as unknown as AnyTask)["_cancellation_state"]?.forget(scope);
    scope.end();
  }

  private _end(): Outcome {
    const is_thrown = this._failed && !this._value;
    const scope = this._scope;
    if (this._is_late && is_thrown && scope !== null) {
      // The manager has not turned it into an error of its own: it is what the code around gets.
      (scope._owner as unknown as AnyTask)["_cancellation_state"]?.drop_around(scope);
    }
    this._end_scope();
    if (is_thrown) return this._raise(this._result);
    return this._return(this._failed ? undefined : this._result);
  }

  // A manager that has nothing to wait for may give a plain value.
  private _await_given(given: unknown): Outcome {
    if (isawaitable(given)) return this._delegate_to(given);
    this._value = given;
    return RETURNED;
  }
}
