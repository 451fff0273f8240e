/**
 * Queues between tasks.
 *
 * @module
 */

import {
  type Coroutine,
  library_coroutine,
  type Operation,
  Suspension,
} from "./core/coroutines.ts";
import { type Outcome } from "./core/awaits.ts";
import { Deque } from "./internal/deque.ts";
import { ValueError } from "./core/exceptions.ts";
import { repr } from "./internal/format_helpers.ts";
import { heappop, heappush, type LessThan } from "./internal/heapq.ts";
import { Event } from "./locks.ts";
import { LoopBound } from "./core/mixins.ts";
import { NamedError } from "./internal/error_kinds.ts";
import { check_options } from "./internal/options.ts";
import { less_than } from "./internal/ordering.ts";
import { Waiters } from "./core/waiters.ts";

/**
 * `get_nowait()` was called on an empty queue.
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
 * `put_nowait()` was called on a full queue.
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
 * A queue was used that has been shut down.
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

/** What `get()` and `put()` have in common: they wait until the queue has what they need. */
interface QueueOperation<R, T, A> extends Operation<R, Queue<T>, A> {
  waiters(queue: Queue<T>): Waiters;
  must_wait(queue: Queue<T>): boolean;
  finish(queue: Queue<T>, argument: A): R;
}

function wait_for_queue<R, T, A>(
  operation: QueueOperation<R, T, A>,
  wait: Suspension<R, Queue<T>, A>,
  thrown: boolean,
  value: unknown,
): Outcome {
  const queue = wait._subject;
  if (wait._has_waited) {
    const error = wait._error_of_wait(thrown, value);
    if (error !== null) {
      wait.cancel(); // if it was not woken: then nobody wakes it any more
      const waiters = operation.waiters(queue);
      waiters.remove(wait);
      // What it was woken for goes to the next.
      if (!operation.must_wait(queue) && !wait._was_cancelled()) wake_next(waiters);
      return wait._raise(error);
    }
  } else if (thrown) {
    return wait._raise(value);
  }
  if (operation.must_wait(queue)) {
    if (queue._is_shut_down) throw new QueueShutDown();
    return operation.waiters(queue).wait(wait, queue);
  }
  return wait._return(operation.finish(queue, wait._argument));
}

const GET: QueueOperation<unknown, unknown, null> = {
  name: "Queue.get",
  advance: (wait, thrown, value) => wait_for_queue(GET, wait, thrown, value),
  waiters: (queue) => queue._getters,
  must_wait: (queue) => queue.empty(),
  finish: (queue) => queue.get_nowait(),
};

const PUT: QueueOperation<void, unknown, unknown> = {
  name: "Queue.put",
  advance: (wait, thrown, value) => wait_for_queue(PUT, wait, thrown, value),
  waiters: (queue) => queue._putters,
  must_wait: (queue) => queue.full(),
  finish: (queue, item) => queue.put_nowait(item),
};

// Who is woken leaves the list, as in CPython: it may have to wait again, behind the others.
function wake_next(waiters: Waiters): void {
  for (let waiter = waiters.shift(); waiter !== null; waiter = waiters.shift()) {
    if (waiter._is_waiting()) {
      waiter._wake();
      return;
    }
  }
}

/**
 * A queue between tasks, first in, first out.
 *
 * Who waits first is served first. A cancelled `get()` loses no item, a cancelled `put()` adds none.
 * `for await (const item of queue)` takes items until the queue is shut down and empty.
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
export class Queue<T> extends LoopBound implements AsyncIterable<T> {
  /** @internal */
  static override get name(): string {
    return "Queue";
  }

  /** @internal */
  readonly _getters: Waiters = new Waiters();
  /** @internal */
  readonly _putters: Waiters = new Waiters();
  readonly #maxsize: number;
  readonly #items = new Deque<T>();
  readonly #finished = new Event();
  #unfinished = 0;
  #shut_down = false;

  /**
   * Makes a queue.
   *
   * @param maxsize how many items it holds at most; with 0, the default, or less, any number
   * @throws {TypeError} if it is no number
   */
  constructor(maxsize: number = 0) {
    super();
    if (typeof maxsize !== "number" || Number.isNaN(maxsize)) {
      throw new TypeError(`the maxsize of a queue must be a number, received ${repr(maxsize)}`);
    }
    this.#maxsize = maxsize;
    this.#finished.set();
  }

  /** How many items the queue may hold; 0 or less is any number. */
  get maxsize(): number {
    return this.#maxsize;
  }

  /** How many items there are. */
  qsize(): number {
    return this.#items.length;
  }

  /** How many items there are, as `qsize()`. */
  get size(): number {
    return this.qsize();
  }

  /** Whether there is no item. */
  empty(): boolean {
    return this.qsize() === 0;
  }

  /** Whether there are `maxsize` items. */
  full(): boolean {
    return this.#maxsize > 0 && this.qsize() >= this.#maxsize;
  }

  /**
   * Adds an item, waiting while the queue is full. Cancelled, it adds nothing.
   *
   * @param item the item
   * @throws {QueueShutDown} if the queue is shut down
   */
  put(item: T): Coroutine<void> {
    return new Suspension(PUT, this as Queue<unknown>, item);
  }

  /**
   * Adds an item at once.
   *
   * @param item the item
   * @throws {QueueFull} if the queue is full
   * @throws {QueueShutDown} if the queue is shut down
   */
  put_nowait(item: T): void {
    if (this.#shut_down) throw new QueueShutDown();
    if (this.full()) throw new QueueFull();
    this._put(item);
    this.#unfinished++;
    this.#finished.clear();
    wake_next(this._getters);
  }

  /**
   * Takes the next item, waiting while there is none. Cancelled, it takes nothing.
   *
   * @throws {QueueShutDown} if the queue is shut down and empty
   */
  get(): Coroutine<T> {
    return new Suspension(GET, this as Queue<unknown>, null) as Coroutine<T>;
  }

  /**
   * Takes the next item at once.
   *
   * @throws {QueueEmpty} if there is none
   * @throws {QueueShutDown} if there is none and the queue is shut down
   */
  get_nowait(): T {
    if (this.empty()) {
      if (this.#shut_down) throw new QueueShutDown();
      throw new QueueEmpty();
    }
    const item = this._get();
    wake_next(this._putters);
    return item;
  }

  /**
   * Says that the work on an item that was taken is done; `join()` waits for it.
   *
   * @throws {ValueError} if it is called more often than items were added
   */
  task_done(): void {
    if (this.#unfinished <= 0) throw new ValueError("task_done() called too many times");
    if (--this.#unfinished === 0) this.#finished.set();
  }

  /**
   * Waits until all items that were added have been taken and `task_done()`.
   *
   * It returns at once if there are none; cancelled, it changes nothing.
   */
  join(): Coroutine<void> {
    return library_coroutine("Queue.join", this.#join());
  }

  *#join(): Generator<unknown, void, unknown> {
    if (this.#unfinished > 0) yield* this.#finished.wait();
  }

  /**
   * Ends the queue: nothing can be added any more, and who waits is woken.
   *
   * @param immediate whether the items that are there are dropped; else they can still be taken
   */
  shutdown(immediate: boolean = false): void {
    this.#shut_down = true;
    if (immediate) {
      while (!this.empty()) {
        this._get();
        if (this.#unfinished > 0) this.#unfinished--;
      }
      if (this.#unfinished === 0) this.#finished.set();
    }
    for (const waiters of [this._getters, this._putters]) {
      for (let waiter = waiters.shift(); waiter !== null; waiter = waiters.shift()) waiter._wake();
    }
  }

  /** Takes items until the queue is shut down and empty. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof QueueShutDown) return;
        throw error;
      }
      yield item;
    }
  }

  /** @internal */
  get _is_shut_down(): boolean {
    return this.#shut_down;
  }

  /** @internal Stores an item; another kind of queue stores it elsewhere. */
  protected _put(item: T): void {
    this.#items.push(item);
  }

  /** @internal Takes the item that is next. */
  protected _get(): T {
    return this.#items.shift();
  }

  /** @internal The items as they are stored. */
  protected _stored(): T[] {
    return [...this.#items];
  }

  /** Python's `str()`. */
  override toString(): string {
    const parts = [`maxsize=${this.#maxsize}`];
    if (!this.empty()) parts.push(`_queue=${repr(this._stored())}`);
    if (this._getters.length > 0) parts.push(`_getters[${this._getters.length}]`);
    if (this._putters.length > 0) parts.push(`_putters[${this._putters.length}]`);
    if (this.#unfinished > 0) parts.push(`tasks=${this.#unfinished}`);
    if (this.#shut_down) parts.push("shutdown");
    return `<${this.constructor.name} ${parts.join(" ")}>`;
  }
}

/**
 * What a {@linkcode PriorityQueue} may be made with.
 *
 * @category Queues
 */
export interface PriorityQueueOptions<T> {
  /** Compares two items as for `Array.sort`: below zero if the first comes first. */
  compare?: (a: T, b: T) => number;
}

/**
 * A queue that gives the smallest item first.
 *
 * Items are compared as in Python: numbers, strings, and arrays element by element, such as
 * `[priority, order, data]`. Among equal items the order is CPython's.
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
export class PriorityQueue<T> extends Queue<T> {
  /** @internal */
  static override get name(): string {
    return "PriorityQueue";
  }

  readonly #heap: T[] = [];
  readonly #less_than: LessThan<T>;

  /**
   * Makes a queue.
   *
   * @param maxsize how many items it holds at most; with 0, the default, or less, any number
   * @param options `compare`, which replaces the comparison
   * @throws {TypeError} if the size is no number
   */
  constructor(maxsize: number = 0, options: PriorityQueueOptions<T> = {}) {
    super(maxsize);
    check_options("PriorityQueue", options, ["compare"]);
    const { compare } = options;
    this.#less_than = compare === undefined ? less_than : (a, b) => compare(a, b) < 0;
  }

  /** How many items there are. */
  override qsize(): number {
    return this.#heap.length;
  }

  /** @internal */
  protected override _put(item: T): void {
    heappush(this.#heap, item, this.#less_than);
  }

  /** @internal */
  protected override _get(): T {
    return heappop(this.#heap, this.#less_than);
  }

  /** @internal */
  protected override _stored(): T[] {
    return this.#heap;
  }
}

/**
 * A queue that gives the newest item first.
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
export class LifoQueue<T> extends Queue<T> {
  /** @internal */
  static override get name(): string {
    return "LifoQueue";
  }

  readonly #stack: T[] = [];

  /** How many items there are. */
  override qsize(): number {
    return this.#stack.length;
  }

  /** @internal */
  protected override _put(item: T): void {
    this.#stack.push(item);
  }

  /** @internal */
  protected override _get(): T {
    return this.#stack.pop() as T;
  }

  /** @internal */
  protected override _stored(): T[] {
    return this.#stack;
  }
}
