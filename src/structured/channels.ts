/**
 * Channels: items from tasks to tasks, each to one, with an end of their own on both sides.
 *
 * @module
 */

import type { DeliveryCore } from "../core/contracts.ts";
import { type Coroutine, library_coroutine } from "../core/coroutines.ts";
import { type Operation, Suspension } from "../core/suspensions.ts";
import { ValueError } from "../core/exceptions.ts";
import { LoopBound } from "../core/mixins.ts";
import { WaitQueue } from "../core/wait_queue.ts";
import { leave_pending } from "../core/cancellation_state.ts";
import { Deque } from "../internal/deque.ts";
import { Inspectable } from "../internal/format_helpers.ts";
import { number_argument } from "../internal/numbers.ts";
import { note_methods } from "../internal/unbound.ts";
import {
  BrokenChannelError,
  ClosedResourceError,
  EndOfChannel,
  WouldBlock,
} from "./resource_errors.ts";
import { first_waiting, take_first, waiting_in } from "./waiters.ts";

/**
 * The state of a channel, by AnyIO's names.
 *
 * @category Channels
 */
export interface ChannelStatistics {
  /** The number of items in the buffer. */
  readonly current_buffer_used: number;
  /** The most items that the buffer takes. */
  readonly max_buffer_size: number;
  /** The senders that are not closed. */
  readonly open_send_streams: number;
  /** The receivers that are not closed. */
  readonly open_receive_streams: number;
  /** The calls of `send()` that wait. */
  readonly tasks_waiting_send: number;
  /** The calls of `receive()` that wait. */
  readonly tasks_waiting_receive: number;
}

/** The item of a call of `receive()`, once there is one. */
class Delivered {
  has_item = false;
  item: unknown = undefined;
  /** True if its receiver was closed meanwhile, or its iteration has ended. */
  is_closed = false;
}

/** The item of a call of `send()`. */
export class Offered {
  readonly item: unknown;
  is_taken = false;
  /** True if its sender was closed meanwhile. */
  is_closed = false;
  /** The cancellations that came when the item had been taken. */
  readonly deliveries: DeliveryCore[] = [];

  constructor(item: unknown) {
    this.item = item;
  }
}

/** The state that the senders and the receivers of a channel share. */
export class Channel extends LoopBound {
  readonly max_buffer: number;
  /** Called when a receiver has begun to wait, or has taken an item. */
  on_demand: () => void = () => {};
  /** Called when the last receiver is closed. */
  on_abandoned: () => void = () => {};
  /** The error of a receiver at the end of the channel. */
  make_end: () => Error = () => new EndOfChannel("all senders are closed");
  readonly senders: WaitQueue = new WaitQueue();
  readonly receivers: WaitQueue = new WaitQueue();
  open_senders = 0;
  open_receivers = 0;
  // Items of cancelled receivers, which go before those in the buffer.
  readonly #returned = new Deque<unknown>();
  readonly #buffer = new Deque<unknown>();
  // The calls of receive() that have been handed an item and have not resumed.
  #delivered = 0;

  constructor(max_buffer: number) {
    super();
    this.max_buffer = max_buffer;
  }

  get #buffered(): number {
    return this.#returned.length + this.#buffer.length;
  }

  /** Returns whether `try_send()` would send an item. */
  get has_room(): boolean {
    return this.#buffered < this.max_buffer || first_waiting(this.receivers) !== null;
  }

  /** Drops the oldest item of the buffer. */
  drop_oldest(): void {
    (this.#returned.length > 0 ? this.#returned : this.#buffer).shift();
  }

  /** Sends an item if no sender has to wait for it; returns whether it did. */
  try_send(item: unknown): boolean {
    if (this.open_receivers === 0) throw new BrokenChannelError("all receivers are closed");
    const receiver = take_first(this.receivers);
    if (receiver !== null) {
      const delivered = receiver["_argument"] as Delivered;
      delivered.has_item = true;
      delivered.item = item;
      this.#delivered++;
      receiver["_wake"]();
      return true;
    }
    if (this.#buffered >= this.max_buffer) return false;
    this.#buffer.push(item);
    return true;
  }

  /** Takes the next item into what the caller gives; returns whether there was one. */
  try_receive(into: Delivered): boolean {
    // A sender waits only if the buffer is full: its item takes the place that becomes free.
    const sender = take_first(this.senders);
    if (sender !== null) {
      const offered = sender["_argument"] as Offered;
      offered.is_taken = true;
      this.#buffer.push(offered.item);
      sender["_wake"]();
    }
    if (this.#buffered === 0) {
      if (this.#has_ended) throw this.make_end();
      return false;
    }
    into.has_item = true;
    into.item = (this.#returned.length > 0 ? this.#returned : this.#buffer).shift();
    this.on_demand();
    return true;
  }

  // An item that was delivered may still come back.
  get #has_ended(): boolean {
    return this.open_senders === 0 && this.#buffered === 0 && this.#delivered === 0;
  }

  /** Notes that a receiver has resumed: with its item, or without since it was cancelled. */
  settle(delivered: Delivered, is_received: boolean): void {
    this.#delivered--;
    if (!is_received) {
      const receiver = first_waiting(this.receivers);
      if (receiver === null) this.#returned.push(delivered.item);
      else this.try_send(delivered.item);
    }
    this.end_receivers();
  }

  /** Ends the receivers that wait, if nothing can come any more. */
  end_receivers(): void {
    if (this.#has_ended) this.receivers.wake_and_remove_all();
  }

  statistics(): ChannelStatistics {
    return {
      current_buffer_used: this.#buffered,
      max_buffer_size: this.max_buffer,
      open_send_streams: this.open_senders,
      open_receive_streams: this.open_receivers,
      tasks_waiting_send: waiting_in(this.senders).length,
      tasks_waiting_receive: waiting_in(this.receivers).length,
    };
  }
}

/** Wakes the calls of an end of a channel that is closed, and those alone. */
function wake_calls_of(end: object, queue: WaitQueue): void {
  for (const waiter of waiting_in(queue)) {
    if (waiter["_subject"] !== end) continue;
    (waiter["_argument"] as Delivered | Offered).is_closed = true;
    queue.remove(waiter);
    waiter["_wake"]();
  }
}

type Send = Suspension<void, unknown, Offered>;

/** Cancels a `send()`. If its item was received before, it succeeds, and the next await throws the cancellation. */
export function cancel_send(wait: Send, delivery: DeliveryCore): boolean {
  if (!was_taken(wait)) return wait.cancel(delivery.cancellation.message);
  wait["_argument"].deliveries.push(delivery);
  return true;
}

/** Returns whether the item of a `send()` has been taken. */
export function was_taken(wait: Send): boolean {
  return wait["_argument"].is_taken;
}

const SEND: Operation<void, Sender<unknown>, Offered> = {
  name: "Sender.send",
  advance(wait, thrown, value) {
    const sender = wait["_subject"];
    const offered = wait["_argument"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      const channel = sender["_open_channel"]();
      if (!channel.try_send(offered.item)) return channel.senders.wait(wait, channel);
      return wait["_return"](undefined);
    }
    sender["_channel"].senders.remove(wait);
    const error = wait["_error_of_wait"](thrown, value);
    if (error !== null) return wait["_raise"](error);
    if (offered.is_taken) {
      offered.deliveries.forEach(leave_pending);
      return wait["_return"](undefined);
    }
    return wait["_raise"](
      offered.is_closed
        ? new ClosedResourceError("the sender is closed")
        : new BrokenChannelError("all receivers are closed"),
    );
  },
  cancel: cancel_send,
  may_fulfil: was_taken,
};

const RECEIVE: Operation<unknown, Receiver<unknown>, Delivered> = {
  name: "Receiver.receive",
  advance(wait, thrown, value) {
    const receiver = wait["_subject"];
    const delivered = wait["_argument"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      const channel = receiver["_open_channel"]();
      if (channel.try_receive(delivered)) return wait["_return"](delivered.item);
      const outcome = channel.receivers.wait(wait, channel);
      channel.on_demand();
      if (wait["_is_waiting"]()) return outcome;
      channel.settle(delivered, true);
      return wait["_return"](delivered.item);
    }
    const channel = receiver["_channel"];
    channel.receivers.remove(wait);
    const error = wait["_error_of_wait"](thrown, value);
    const is_received = error === null && !delivered.is_closed;
    if (delivered.has_item) channel.settle(delivered, is_received);
    if (error !== null) return wait["_raise"](error);
    if (delivered.has_item && is_received) return wait["_return"](delivered.item);
    return wait["_raise"](
      delivered.is_closed ? new ClosedResourceError("the receiver is closed") : channel.make_end(),
    );
  },
};

/**
 * The sending end of a channel; `open_channel()` makes it.
 *
 * It is fair: items arrive in the order in which `send()` was called.
 *
 * @category Channels
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { open_channel } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const [sender, receiver] = open_channel<string>();
 *   await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
 *     group.create_task(() => sender.send("hello"));
 *     assertEquals(await receiver.receive(), "hello");
 *   });
 * });
 * ```
 */
export class Sender<T = unknown> extends Inspectable implements Disposable {
  /** @internal */
  protected readonly _channel: Channel;
  #is_closed = false;

  /** @internal Made by `open_channel()` and `clone()`. */
  constructor(channel: object) {
    super();
    note_methods(new.target.prototype);
    this._channel = channel as Channel;
    this._channel.open_senders++;
  }

  /** @internal Returns the channel, unless this end is closed. */
  protected _open_channel(): Channel {
    if (this.#is_closed) throw new ClosedResourceError("the sender is closed");
    return this._channel;
  }

  /**
   * Sends an item; waits while the buffer is full and no receiver waits.
   *
   * Cancelled while it waits, it sends nothing. If the item has been taken when the cancellation comes, the call
   * returns and the cancellation is thrown at the next await: what is thrown by `send()` was not sent.
   *
   * @param item any value
   * @throws {ClosedResourceError} if this sender is closed, or is closed meanwhile
   * @throws {BrokenChannelError} if all receivers are closed, or are closed meanwhile
   * @throws {RuntimeError} if it has to wait and the channel is bound to a different loop
   */
  send(item: T): Coroutine<void> {
    return new Suspension(SEND, this as Sender<unknown>, new Offered(item));
  }

  /**
   * Sends an item at once.
   *
   * @param item any value
   * @throws {WouldBlock} if the buffer is full and no receiver waits
   * @throws {ClosedResourceError} if this sender is closed
   * @throws {BrokenChannelError} if all receivers are closed
   */
  send_nowait(item: T): void {
    if (!this._open_channel().try_send(item)) {
      throw new WouldBlock("the buffer is full and no receiver waits");
    }
  }

  /**
   * Makes another sender of the channel; the channel ends when all are closed.
   *
   * @throws {ClosedResourceError} if this sender is closed
   */
  clone(): Sender<T> {
    return new Sender(this._open_channel());
  }

  /**
   * Closes this sender; its calls of `send()` that wait throw {@linkcode ClosedResourceError}.
   *
   * When all senders are closed, receivers get what is left and then {@linkcode EndOfChannel}. The second call
   * does nothing.
   */
  close(): void {
    if (this.#is_closed) return;
    this.#is_closed = true;
    this._channel.open_senders--;
    wake_calls_of(this, this._channel.senders);
    this._channel.end_receivers();
  }

  /** Closes this sender, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Returns the state of the channel. */
  statistics(): ChannelStatistics {
    return this._channel.statistics();
  }

  /**
   * Returns a stream of the host that sends what is written to it, and closes this sender at its end.
   *
   * A writer waits for its chunk to be sent; so the stream holds the back-pressure of the channel.
   */
  writable(): WritableStream<T> {
    return new WritableStream<T>({
      write: async (item) => await this.send(item),
      close: () => this.close(),
      abort: () => this.close(),
    });
  }

  /** The sender's state. */
  override toString(): string {
    return format("Sender", this.#is_closed, this._channel);
  }
}

/**
 * The receiving end of a channel; `open_channel()` makes it. As an AsyncIterable it ends with the channel.
 *
 * It is fair: waiting calls of `receive()` get items in the order in which they began to wait. Leaving a
 * `for await` loop does not close it.
 *
 * @category Channels
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { open_channel } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const [sender, receiver] = open_channel<number>(2);
 *   sender.send_nowait(1);
 *   sender.send_nowait(2);
 *   sender.close();
 *   const items: number[] = [];
 *   for await (const item of receiver) items.push(item);
 *   assertEquals(items, [1, 2]);
 * });
 * ```
 */
export class Receiver<T = unknown> extends Inspectable implements Disposable {
  /** @internal */
  protected readonly _channel: Channel;
  #is_closed = false;

  /** @internal Made by `open_channel()` and `clone()`. */
  constructor(channel: object) {
    super();
    note_methods(new.target.prototype);
    this._channel = channel as Channel;
    this._channel.open_receivers++;
  }

  /** @internal Returns the channel, unless this end is closed. */
  protected _open_channel(): Channel {
    if (this.#is_closed) throw new ClosedResourceError("the receiver is closed");
    return this._channel;
  }

  /**
   * Receives the next item, and waits until there is one.
   *
   * Cancelled, it takes none; an item that was being delivered to it goes to the next receiver, or back to the
   * front of the buffer.
   *
   * @returns a coroutine of the item
   * @throws {EndOfChannel} if all senders are closed and nothing is left
   * @throws {ClosedResourceError} if this receiver is closed, or is closed meanwhile
   * @throws {RuntimeError} if it has to wait and the channel is bound to a different loop
   */
  receive(): Coroutine<T> {
    return new Suspension(RECEIVE, this as Receiver<unknown>, new Delivered()) as Coroutine<
      unknown
    > as Coroutine<T>;
  }

  /**
   * Receives the next item at once.
   *
   * @throws {WouldBlock} if there is none
   * @throws {EndOfChannel} if all senders are closed and nothing is left
   * @throws {ClosedResourceError} if this receiver is closed
   */
  receive_nowait(): T {
    const delivered = new Delivered();
    if (!this._open_channel().try_receive(delivered)) throw new WouldBlock("there is no item");
    return delivered.item as T;
  }

  /**
   * Makes another receiver of the channel, which competes for its items.
   *
   * @throws {ClosedResourceError} if this receiver is closed
   */
  clone(): Receiver<T> {
    return new Receiver(this._open_channel());
  }

  /**
   * Closes this receiver; its calls of `receive()` that wait throw {@linkcode ClosedResourceError}.
   *
   * When all receivers are closed, senders get a {@linkcode BrokenChannelError}, and what is in the buffer is
   * dropped. The second call does nothing.
   */
  close(): void {
    if (this.#is_closed) return;
    this.#is_closed = true;
    this._channel.open_receivers--;
    wake_calls_of(this, this._channel.receivers);
    if (this._channel.open_receivers > 0) return;
    this._channel.senders.wake_and_remove_all();
    this._channel.on_abandoned();
  }

  /** Closes this receiver, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Iterates over the items up to the end of the channel. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new Items(this);
  }

  /** Returns the state of the channel. */
  statistics(): ChannelStatistics {
    return this._channel.statistics();
  }

  /** The receiver's state. */
  override toString(): string {
    return format("Receiver", this.#is_closed, this._channel);
  }
}

/** An iteration over the items of a receiver, up to its {@linkcode EndOfChannel}. */
class Items<T> implements AsyncIterator<T, undefined> {
  readonly #receiver: Receiver<T>;
  readonly #calls = new Set<Coroutine<T>>();
  #is_finished = false;

  constructor(receiver: Receiver<T>) {
    this.#receiver = receiver;
  }

  next(): Coroutine<IteratorResult<T, undefined>> {
    return library_coroutine("Receiver.__anext__", this.#next());
  }

  *#next(): Generator<unknown, IteratorResult<T, undefined>, unknown> {
    if (this.#is_finished) return END;
    const call = this.#receiver.receive();
    this.#calls.add(call);
    try {
      return { done: false, value: yield* call };
    } catch (error) {
      if (error instanceof EndOfChannel) return END;
      if (this.#is_finished && error instanceof ClosedResourceError) return END;
      throw error;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Ends the iteration, and the calls of `next()` that are in progress, which take no item. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#is_finished = true;
    for (const call of this.#calls) {
      // A subclass may receive in a way of its own.
      if (call instanceof Suspension && call["_operation"] === RECEIVE) end_call(call);
    }
    return Promise.resolve(END);
  }
}

const END = { done: true, value: undefined } as const;

function end_call(call: Suspension<unknown, Receiver<unknown>, Delivered>): void {
  call["_argument"].is_closed = true;
  call["_subject"]["_channel"].receivers.remove(call);
  call["_wake"]();
}

function format(name: string, is_closed: boolean, channel: Channel): string {
  const { current_buffer_used: used, max_buffer_size: size } = channel.statistics();
  return `<${name} [${is_closed ? "closed" : "open"}] buffer=${used}/${size}>`;
}

/**
 * Makes a channel: items that are sent arrive once each, at one of the receivers.
 *
 * Both ends can be cloned and closed on their own: receiving ends when all senders are closed, sending fails when
 * all receivers are. Channels are fair and lose no item to a cancellation.
 *
 * It follows {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.create_memory_object_stream AnyIO's create_memory_object_stream}.
 *
 * @param max_buffer how many items can be sent ahead of a receiver; 0, the default, for none, `Infinity` for any number
 * @returns the sender and the receiver
 * @throws {TypeError} if `max_buffer` is not a number
 * @throws {ValueError} if it is negative or a fraction
 * @category Channels
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { open_channel } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const [sender, receiver] = open_channel<number>();
 *   const produce = async () => {
 *     using _ = sender;
 *     for (const item of [1, 2, 3]) await sender.send(item);
 *   };
 *   let sum = 0;
 *   await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
 *     group.create_task(produce);
 *     for await (const item of receiver) sum += item;
 *   });
 *   assertEquals(sum, 6);
 * });
 * ```
 */
export function open_channel<T>(
  max_buffer: number | { readonly max_buffer?: number } = 0,
): [Sender<T>, Receiver<T>] {
  const size = check_max_buffer("open_channel", max_buffer, 0);
  const channel = new Channel(size);
  return [new Sender(channel), new Receiver(channel)];
}

/** Returns the size of a buffer: an integer of zero or more, or `Infinity`. */
export function check_max_buffer(
  name: string,
  max_buffer: number | { readonly max_buffer?: number },
  fallback: number,
): number {
  const size = number_argument(name, "max_buffer", max_buffer, fallback);
  if (size >= 0 && (Number.isInteger(size) || size === Infinity)) return size;
  throw new ValueError(
    `Cannot call ${name}(): max_buffer must be an integer of 0 or more, or Infinity: received ${size}`,
  );
}
