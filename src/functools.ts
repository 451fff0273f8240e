/**
 * Caches of calls that are awaited, and calls that share one run.
 *
 * @module
 */

import { cancel_and_wait } from "./cancel_and_wait.ts";
import {
  call_and_wait,
  type Coroutine,
  coroutine,
  type CoroutineFactory,
  library_coroutine,
} from "./core/coroutines.ts";
import { create_task, type Task } from "./core/tasks.ts";
import { CallKeys } from "./internal/call_keys.ts";
import { is_plain_object, repr } from "./internal/format_helpers.ts";
import { check_options } from "./internal/options.ts";
import { wait } from "./waiting.ts";

/** A function whose calls are awaited. */
type AsyncFunction<A extends unknown[], T> = (
  ...args: A
) => PromiseLike<T> | Generator<unknown, T, unknown>;

/**
 * How a cache has been used, as {@linkcode CachedFunction.cache_info} returns it.
 *
 * @category Caching
 */
export interface CacheInfo {
  /** How many calls found their result in the cache. */
  readonly hits: number;
  /** How many calls did not. */
  readonly misses: number;
  /** How many results the cache keeps at most; `null` for any number. */
  readonly maxsize: number | null;
  /** How many results it keeps now. */
  readonly currsize: number;
}

/**
 * A function with a cache of its results, as {@linkcode lru_cache} and {@linkcode cache} make it.
 *
 * @category Caching
 */
export interface CachedFunction<A extends unknown[], T> extends CoroutineFactory<A, T> {
  /** Makes a lazy call, whose result comes from the cache if it is there. */
  (...args: A): Coroutine<T>;
  /** The function without the cache. */
  readonly __wrapped__: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>;
  /** Returns how the cache has been used. */
  cache_info(): CacheInfo;
  /** Returns the options of the cache. Arguments of different types are always different: `typed` is true. */
  cache_parameters(): { readonly maxsize: number | null; readonly typed: true };
  /** Forgets all results and the counts of `cache_info()`. Calls in progress still store theirs. */
  cache_clear(): void;
  /**
   * Forgets the result of one call; of a method by `object.method.cache_discard.call(object, …)`.
   *
   * @param args its arguments
   */
  cache_discard(...args: A): void;
}

/**
 * The options of {@linkcode lru_cache}.
 *
 * @category Caching
 */
export interface CacheOptions {
  /** How many results are kept at most, 128 by default; `null` for any number, 0 for none. */
  maxsize?: number | null;
}

/**
 * A decorator of functions and methods, as {@linkcode lru_cache} returns it.
 *
 * @category Caching
 */
export type CacheDecorator = <A extends unknown[], T>(
  fn: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>,
  context?: ClassMethodDecoratorContext,
) => CachedFunction<A, T>;

function cached<A extends unknown[], T>(
  fn: AsyncFunction<A, T>,
  maxsize: number | null,
): CachedFunction<A, T> {
  if (typeof fn !== "function") {
    throw new TypeError(
      `Cannot cache the results of a function: it must be a function: received ${repr(fn)}`,
    );
  }
  const keys = new CallKeys();
  // The result that was used last is the last.
  const results = new Map<string, T>();
  let hits = 0;
  let misses = 0;

  function* call(self: unknown, args: A): Generator<unknown, T, unknown> {
    const key = keys.of(self, args);
    if (results.has(key)) {
      hits++;
      const result = results.get(key) as T;
      results.delete(key);
      results.set(key, result);
      return result;
    }
    misses++;
    const result = yield* call_and_wait(() => fn.apply(self, args));
    // Another call with these arguments may have been faster.
    if (!results.has(key) && maxsize !== 0) {
      if (results.size === maxsize) results.delete(results.keys().next().value as string);
      results.set(key, result);
    }
    return result;
  }

  const factory = coroutine(named(fn, function* (this: unknown, ...args: A) {
    return yield* call(this, args);
  }));
  return Object.assign(factory, {
    __wrapped__: fn,
    cache_info: () => ({ hits, misses, maxsize, currsize: results.size }),
    cache_parameters: () => ({ maxsize, typed: true as const }),
    cache_clear: () => {
      results.clear();
      hits = misses = 0;
    },
    cache_discard(this: unknown, ...args: A) {
      results.delete(keys.of(this === factory ? undefined : this, args));
    },
  });
}

/** Gives a function the name and the number of parameters of another one. */
function named<F>(
  { name, length }: { readonly name: string; readonly length: number },
  fn: F,
): F {
  Object.defineProperty(fn, "name", { value: name || "<lambda>" });
  Object.defineProperty(fn, "length", { value: length });
  return fn;
}

/**
 * Keeps the results of the latest calls of an async function, and returns them for calls with equal arguments.
 *
 * It is called with a function, which keeps 128 results then, or with options, for a decorator of functions
 * and methods. The result is lazy, as that of `coroutine()`. Arguments are equal if they are the same
 * primitive value, arrays or object literals of equal parts, or dates of the same time; other objects, and the
 * object of a method, are equal to themselves alone.
 *
 * A call that fails or is cancelled leaves nothing in the cache. Calls at the same time run at the same time, each
 * as a miss: {@linkcode single_flight} has them share one run.
 *
 * See {@link https://docs.python.org/3/library/functools.html#functools.lru_cache Python's lru_cache}.
 *
 * @param fn an async function, a `function*` or any function that returns an awaitable; or the options:
 * `maxsize`, how many results are kept, also given without its name
 * @param _context given by the compiler, where it decorates a method
 * @returns the function with its cache, or a decorator
 * @throws {TypeError} if it is none of these, or `maxsize` is neither an integer nor `null`
 * @category Caching
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { lru_cache } from "@pythonic/asyncio/functools";
 * import { assertEquals } from "@std/assert";
 *
 * const load = lru_cache({ maxsize: 32 })(async (page: string) => {
 *   await asyncio.sleep(0.001);
 *   return page.toUpperCase();
 * });
 * assertEquals([await load("a"), await load("a")], ["A", "A"]);
 * assertEquals(load.cache_info(), { hits: 1, misses: 1, maxsize: 32, currsize: 1 });
 * ```
 */
export function lru_cache<A extends unknown[], T>(
  fn: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>,
  _context?: ClassMethodDecoratorContext,
): CachedFunction<A, T>;
/** Returns a decorator that keeps the results of the latest calls. */
export function lru_cache(fn?: number | null | CacheOptions): CacheDecorator;
export function lru_cache<A extends unknown[], T>(
  fn: AsyncFunction<A, T> | number | null | CacheOptions = {},
  _context?: ClassMethodDecoratorContext,
): CachedFunction<A, T> | CacheDecorator {
  if (typeof fn === "function") return cached(fn, 128);
  const options: CacheOptions = is_plain_object(fn) ? fn : { maxsize: fn as number | null };
  check_options("lru_cache", options, ["maxsize"]);
  const { maxsize = 128 } = options;
  if (maxsize !== null && !Number.isInteger(maxsize)) {
    throw new TypeError(
      `Cannot make a cache: maxsize must be an integer or null: received ${repr(maxsize)}`,
    );
  }
  const size = maxsize === null ? null : Math.max(maxsize, 0);
  return <B extends unknown[], R>(fn: AsyncFunction<B, R>): CachedFunction<B, R> =>
    cached(fn, size);
}

/**
 * Keeps the results of all calls of an async function: {@linkcode lru_cache} without a limit.
 *
 * See {@link https://docs.python.org/3/library/functools.html#functools.cache Python's cache}.
 *
 * @param fn an async function, a `function*` or any function that returns an awaitable
 * @param _context given by the compiler, where it decorates a method
 * @returns the function with its cache
 * @throws {TypeError} if it is no function
 * @category Caching
 *
 * @example
 * ```ts
 * import { cache } from "@pythonic/asyncio/functools";
 * import { assertEquals } from "@std/assert";
 *
 * const factorial = cache(async (n: number): Promise<number> => n > 1 ? n * await factorial(n - 1) : 1);
 * assertEquals(await factorial(5), 120);
 * assertEquals(factorial.cache_info().currsize, 5);
 * ```
 */
export function cache<A extends unknown[], T>(
  fn: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>,
  _context?: ClassMethodDecoratorContext,
): CachedFunction<A, T> {
  return cached(fn, null);
}

/** A run that several callers wait for. */
interface Flight<T> {
  readonly task: Task<T>;
  callers: number;
}

/** The runs that are in progress, by key. */
class Flights<K, T> {
  readonly #flights = new Map<K, Flight<T>>();

  /** Waits for the run of a key, which is begun if there is none. */
  *join(
    key: K,
    name: string,
    work: () => PromiseLike<T> | Generator<unknown, T, unknown>,
  ): Generator<unknown, T, unknown> {
    const flight = this.#flights.get(key) ?? this.#begin(key, name, work);
    flight.callers++;
    try {
      if (!flight.task.done()) yield* wait([flight.task]);
    } finally {
      // A caller that is cancelled is the only reason for leaving a run that is not done.
      if (--flight.callers === 0 && !flight.task.done()) {
        this.#end(key, flight);
        yield* cancel_and_wait(flight.task);
        // The caller throws its own error.
        if (!flight.task.cancelled()) flight.task.exception();
      }
    }
    return flight.task.result();
  }

  #begin(
    key: K,
    name: string,
    work: () => PromiseLike<T> | Generator<unknown, T, unknown>,
  ): Flight<T> {
    const flight: Flight<T> = {
      task: create_task(() => call_and_wait(work), { name }),
      callers: 0,
    };
    this.#flights.set(key, flight);
    flight.task.add_done_callback(() => this.#end(key, flight));
    return flight;
  }

  #end(key: K, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/**
 * Has calls with equal arguments at the same time share one run of an async function.
 *
 * The run is a task of its own, in the context of the first call. Each caller gets its result or its error. A
 * caller that is cancelled leaves the others and the run as they are; when the last one is, the run is
 * cancelled, and its end is waited for. Nothing is kept after the end: `lru_cache(single_flight(fn))` keeps the
 * results. Arguments are compared as {@linkcode lru_cache} does.
 *
 * @param fn an async function, a `function*` or any function that returns an awaitable
 * @param _context given by the compiler, where it decorates a method
 * @returns a function of the same parameters, whose calls are lazy
 * @throws {TypeError} if it is no function
 * @category Caching
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { single_flight } from "@pythonic/asyncio/functools";
 * import { assertEquals } from "@std/assert";
 *
 * let runs = 0;
 * const load = single_flight(async (page: string) => {
 *   runs++;
 *   return await asyncio.sleep(0.001, page.toUpperCase());
 * });
 * assertEquals(await asyncio.run(() => asyncio.gather(load("a"), load("a"))), ["A", "A"]);
 * assertEquals(runs, 1);
 * ```
 */
export function single_flight<A extends unknown[], T>(
  fn: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>,
  _context?: ClassMethodDecoratorContext,
): CoroutineFactory<A, T> {
  if (typeof fn !== "function") {
    throw new TypeError(
      `Cannot share the calls of a function: it must be a function: received ${repr(fn)}`,
    );
  }
  const keys = new CallKeys();
  const flights = new Flights<string, T>();
  return coroutine(named(fn, function* (this: unknown, ...args: A) {
    return yield* flights.join(keys.of(this, args), fn.name, () => fn.apply(this, args));
  }));
}

/**
 * Makes a getter whose value is awaited and then kept: a decorator of getters.
 *
 * The getter runs when its value is first awaited, in a task of its own. Several that await it at the same time
 * share the run; one that is cancelled leaves it to the others. A run that fails is forgotten. Once there, the
 * value is kept with the object, and `delete object.name` has it computed anew. That of a private getter stays.
 *
 * See {@link https://docs.python.org/3/library/functools.html#functools.cached_property Python's cached_property}.
 *
 * @param get a getter of a promise or coroutine
 * @param context given by the compiler
 * @returns a getter of lazy coroutines
 * @throws {TypeError} if it decorates anything else
 * @category Caching
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { cached_property } from "@pythonic/asyncio/functools";
 * import { assertEquals } from "@std/assert";
 *
 * class Resource {
 *   loads = 0;
 *   @cached_property
 *   get data(): Promise<number> {
 *     return asyncio.sleep(0.001, ++this.loads);
 *   }
 * }
 * const resource = new Resource();
 * assertEquals([await resource.data, await resource.data, resource.loads], [1, 1, 1]);
 * ```
 */
export function cached_property<This extends object, P extends Promise<unknown>>(
  get: (this: This) => P,
  context: ClassGetterDecoratorContext<This, P>,
): (this: This) => P {
  if (typeof get !== "function" || context?.kind !== "getter") {
    throw new TypeError(
      `Cannot cache a property: cached_property decorates a getter: received ${repr(get)}`,
    );
  }
  const name = String(context.name);
  const flights = new Flights<This, Awaited<P>>();
  const values = new WeakMap<This, KeptValue<Awaited<P>>>();

  function* value_of(self: This): Generator<unknown, Awaited<P>, unknown> {
    const known = values.get(self);
    if (known !== undefined && (context.private || known.is_property_of(self, context.name))) {
      return known.value;
    }
    return yield* flights.join(self, name, function* () {
      const value = (yield* call_and_wait(() => get.call(self))) as Awaited<P>;
      const found = new KeptValue(name, value);
      if (!context.private) {
        Object.defineProperty(self, context.name, { get: found.get, configurable: true });
      }
      values.set(self, found);
      return value;
    });
  }

  return function (this: This): P {
    return library_coroutine(name, value_of(this)) as Coroutine<unknown> as unknown as P;
  };
}

/** The value of a property that has been computed; the object has it as a property of its own, to be deleted. */
class KeptValue<T> {
  readonly value: T;
  readonly get: () => Coroutine<T>;

  constructor(name: string, value: T) {
    this.value = value;
    this.get = () => library_coroutine(name, return_value(value));
  }

  is_property_of(self: object, name: PropertyKey): boolean {
    return Object.getOwnPropertyDescriptor(self, name)?.get === this.get;
  }
}

// deno-lint-ignore require-yield -- it never waits
function* return_value<T>(value: T): Generator<never, T, unknown> {
  return value;
}
