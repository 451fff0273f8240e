/**
 * Queues between tasks.
 *
 * @module
 */

import { type Coroutine, library_coroutine, wait_on } from "./core/coroutines.ts";
import { type Operation, Suspension } from "./core/suspensions.ts";
import { type Outcome, RAISED, SUSPENDED } from "./core/awaits.ts";
import { is_cancelled_error } from "./core/cancellation.ts";
import { ValueError } from "./core/exceptions.ts";
import { running_scope } from "./core/current.ts";
import { LoopBound } from "./core/mixins.ts";
import { next_moment } from "./core/scopes.ts";
import { begin_await } from "./core/steps.ts";
import { WaitQueue } from "./core/wait_queue.ts";
import { Deque } from "./internal/deque.ts";
import { is_plain_object, repr } from "./internal/format_helpers.ts";
import { check_function } from "./internal/functions.ts";
import { heappop, heappush, type LessThan } from "./internal/heapq.ts";
import { number_argument } from "./internal/numbers.ts";
import { check_options, keyword_or_positional } from "./internal/options.ts";
import { NamedError } from "./internal/error_kinds.ts";
import { less_than } from "./internal/ordering.ts";
import { check_object } from "./internal/unbound.ts";
import { Event } from "./locks.ts";

/**
 * Thrown by `get_nowait()` of an empty queue.
 *
 * See {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.QueueEmpty Python's QueueEmpty}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => new asyncio.Queue().get_nowait(), asyncio.QueueEmpty);
 * ```
 */
export class QueueEmpty extends NamedError {
  /** @internal */
  static override get name(): string {
    return "QueueEmpty";
  }
}

/**
 * Thrown by `put_nowait()` of a full queue.
 *
 * See {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.QueueFull Python's QueueFull}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * const queue = new asyncio.Queue<number>(1);
 * queue.put_nowait(1);
 * assertThrows(() => queue.put_nowait(2), asyncio.QueueFull);
 * ```
 */
export class QueueFull extends NamedError {
  /** @internal */
  static override get name(): string {
    return "QueueFull";
  }
}

/**
 * Thrown by `put()` of a queue that is shut down, and by `get()` when it is empty, too.
 *
 * See {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.QueueShutDown Python's QueueShutDown}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * const queue = new asyncio.Queue<number>();
 * queue.shutdown();
 * assertThrows(() => queue.put_nowait(1), asyncio.QueueShutDown);
 * ```
 */
export class QueueShutDown extends NamedError {
  /** @internal */
  static override get name(): string {
    return "QueueShutDown";
  }
}

/** An operation that waits until the queue has an item, or room for one: `get()`, `put()`, iteration. */
interface QueueOperation<R, A> extends Operation<R, Queue<unknown>, A> {
  waiters(queue: Queue<unknown>): WaitQueue;
  must_wait(queue: Queue<unknown>): boolean;
  finish(queue: Queue<unknown>, argument: A): R;
}

function wait_for_queue<R, A>(
  operation: QueueOperation<R, A>,
  wait: Suspension<R, Queue<unknown>, A>,
  thrown: boolean,
  value: unknown,
): Outcome {
  const queue = wait["_subject"];
  if (wait["_has_waited"]) {
    const error = wait["_error_of_wait"](thrown, value);
    if (error !== null) return leave_queue(operation, wait, error);
  } else if (thrown) {
    return wait["_raise"](value);
  }
  try {
    if (!operation.must_wait(queue)) {
      return wait["_return"](operation.finish(queue, wait["_argument"]));
    }
    if (queue["_is_shut_down"]) return wait["_raise"](new QueueShutDown());
    return operation.waiters(queue).wait(wait, queue);
  } catch (error) {
    // A comparison or an overridden method has thrown, or the queue is bound to a different loop.
    return wait["_has_waited"] ? leave_queue(operation, wait, error) : wait["_raise"](error);
  }
}

// Ends a wait with an error; what the waiter was woken for is passed on to the next one.
function leave_queue<R, A>(
  operation: QueueOperation<R, A>,
  wait: Suspension<R, Queue<unknown>, A>,
  error: unknown,
): Outcome {
  const queue = wait["_subject"];
  const waiters = operation.waiters(queue);
  wait.cancel(); // if it was not woken: an error can be thrown into a waiter
  waiters.remove(wait);
  if (!wait["_was_cancelled"]() && !operation.must_wait(queue)) waiters.wake_and_remove_next();
  return wait["_raise"](error);
}

const GET: QueueOperation<unknown, null> = {
  name: "Queue.get",
  advance: (wait, thrown, value) => wait_for_queue(GET, wait, thrown, value),
  waiters: (queue) => queue["_getters"],
  must_wait: (queue) => queue.empty(),
  finish: (queue) => queue.get_nowait(),
};

const PUT: QueueOperation<void, unknown> = {
  name: "Queue.put",
  advance: (wait, thrown, value) => wait_for_queue(PUT, wait, thrown, value),
  waiters: (queue) => queue["_putters"],
  must_wait: (queue) => queue.full(),
  finish: (queue, item) => queue.put_nowait(item),
};

/**
 * A queue between tasks, first in, first out.
 *
 * It is fair: `get()` and `put()` wake their waiters in the order in which they began to wait. A
 * cancelled `get()` takes no item and a cancelled `put()` adds none; a wake-up that either had received
 * is passed on to the next waiter. `for await (const item of queue)` takes items until the queue is
 * shut down and empty.
 *
 * As in Python, a subclass can store items in its own way: it overrides `_init()`, `_put()` and `_get()`,
 * which keep them in `_queue`. `put()` calls `put_nowait()`, which calls `full()` and `_put()`; `get()`
 * calls `empty()` and `get_nowait()`, which calls `_get()`. If one of them throws, no wake-up is lost.
 *
 * See {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.Queue Python's Queue}.
 *
 * @category Queues
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const queue = new asyncio.Queue<number>(2);
 *   const producer = asyncio.create_task(async () => {
 *     for (let n = 1; n <= 4; n++) await queue.put(n);
 *     queue.shutdown();
 *   });
 *   assertEquals(await Array.fromAsync(queue), [1, 2, 3, 4]);
 *   await producer;
 * });
 * ```
 */
export class Queue<T = unknown> extends LoopBound implements AsyncIterable<T> {
  /** @internal */
  static override get name(): string {
    return "Queue";
  }

  /** @internal */
  protected readonly _getters: WaitQueue = new WaitQueue();
  /** @internal */
  protected readonly _putters: WaitQueue = new WaitQueue();
  readonly #maxsize: number;
  readonly #finished = new Event();
  #unfinished = 0;
  #shut_down = false;
  /** The items, as `_init()`, `_put()` and `_get()` store them: anything iterable that has a length or a size. */
  declare protected _queue: StoredItems<T>;

  /**
   * Makes a queue.
   *
   * @param maxsize the maximal number of items; 0, the default, or less sets no limit. By name: `{ maxsize }`
   * @throws {TypeError} if it is not a number
   */
  constructor(maxsize: number | { readonly maxsize?: number } = 0) {
    super();
    const size = number_argument(new.target.name, "maxsize", maxsize, 0);
    this.#maxsize = size;
    this.#finished.set();
    this._init(size);
  }

  /** The maximal number of items; 0 or less sets no limit. */
  get maxsize(): number {
    return this.#maxsize;
  }

  /** Returns the number of items. */
  qsize(): number {
    const { length, size } = this._queue as { length?: number; size?: number };
    return length ?? size as number;
  }

  /** The number of items, as `qsize()` returns it. */
  get size(): number {
    return this.qsize();
  }

  /** Returns whether there is no item, according to `qsize()`. */
  empty(): boolean {
    return this.qsize() === 0;
  }

  /** Returns whether there are `maxsize` items, according to `qsize()`. */
  full(): boolean {
    return this.#maxsize > 0 && this.qsize() >= this.#maxsize;
  }

  /**
   * Adds an item by `put_nowait()`, and waits while the queue is full.
   *
   * Cancelled, it adds nothing.
   *
   * @param item the item
   * @throws {QueueShutDown} if the queue is shut down
   * @throws {RuntimeError} if it has to wait and the queue is bound to a different loop
   */
  put(item: T): Coroutine<void> {
    return new Suspension(PUT, this as Queue<unknown>, item);
  }

  /**
   * Adds an item at once, and wakes the first waiter of `get()`.
   *
   * @param item the item
   * @throws {QueueFull} if the queue is full
   * @throws {QueueShutDown} if the queue is shut down
   */
  put_nowait(this: object, item: T): void;
  put_nowait(item: T): void {
    check_object(this instanceof Queue, "put_nowait");
    if (this.#shut_down) throw new QueueShutDown();
    if (this.full()) throw new QueueFull();
    const before = this.qsize();
    try {
      this._put(item);
    } catch (error) {
      if (this.qsize() > before) this.#added();
      throw error;
    }
    this.#added();
  }

  #added(): void {
    this.#unfinished++;
    this.#finished.clear();
    this._getters.wake_and_remove_next();
  }

  /**
   * Removes and returns the next item by `get_nowait()`, and waits while the queue is empty.
   *
   * Cancelled, it removes nothing.
   *
   * @returns a coroutine of the item
   * @throws {QueueShutDown} if the queue is shut down and empty
   * @throws {RuntimeError} if it has to wait and the queue is bound to a different loop
   */
  get(): Coroutine<T> {
    return new Suspension(GET, this as Queue<unknown>, null) as Coroutine<T>;
  }

  /**
   * Removes and returns the next item at once, and wakes the first waiter of `put()`.
   *
   * @throws {QueueEmpty} if the queue is empty
   * @throws {QueueShutDown} if the queue is empty and shut down
   */
  get_nowait(this: object): T;
  get_nowait(): T {
    check_object(this instanceof Queue, "get_nowait");
    if (this.empty()) {
      if (this.#shut_down) throw new QueueShutDown();
      throw new QueueEmpty();
    }
    const before = this.qsize();
    let item: T;
    try {
      item = this._get();
    } catch (error) {
      if (this.qsize() < before) this._putters.wake_and_remove_next();
      throw error;
    }
    this._putters.wake_and_remove_next();
    return item;
  }

  /**
   * Marks the work on an item that was taken as done; `join()` waits for that.
   *
   * @throws {ValueError} if it is called more often than items were added
   */
  task_done(this: object): void;
  task_done(): void {
    check_object(this instanceof Queue, "task_done");
    if (this.#unfinished <= 0) throw new ValueError("task_done() called too many times");
    if (--this.#unfinished === 0) this.#finished.set();
  }

  /**
   * Waits until `task_done()` has been called for every item that was added; returns at once if it has.
   *
   * Cancelled, it changes nothing.
   */
  join(): Coroutine<void> {
    return library_coroutine("Queue.join", this.#join());
  }

  *#join(): Generator<unknown, void, unknown> {
    if (this.#unfinished > 0) yield* this.#finished.wait();
  }

  /**
   * Shuts the queue down: `put()` throws `QueueShutDown`, blocked getters and putters are woken; `get()`
   * drains what is left first.
   *
   * @param immediate whether the items that are left are dropped; false by default. By name: `{ immediate }`
   */
  shutdown(this: object, immediate?: boolean | { readonly immediate?: boolean }): void;
  shutdown(immediate: boolean | { readonly immediate?: boolean } = false): void {
    check_object(this instanceof Queue, "shutdown");
    const drops = keyword_or_positional<"immediate", boolean>("shutdown", "immediate", immediate) ??
      false;
    this.#shut_down = true;
    try {
      if (drops) this.#drop_all();
    } finally {
      this._getters.wake_and_remove_all();
      this._putters.wake_and_remove_all();
    }
  }

  #drop_all(): void {
    while (!this.empty()) {
      this._get();
      if (this.#unfinished > 0) this.#unfinished--;
    }
    if (this.#unfinished === 0) this.#finished.set();
  }

  /**
   * Iterates over the items, which it removes by `get()`, until the queue is shut down and empty.
   *
   * The items come as they are: a promise or task among them is not awaited. Calls of `next()` are served
   * in order; one that is cancelled takes no item, and the iteration can be continued. `return()` and
   * `throw()` end the iteration, and a `next()` in progress at once: it takes no item and is `done`.
   * If a subclass overrides `get()`, a `next()` in progress gets its item all the same.
   */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return new QueueIterator(this);
  }

  /** @internal */
  protected get _is_shut_down(): boolean {
    return this.#shut_down;
  }

  /**
   * Makes the empty storage, `_queue`; the constructor calls it.
   *
   * It runs before the fields of a subclass are initialised: a subclass that declares `_queue` again does so
   * with `declare`.
   *
   * @param _maxsize the maximal number of items
   */
  protected _init(_maxsize: number): void {
    this._queue = new Deque<T>();
  }

  /**
   * Stores an item.
   *
   * @param item the item
   */
  protected _put(item: T): void {
    (this._queue as Deque<T>).push(item);
  }

  /** Removes and returns the item that is next. */
  protected _get(): T {
    return (this._queue as Deque<T>).shift();
  }

  /** Returns the state in the form in which `toString()` shows it. */
  protected _format(): string {
    const parts = [`maxsize=${this.#maxsize}`];
    const items = [...this._queue];
    if (items.length > 0) parts.push(`_queue=${repr(items)}`);
    if (this._getters.length > 0) parts.push(`_getters[${this._getters.length}]`);
    if (this._putters.length > 0) parts.push(`_putters[${this._putters.length}]`);
    if (this.#unfinished > 0) parts.push(`tasks=${this.#unfinished}`);
    if (this.#shut_down) parts.push("shutdown");
    return parts.join(" ");
  }

  /** Python's `str()`. */
  override toString(): string {
    return `<${this.constructor.name} ${this._format()}>`;
  }
}

/**
 * The storage of a {@linkcode Queue}: an array, a set, …
 *
 * @category Queues
 */
export type StoredItems<T> =
  & Iterable<T>
  & ({ readonly length: number } | { readonly size: number });

type Step<T> = IteratorResult<T, undefined>;

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

const RESOLVED: Promise<void> = Promise.resolve();

/**
 * An iteration over a queue.
 *
 * Of its calls of `next()` only the first, the active one, waits at the queue; the others wait in line
 * behind it. An `async function*` would await the items, and delay `return()` while it waits.
 */
class QueueIterator<T> implements AsyncGenerator<T, void, void> {
  readonly #queue: Queue<T>;
  /** @internal */
  protected _is_finished = false;
  /** @internal */
  protected _active: Suspension<unknown> | null = null;
  // How many calls of next() have not begun to wait yet.
  #beginning = 0;
  /** @internal */
  protected readonly _line: WaitQueue = new WaitQueue();

  constructor(queue: Queue<T>) {
    this.#queue = queue;
  }

  next(): Promise<Step<T>> {
    if (this._is_finished) return Promise.resolve(END);
    const ready = this.#take_ready();
    if (ready !== null) return ready;
    this.#beginning++;
    const promise = new Promise<Step<T>>((resolve, reject) => {
      const on_error = (error: unknown) => {
        reject(error);
        // A next() that a race has forgotten is cancelled with its task: that is no unhandled error.
        if (is_cancelled_error(error)) promise.catch(() => {});
      };
      // Begins to wait when `await` would, after the caller's code: the step of the task ends then.
      RESOLVED.then(() => {
        this.#beginning--;
        this.#take().then(resolve, on_error);
      });
    });
    return promise;
  }

  // The work of a `get()` that need not wait, for the host's own await: a third of the time. `null` if it may have
  // to wait, in line or for an item, or if a cancellation may have to be thrown.
  #take_ready(): Promise<Step<T>> | null {
    const queue = this.#queue;
    if (this._active !== null || this.#beginning > 0 || queue.get !== Queue.prototype.get) {
      return null;
    }
    const scope = running_scope();
    const task = scope?._owner;
    if (!task || task._cancellation_state !== null) return null;
    let step: Promise<Step<T>>;
    try {
      if (queue.empty()) return null;
      begin_await(task, scope);
      step = Promise.resolve({ done: false, value: queue.get_nowait() });
    } catch (error) {
      // A subclass's own methods may throw.
      if (error instanceof QueueShutDown) this._end();
      step = error instanceof QueueShutDown ? Promise.resolve(END) : Promise.reject(error);
    }
    scope._resumed = next_moment();
    return step;
  }

  #take(): Coroutine<Step<T>> {
    const queue = this.#queue;
    return queue.get === Queue.prototype.get
      ? new Suspension(NEXT, queue as Queue<unknown>, this as QueueIterator<unknown>) as Coroutine<
        Step<T>
      >
      : library_coroutine("Queue.__anext__", next_by_get(queue, this));
  }

  return(value?: void | PromiseLike<void>): Promise<IteratorResult<T, void>> {
    this._end();
    return Promise.resolve(value).then((value) => ({ done: true, value }));
  }

  throw(error: unknown): Promise<never> {
    this._end();
    return Promise.reject(error);
  }

  /** @internal Ends the iteration and all calls of `next()` that are in progress. */
  protected _end(): void {
    this._is_finished = true;
    const active = this._active;
    if (active !== null) {
      this._active = null;
      const queue = this.#queue;
      if (active["_place"] !== null) {
        queue["_getters"].remove(active);
        active["_wake"]();
      } else if (!queue.empty()) {
        queue["_getters"].wake_and_remove_next(); // the active one has been woken for this item
      }
    }
    this._line.wake_and_remove_all();
  }

  /** @internal Makes the next call in line the active one. */
  protected _advance_line(): void {
    const line = this._line;
    for (let first = line.first; first !== null; first = line.first) {
      line.remove(first);
      if (first["_is_waiting"]()) {
        this._active = first;
        first["_wake"]();
        return;
      }
    }
    this._active = null;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this._end();
    return Promise.resolve();
  }

  get [Symbol.toStringTag](): string {
    return "AsyncGenerator";
  }
}

const NEXT: QueueOperation<Step<unknown>, QueueIterator<unknown>> = {
  name: "Queue.__anext__",
  advance(wait, thrown, value) {
    const iterator = wait["_argument"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      if (iterator["_is_finished"]) return wait["_return"](END);
      if (iterator["_active"] !== null) return iterator["_line"].wait(wait, wait["_subject"]);
      iterator["_active"] = wait;
    } else if (iterator["_active"] !== wait) {
      // It was cancelled in line, or the iteration has ended.
      iterator["_line"].remove(wait);
      const error = wait["_error_of_wait"](thrown, value);
      return error === null ? wait["_return"](END) : wait["_raise"](error);
    }
    const outcome = wait_for_queue(NEXT, wait, thrown, value);
    if (outcome === SUSPENDED) return outcome;
    if (outcome === RAISED && wait["_value"] instanceof QueueShutDown) {
      iterator["_active"] = null;
      iterator["_end"]();
      return wait["_return"](END);
    }
    iterator["_advance_line"]();
    return outcome;
  },
  waiters: (queue) => queue["_getters"],
  must_wait: (queue) => queue.empty(),
  finish: (queue) => ({ done: false, value: queue.get_nowait() }),
};

function* next_by_get<T>(
  queue: Queue<T>,
  iterator: QueueIterator<T>,
): Generator<unknown, Step<T>, unknown> {
  try {
    return { done: false, value: yield* wait_on(queue.get()) };
  } catch (error) {
    if (!(error instanceof QueueShutDown)) throw error;
    iterator["_end"]();
    return END;
  }
}

/**
 * The options of a {@linkcode PriorityQueue}.
 *
 * @category Queues
 */
export interface PriorityQueueOptions<T> {
  /** Compares two items as for `Array.sort`: returns a number below zero if the first is smaller. */
  compare?: (a: T, b: T) => number;
}

/**
 * A queue from which the smallest item is removed first.
 *
 * Items are compared as in Python: numbers, strings, and arrays element by element, such as
 * `[priority, order, data]`. Among equal items the order is CPython's. If a comparison throws, the queue
 * is as it was: `put()` has added nothing, `get()` has removed nothing. Fairness and behaviour under
 * cancellation are those of {@linkcode Queue}.
 *
 * See {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.PriorityQueue Python's PriorityQueue}.
 *
 * @category Queues
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new asyncio.PriorityQueue<[number, string]>();
 * queue.put_nowait([2, "later"]);
 * queue.put_nowait([1, "now"]);
 * assertEquals(queue.get_nowait(), [1, "now"]);
 * ```
 */
export class PriorityQueue<T = unknown> extends Queue<T> {
  /** @internal */
  static override get name(): string {
    return "PriorityQueue";
  }

  readonly #less_than: LessThan<T>;
  /** The items, as a heap. */
  declare protected _queue: T[];

  /**
   * Makes a queue.
   *
   * @param maxsize the maximal number of items; 0, the default, or less sets no limit. By name, beside
   * the options: `{ maxsize, compare }`
   * @param options `compare`, which replaces the comparison
   * @throws {TypeError} if the size is not a number, or `compare` not a function
   */
  constructor(
    maxsize: number | { readonly maxsize?: number } & PriorityQueueOptions<T> = 0,
    options: PriorityQueueOptions<T> = {},
  ) {
    super(number_argument(new.target.name, "maxsize", maxsize, 0, ["compare"]));
    check_options("PriorityQueue", options, ["compare"]);
    const { compare }: PriorityQueueOptions<T> = is_plain_object(maxsize) ? maxsize : options;
    this.#less_than = compare === undefined ? less_than : by_comparison(compare);
  }

  /** Makes the empty heap. */
  protected override _init(_maxsize: number): void {
    this._queue = [];
  }

  /**
   * Adds an item to the heap; if a comparison throws, the heap is as it was.
   *
   * @param item the item
   */
  protected override _put(item: T): void {
    heappush(this._queue, item, this.#less_than);
  }

  /** Removes and returns the smallest item of the heap; if a comparison throws, the heap is as it was. */
  protected override _get(): T {
    return heappop(this._queue, this.#less_than);
  }
}

function by_comparison<T>(compare: (a: T, b: T) => number): LessThan<T> {
  check_function("PriorityQueue", "compare", compare);
  return (a, b) => {
    const order: unknown = compare(a, b);
    if (typeof order !== "number" && typeof order !== "bigint") {
      throw new TypeError(
        `Cannot compare items: compare() must return a number: received ${repr(order)}`,
      );
    }
    return order < 0;
  };
}

/**
 * A queue from which the newest item is removed first.
 *
 * Fairness and behaviour under cancellation are those of {@linkcode Queue}.
 *
 * See {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.LifoQueue Python's LifoQueue}.
 *
 * @category Queues
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const stack = new asyncio.LifoQueue<number>();
 * stack.put_nowait(1);
 * stack.put_nowait(2);
 * assertEquals(stack.get_nowait(), 2);
 * ```
 */
export class LifoQueue<T = unknown> extends Queue<T> {
  /** @internal */
  static override get name(): string {
    return "LifoQueue";
  }

  /** The items, the newest one last. */
  declare protected _queue: T[];

  /** Makes the empty stack. */
  protected override _init(_maxsize: number): void {
    this._queue = [];
  }

  /**
   * Adds an item to the stack.
   *
   * @param item the item
   */
  protected override _put(item: T): void {
    this._queue.push(item);
  }

  /** Removes and returns the newest item. */
  protected override _get(): T {
    return this._queue.pop() as T;
  }
}
