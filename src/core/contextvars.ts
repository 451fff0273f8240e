/**
 * Context variables: values of a task and of the tasks that it creates.
 *
 * @module
 */

import { LookupError, RuntimeError, ValueError } from "./exceptions.ts";
import { Inspectable, repr, type_name } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import { running_context, with_context } from "./current.ts";

const NO_DEFAULT = Symbol("no default");
const MISSING = Symbol("missing");

/** The variables of a worker of a pool, see `host/worker_program.ts`. */
interface WorkerVariables {
  add(variable: object): void;
}

const VARIABLES = Symbol.for("@pythonic/asyncio:variables");

// Copied on write: a copy of a context shares its map until one of the two sets a variable.
/** @internal */
export type Values = Map<ContextVar<unknown>, unknown>;
const EMPTY: Values = new Map();

/**
 * The values of all context variables, at one place of a program.
 *
 * Each task runs in a copy of the context of the code that created it: a value that it sets is visible in
 * itself and in the tasks that it creates, and nowhere else. A context iterates over its variables.
 *
 * See {@link https://docs.python.org/3/library/contextvars.html#contextvars.Context Python's Context}.
 *
 * @category Context variables
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const user = new asyncio.ContextVar("user", { default: "nobody" });
 * const context = asyncio.copy_context();
 * context.run(() => user.set("ada"));
 * assertEquals(context.get(user), "ada");
 * assertEquals(user.get(), "nobody");
 * ```
 */
export class Context extends Inspectable {
  #values: Values = EMPTY;
  #shared = true;
  #entered = false;

  /**
   * Calls a function in this context.
   *
   * Values that the function sets stay in the context. An asynchronous function is in the context until its first
   * `await`; give the context to `create_task` to run all of it there.
   *
   * @param callable the function
   * @param args its arguments
   * @returns what the function returns
   * @throws {RuntimeError} if the context is already entered
   * @throws {TypeError} if `callable` is no function
   */
  run<A extends unknown[], R>(callable: (...args: A) => R, ...args: A): R {
    if (typeof callable !== "function") {
      throw new TypeError(`${type_name(callable)} is not a function`);
    }
    if (this.#entered || running_context() === this) {
      throw new RuntimeError(`cannot enter context: ${this} is already entered`);
    }
    this.#entered = true;
    try {
      return with_context(this, callable, args);
    } finally {
      this.#entered = false;
    }
  }

  /**
   * Returns the value of a variable in this context.
   *
   * @param variable the variable
   * @param fallback the result if it has no value, `null` by default
   * @returns its value, or `fallback`
   * @throws {TypeError} if it is no {@linkcode ContextVar}
   */
  get<T, D = null>(variable: ContextVar<T>, fallback: D = null as D): T | D {
    check_variable(variable);
    const value = this._lookup(variable);
    return value === MISSING ? fallback : value as T;
  }

  /**
   * Returns whether a variable has a value in this context.
   *
   * @param variable the variable
   * @returns true if it has one, its default not counted
   * @throws {TypeError} if it is no {@linkcode ContextVar}
   */
  has<T>(variable: ContextVar<T>): boolean {
    check_variable(variable);
    return this._lookup(variable) !== MISSING;
  }

  /** How many variables have a value in this context. */
  get size(): number {
    return this.#values.size;
  }

  /** The variables that have a value in this context. */
  keys(): IterableIterator<ContextVar<unknown>> {
    return this.#values.keys();
  }

  /** The values of the variables. */
  values(): IterableIterator<unknown> {
    return this.#values.values();
  }

  /** The variables with their values. */
  items(): IterableIterator<[ContextVar<unknown>, unknown]> {
    return this.#values.entries();
  }

  /** Iterates over the variables. */
  [Symbol.iterator](): IterableIterator<ContextVar<unknown>> {
    return this.keys();
  }

  /** Returns a copy of this context. */
  copy(): Context {
    return Context["_of"](this._share());
  }

  /** @internal The values as they are now, of which a copy can be made later. */
  protected _share(): Values {
    this.#shared = true;
    return this.#values;
  }

  /** @internal A context of such values. */
  protected static _of(values: Values): Context {
    const context = new Context();
    context.#values = values;
    return context;
  }

  /** @internal */
  protected _lookup<T>(variable: ContextVar<T>): T | typeof MISSING {
    const value = this.#values.get(variable as ContextVar<unknown>);
    return value === undefined && !this.#values.has(variable as ContextVar<unknown>)
      ? MISSING
      : value as T;
  }

  /** @internal */
  protected _store<T>(variable: ContextVar<T>, value: T | typeof MISSING): void {
    if (this.#shared) {
      this.#values = new Map(this.#values);
      this.#shared = false;
    }
    if (value === MISSING) this.#values.delete(variable as ContextVar<unknown>);
    else this.#values.set(variable as ContextVar<unknown>, value);
  }

  /** Returns Python's `repr`. */
  override toString(): string {
    return "<Context object>";
  }
}

// A set in place of `instanceof`, so that a program without variables need not load their class.
const variables = new WeakSet<object>();

function check_variable(variable: unknown): void {
  if (!variables.has(variable as object)) {
    throw new TypeError(`a ContextVar key was expected, got ${repr(variable)}`);
  }
}

/**
 * Throws a `TypeError` for a value that is given as a context and is none.
 *
 * @param where the function that it is given to, as `create_task`
 */
export function check_context(where: string, value: unknown): asserts value is Context {
  if (value instanceof Context) return;
  throw new TypeError(
    `Cannot call ${where}(): context must be a Context: received ${repr(value)}`,
  );
}

// The context of code that runs in no task and no callback.
const thread_context = new Context();

/** Returns the context of the current task or callback. */
function current_context(): Context {
  return running_context() as Context | null ?? thread_context;
}

/** Returns the values of the current context, of which a copy is made when it is needed. */
export function share_values(): Values {
  return current_context()["_share"]();
}

/**
 * Returns a copy of the current context.
 *
 * It takes the same time however many variables there are.
 *
 * See {@link https://docs.python.org/3/library/contextvars.html#contextvars.copy_context Python's copy_context}.
 *
 * @category Context variables
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const level = new asyncio.ContextVar<number>("level");
 * using _ = level.set(3);
 * assertEquals(asyncio.copy_context().get(level), 3);
 * ```
 */
export function copy_context(): Context {
  return current_context().copy();
}

/**
 * Options of a {@linkcode ContextVar}.
 *
 * @category Context variables
 */
export interface ContextVarOptions<T> {
  /** The value where none is set. */
  default?: T;
}

/**
 * A variable with a value of its own in every context.
 *
 * See {@link https://docs.python.org/3/library/contextvars.html#contextvars.ContextVar Python's ContextVar}.
 *
 * @category Context variables
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const request = new asyncio.ContextVar<number>("request");
 * const seen: number[] = [];
 * async function handle(id: number) {
 *   request.set(id);
 *   await asyncio.sleep(0);
 *   seen.push(request.get());
 * }
 * await asyncio.run(() => asyncio.gather(() => handle(1), () => handle(2)));
 * assertEquals(seen, [1, 2]);
 * ```
 */
export class ContextVar<T = unknown> extends Inspectable {
  readonly #name: string;
  readonly #default: T | typeof NO_DEFAULT;

  /**
   * Makes a variable. It is done once, at the top of a module.
   *
   * @param name its name, for debugging
   * @param options `default`, its value where none is set
   * @throws {TypeError} if the name is no string
   */
  constructor(name: string, options: ContextVarOptions<T> = {}) {
    if (typeof name !== "string") throw new TypeError("context variable name must be a string");
    check_options("ContextVar", options, ["default"]);
    super();
    this.#name = name;
    this.#default = "default" in options ? options.default as T : NO_DEFAULT;
    variables.add(this);
    (globalThis as { [VARIABLES]?: WorkerVariables })[VARIABLES]?.add(this);
  }

  /** The name of the variable, for debugging. It cannot be assigned to. */
  get name(): string {
    return this.#name;
  }

  /**
   * Returns the value of the variable in the current context.
   *
   * @param fallback the result if it has none; the variable's default by default
   * @returns its value
   * @throws {LookupError} if the variable has no value, no fallback and no default
   */
  get<D = T>(...fallback: [] | [fallback: D]): T | D {
    const value = current_context()["_lookup"]<T>(this);
    if (value !== MISSING) return value as T;
    if (fallback.length > 0) return fallback[0] as D;
    if (this.#default !== NO_DEFAULT) return this.#default as T;
    throw new LookupError(this.toString());
  }

  /**
   * Sets the variable in the current context.
   *
   * @param value the value
   * @returns a token, by which `reset()` undoes it
   */
  set(value: T): Token<T> {
    const context = current_context();
    const old = context["_lookup"]<T>(this);
    context["_store"](this, value);
    return new Token(context, this, old);
  }

  /**
   * Restores the value that the variable had before the `set` that made the token.
   *
   * @param token the result of that `set`
   * @throws {ValueError} if the token is of another variable or context
   * @throws {RuntimeError} if the token has been used
   * @throws {TypeError} if it is no {@linkcode Token}
   */
  reset(token: Token<T>): void {
    if (!(token instanceof Token)) {
      throw new TypeError(`expected an instance of Token, got ${repr(token)}`);
    }
    token["_undo"](this);
  }

  /** Returns Python's `repr`. */
  override toString(): string {
    const value = this.#default === NO_DEFAULT ? "" : ` default=${repr(this.#default)}`;
    return `<ContextVar name=${repr(this.name)}${value}>`;
  }
}

/**
 * The result of `ContextVar.set`, which restores the variable's old value, once.
 *
 * It is a `Disposable`: `using _ = variable.set(x);` undoes the `set` at the end of the block.
 *
 * See {@link https://docs.python.org/3/library/contextvars.html#contextvars.Token Python's Token}.
 *
 * @category Context variables
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const depth = new asyncio.ContextVar("depth", { default: 0 });
 * {
 *   using _ = depth.set(1);
 *   assertEquals(depth.get(), 1);
 * }
 * assertEquals(depth.get(), 0);
 * ```
 */
export class Token<T = unknown> extends Inspectable implements Disposable {
  /** Stands for "the variable had no value" in {@linkcode Token.old_value}. */
  static readonly MISSING: symbol = MISSING;

  readonly #var: ContextVar<T>;
  readonly #old_value: T | typeof MISSING;
  readonly #context: Context;
  #used = false;

  /** @internal Made by `ContextVar.set`. */
  constructor(context: Context, variable: ContextVar<T>, old_value: T | typeof MISSING) {
    super();
    if (!(context instanceof Context)) {
      throw new RuntimeError("Tokens can only be created by ContextVars");
    }
    this.#context = context;
    this.#var = variable;
    this.#old_value = old_value;
  }

  /** The variable that was set. It cannot be assigned to. */
  get var(): ContextVar<T> {
    return this.#var;
  }

  /** The value before, or `Token.MISSING`. It cannot be assigned to. */
  get old_value(): T | symbol {
    return this.#old_value;
  }

  /** @internal */
  protected _undo(variable: ContextVar<T>): void {
    if (this.#used) throw new RuntimeError(`${this} has already been used once`);
    if (this.var !== variable) {
      throw new ValueError(`${this} was created by a different ContextVar`);
    }
    if (this.#context !== current_context()) {
      throw new ValueError(`${this} was created in a different Context`);
    }
    this.#used = true;
    this.#context["_store"](variable, this.#old_value);
  }

  /** Resets the variable, as `variable.reset(token)`. */
  [Symbol.dispose](): void {
    this._undo(this.var);
  }

  /** Returns Python's `repr`. */
  override toString(): string {
    return `<Token${this.#used ? " used" : ""} var=${this.var}>`;
  }
}
