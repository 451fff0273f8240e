/**
 * Broadcasts: items from tasks to all subscribers.
 *
 * @module
 */

import type { Coroutine } from "../core/coroutines.ts";
import { type Operation, Suspension } from "../core/suspensions.ts";
import { ValueError } from "../core/exceptions.ts";
import { LoopBound } from "../core/mixins.ts";
import { WaitQueue } from "../core/wait_queue.ts";
import { leave_pending } from "../core/cancellation_state.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import {
  cancel_send,
  Channel,
  check_max_buffer,
  Offered,
  Receiver,
  was_taken,
} from "./channels.ts";
import { BrokenChannelError, ClosedResourceError, WouldBlock } from "./resource_errors.ts";
import { first_waiting, take_first, waiting_in } from "./waiters.ts";

/**
 * The policy of a broadcast for an item for which a subscriber has no room.
 *
 * - `"wait"`: the sender waits until all subscribers have room.
 * - `"drop_oldest"`: the subscriber loses the oldest item that it has not received.
 * - `"fail"`: the subscriber receives what it has, and then gets a {@linkcode BrokenChannelError}.
 *
 * @category Channels
 */
export type Overflow = "wait" | "drop_oldest" | "fail";

/**
 * The options of `open_broadcast()`.
 *
 * @category Channels
 */
export interface BroadcastOptions {
  /** How many items a subscriber can be behind; 1 by default. With `"wait"` it can be 0. */
  max_buffer?: number;
  /** The policy for a subscriber that has no room; `"wait"` by default. */
  overflow?: Overflow;
}

/**
 * The state of a broadcast.
 *
 * @category Channels
 */
export interface BroadcastStatistics {
  /** The number of subscribers. */
  readonly subscribers: number;
  /** The most items that a subscriber can be behind. */
  readonly max_buffer_size: number;
  /** The calls of `send()` that wait. */
  readonly tasks_waiting_send: number;
}

/**
 * A receiver of every item of a broadcast; `subscribe()` makes it. As an AsyncIterable it ends with the broadcast.
 *
 * What is cloned from it competes with it for the items, and it ends when all of these are closed. A cancelled
 * `receive()` loses none.
 *
 * @category Channels
 *
 * @example
 * ```ts
 * import { open_broadcast } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * const ticks = open_broadcast<number>({ max_buffer: 1, overflow: "drop_oldest" });
 * using slow = ticks.subscribe();
 * ticks.send_nowait(1);
 * ticks.send_nowait(2);
 * assertEquals([slow.receive_nowait(), slow.dropped], [2, 1]);
 * ```
 */
export class Subscription<T = unknown> extends Receiver<T> {
  /** How many items it has lost since it was too slow. */
  dropped = 0;
}

const SEND: Operation<void, Broadcast<unknown>, Offered> = {
  name: "Broadcast.send",
  advance(wait, thrown, value) {
    const broadcast = wait["_subject"];
    const offered = wait["_argument"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      return broadcast["_try_send"](offered.item)
        ? wait["_return"](undefined)
        : broadcast["_senders"].wait(wait, broadcast);
    }
    broadcast["_senders"].remove(wait);
    const error = wait["_error_of_wait"](thrown, value);
    if (error !== null) return wait["_raise"](error);
    if (!offered.is_taken) {
      return wait["_raise"](new ClosedResourceError("the broadcast is closed"));
    }
    offered.deliveries.forEach(leave_pending);
    return wait["_return"](undefined);
  },
  cancel: cancel_send,
  may_fulfil: was_taken,
};

/**
 * Sends every item to every subscriber; `open_broadcast()` makes it.
 *
 * It is fair: all subscribers get the items in the order in which `send()` was called. An item is delivered to all
 * subscribers of that moment at once, or, if `send()` is cancelled before, to none.
 *
 * @category Channels
 *
 * @example
 * ```ts
 * import { open_broadcast } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * const news = open_broadcast<string>();
 * using one = news.subscribe();
 * using other = news.subscribe();
 * news.send_nowait("hello");
 * assertEquals([one.receive_nowait(), other.receive_nowait()], ["hello", "hello"]);
 * ```
 */
export class Broadcast<T = unknown> extends LoopBound implements Disposable {
  /** @internal */
  protected readonly _senders: WaitQueue = new WaitQueue();
  readonly #subscriptions = new Set<Subscription<T>>();
  readonly #max_buffer: number;
  readonly #overflow: Overflow;
  #is_closed = false;

  /** @internal Made by `open_broadcast()`. */
  constructor(max_buffer: number, overflow: Overflow) {
    super();
    this.#max_buffer = max_buffer;
    this.#overflow = overflow;
  }

  /**
   * Makes a receiver that gets every item from now on.
   *
   * @throws {ClosedResourceError} if the broadcast is closed
   */
  subscribe(): Subscription<T> {
    this.#check_open();
    const channel = new Channel(this.#max_buffer);
    channel.open_senders = 1;
    channel.on_demand = () => this.#send_what_waits();
    const subscription = new Subscription<T>(channel);
    channel.on_abandoned = () => this.#forget(subscription);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /**
   * Sends an item to all subscribers; without any, it is dropped.
   *
   * With `"wait"` it waits until all have room. Cancelled while it waits, it sends nothing; if the item has been
   * delivered when the cancellation comes, the call returns and the cancellation is thrown at the next await.
   *
   * @param item any value
   * @throws {ClosedResourceError} if the broadcast is closed, or is closed meanwhile
   * @throws {RuntimeError} if it has to wait and the broadcast is bound to a different loop
   */
  send(item: T): Coroutine<void> {
    return new Suspension(SEND, this as Broadcast<unknown>, new Offered(item));
  }

  /**
   * Sends an item to all subscribers at once.
   *
   * @param item any value
   * @throws {WouldBlock} with `"wait"`, if a subscriber has no room or others wait to send
   * @throws {ClosedResourceError} if the broadcast is closed
   */
  send_nowait(item: T): void {
    if (!this._try_send(item)) throw new WouldBlock("a subscriber has no room");
  }

  /**
   * Closes the broadcast: subscribers get what is left and then {@linkcode EndOfChannel}; calls of `send()` that wait
   * throw {@linkcode ClosedResourceError}. The second call does nothing.
   */
  close(): void {
    if (this.#is_closed) return;
    this.#is_closed = true;
    this._senders.wake_and_remove_all();
    for (const subscription of this.#subscriptions) {
      const channel = subscription["_channel"];
      channel.open_senders = 0;
      channel.end_receivers();
    }
    this.#subscriptions.clear();
  }

  /** Closes the broadcast, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Returns the state of the broadcast. */
  statistics(): BroadcastStatistics {
    return {
      subscribers: this.#subscriptions.size,
      max_buffer_size: this.#max_buffer,
      tasks_waiting_send: waiting_in(this._senders).length,
    };
  }

  #check_open(): void {
    if (this.#is_closed) throw new ClosedResourceError("the broadcast is closed");
  }

  /** @internal Sends an item if the sender need not wait; returns whether it did. */
  protected _try_send(item: T): boolean {
    this.#check_open();
    if (first_waiting(this._senders) !== null || !this.#all_have_room()) return false;
    this.#deliver(item);
    return true;
  }

  #all_have_room(): boolean {
    if (this.#overflow !== "wait") return true;
    return [...this.#subscriptions].every((receiver) => receiver["_channel"].has_room);
  }

  #deliver(item: T): void {
    for (const subscription of [...this.#subscriptions]) {
      const channel = subscription["_channel"];
      // More than one if a cancelled receiver has put one back.
      while (!channel.try_send(item)) {
        if (this.#overflow === "fail") {
          this.#end(subscription);
          break;
        }
        channel.drop_oldest();
        subscription.dropped++;
      }
    }
  }

  #end(subscription: Subscription<T>): void {
    const channel = subscription["_channel"];
    this.#subscriptions.delete(subscription);
    channel.open_senders = 0;
    channel.make_end = () =>
      new BrokenChannelError(`the subscriber was more than ${channel.max_buffer} items behind`);
  }

  // A subscriber has more room than before, or is gone.
  #send_what_waits(): void {
    while (first_waiting(this._senders) !== null && this.#all_have_room()) {
      const sender = take_first(this._senders) as Suspension<void, Broadcast<T>, Offered>;
      sender["_argument"].is_taken = true;
      this.#deliver(sender["_argument"].item as T);
      sender["_wake"]();
    }
  }

  // A subscription and what was cloned from it have been closed.
  #forget(subscription: Subscription<T>): void {
    if (this.#subscriptions.delete(subscription)) this.#send_what_waits();
  }

  /** The broadcast's state. */
  override toString(): string {
    const state = this.#is_closed ? "closed" : "open";
    return `<Broadcast [${state}] subscribers=${this.#subscriptions.size}>`;
  }
}

const OVERFLOWS: readonly unknown[] = ["wait", "drop_oldest", "fail"];

/**
 * Makes a broadcast: every subscriber receives every item that is sent after it has subscribed.
 *
 * @param options `max_buffer`, how many items a subscriber can be behind, 1 by default; `overflow`, what is done when
 * one is further behind: `"wait"` (the default), `"drop_oldest"`, `"fail"`
 * @returns the broadcast, which sends and makes subscriptions
 * @throws {TypeError} if an option is unknown or of a wrong type
 * @throws {ValueError} if `max_buffer` is not an integer of 0 or more, or is 0 and `overflow` is not `"wait"`
 * @category Channels
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { open_broadcast } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const prices = open_broadcast<number>();
 *   const seen: number[] = [];
 *   const follow = async () => {
 *     using subscription = prices.subscribe();
 *     for await (const price of subscription) seen.push(price);
 *   };
 *   await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
 *     group.create_task(follow);
 *     group.create_task(follow);
 *     await asyncio.sleep(0);
 *     for (const price of [10, 11]) await prices.send(price);
 *     prices.close();
 *   });
 *   assertEquals(seen.toSorted(), [10, 10, 11, 11]);
 * });
 * ```
 */
export function open_broadcast<T>(options: BroadcastOptions = {}): Broadcast<T> {
  check_options("open_broadcast", options, ["max_buffer", "overflow"]);
  const overflow = options.overflow ?? "wait";
  if (!OVERFLOWS.includes(overflow)) {
    throw new TypeError(
      'Cannot call open_broadcast(): overflow must be "wait", "drop_oldest" or "fail": ' +
        `received ${repr(overflow)}`,
    );
  }
  const max_buffer = check_max_buffer("open_broadcast", options.max_buffer ?? 1, 1);
  if (max_buffer === 0 && overflow !== "wait") {
    throw new ValueError(
      `Cannot call open_broadcast(): overflow "${overflow}" needs a buffer: received max_buffer 0`,
    );
  }
  return new Broadcast(max_buffer, overflow);
}
