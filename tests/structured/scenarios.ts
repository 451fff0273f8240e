/** Scenarios for random programs: channels, limiters, locks and scopes under cancellations at any time. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  BrokenChannelError,
  CapacityLimiter,
  ClosedResourceError,
  EndOfChannel,
  Notifier,
  open_broadcast,
  open_channel,
  type Receiver,
  RWLock,
  type Sender,
  type Subscription,
  WouldBlock,
} from "../../structured.ts";
import type { Crowd, Scenario } from "../property/crowd.ts";
import { pause } from "../property/pauses.ts";
import type { Program, Step } from "../property/program.ts";
import { Line } from "./lines.ts";

function by_number(one: number, other: number): number {
  return one - other;
}

/** What is left in a receiver. */
function drain(receiver: Receiver<number>): number[] {
  const left: number[] = [];
  for (;;) {
    try {
      left.push(receiver.receive_nowait());
    } catch (error) {
      if (error instanceof WouldBlock) return left;
      throw error;
    }
  }
}

/** A call whose outcome is noted in the very step in which it returns, whatever is thrown after it. */
function noting<T>(operation: () => PromiseLike<T>, note: (value: T) => void) {
  return asyncio.coroutine(async () => note(await operation()));
}

/** Channels: what was sent is received or still there, once each. */
export class ChannelScenario implements Scenario {
  readonly #sender: Sender<number>;
  readonly #receiver: Receiver<number>;
  readonly #size: number;
  readonly #sent: number[] = [];
  readonly #received: number[] = [];
  #next = 0;

  constructor({ size }: Program) {
    this.#size = size - 1;
    [this.#sender, this.#receiver] = open_channel<number>(this.#size);
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    const item = this.#next++;
    switch (step.what) {
      case 0:
        return this.#at_once(() => {
          this.#sender.send_nowait(item);
          this.#sent.push(item);
        });
      case 1:
        return this.#at_once(() => this.#received.push(this.#receiver.receive_nowait()));
      case 2:
      case 3:
      case 4: {
        const send = noting(() => this.#sender.send(item), () => this.#sent.push(item));
        return await crowd.wait(step, send, () => {});
      }
      case 5: {
        using clone = this.#receiver.clone();
        return await crowd.wait(step, () => clone.receive(), (got) => this.#received.push(got));
      }
      default: {
        const receive = noting(() => this.#receiver.receive(), (got) => this.#received.push(got));
        await crowd.wait(step, receive, () => {});
      }
    }
    await pause(step.inside);
  }

  #at_once(operation: () => void): void {
    try {
      operation();
    } catch (error) {
      if (!(error instanceof WouldBlock)) throw error;
    }
  }

  check_calm(): void {
    const { tasks_waiting_send, tasks_waiting_receive, current_buffer_used } = this.#sender
      .statistics();
    assert(tasks_waiting_receive === 0 || current_buffer_used === 0, "a task waits beside an item");
    assert(tasks_waiting_receive === 0 || tasks_waiting_send === 0, "both sides wait");
    assert(tasks_waiting_send === 0 || current_buffer_used >= this.#size, "a task waits for room");
  }

  check_end(): void {
    const left = drain(this.#receiver);
    assertEquals(left, left.toSorted(by_number), "what is left is out of order");
    assertEquals([...this.#received, ...left].sort(by_number), this.#sent.toSorted(by_number));
    assertEquals(this.#receiver.statistics().open_receive_streams, 1);
  }
}

/** Broadcasts: each subscriber has what was sent, in order and once. */
export class BroadcastScenario implements Scenario {
  readonly #news = open_broadcast<number>({ max_buffer: 2 });
  readonly #one = this.#subscribe();
  readonly #other = this.#subscribe();
  readonly #sent: number[] = [];
  #next = 0;

  #subscribe(): { subscription: Subscription<number>; received: number[] } {
    return { subscription: this.#news.subscribe(), received: [] };
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    if (step.what > 5) return await this.#follow_for_a_while(step, crowd);
    if (step.what === 3) return this.#drain_all();
    const item = this.#next++;
    if (step.what < 3) {
      const send = noting(() => this.#news.send(item), () => this.#sent.push(item));
      await crowd.wait(step, send, () => {});
    } else {
      const { subscription, received } = step.what % 2 === 0 ? this.#one : this.#other;
      const receive = noting(() => subscription.receive(), (got) => received.push(got));
      await crowd.wait(step, receive, () => {});
    }
    await pause(step.inside);
  }

  #drain_all(): void {
    for (const { subscription, received } of [this.#one, this.#other]) {
      received.push(...drain(subscription));
    }
  }

  // A subscriber that is closed in the midst of it: what it has received was sent since, once and in order.
  async #follow_for_a_while(step: Step, crowd: Crowd): Promise<void> {
    using subscription = this.#news.subscribe();
    const first = this.#sent.length;
    const received: number[] = [];
    // Some are so slow that they receive nothing.
    if (step.what === 7) await asyncio.sleep(0.002);
    else {
      const receive = noting(() => subscription.receive(), (got) => received.push(got));
      await crowd.wait(step, receive, () => {});
    }
    await pause(step.inside);
    // Delivered, while its sender has not resumed to note it.
    await asyncio.sleep(0);
    const sent = this.#sent.slice(first);
    assert(received.every((item) => sent.includes(item)), "received what was not sent");
  }

  check_calm(): void {
    let any_full = false;
    for (const { subscription } of [this.#one, this.#other]) {
      const { tasks_waiting_receive, current_buffer_used, max_buffer_size } = subscription
        .statistics();
      any_full ||= current_buffer_used === max_buffer_size;
      assert(
        tasks_waiting_receive === 0 || current_buffer_used === 0,
        "a task waits beside an item",
      );
    }
    const { tasks_waiting_send, subscribers } = this.#news.statistics();
    assert(tasks_waiting_send === 0 || any_full, "a sender waits though all have room");
    assert(subscribers >= 2);
  }

  check_end(): void {
    assertEquals(this.#news.statistics().subscribers, 2);
    for (const { subscription, received } of [this.#one, this.#other]) {
      const all = [...received, ...drain(subscription)];
      assertEquals(all.sort(by_number), this.#sent.toSorted(by_number));
    }
  }
}

/** Broadcasts that drop: what was sent is received or counted as dropped, and the newest item never is lost. */
export class DroppingScenario implements Scenario {
  readonly #news = open_broadcast<number>({ max_buffer: 1, overflow: "drop_oldest" });
  readonly #subscription = this.#news.subscribe();
  readonly #received: number[] = [];
  #sent = 0;

  async step(step: Step, crowd: Crowd): Promise<void> {
    if (step.what < 4) this.#news.send_nowait(this.#sent++);
    else {
      const receive = noting(
        () => this.#subscription.receive(),
        (got) => this.#received.push(got),
      );
      await crowd.wait(step, receive, () => {});
    }
    await pause(step.inside);
  }

  check_calm(): void {
    const { tasks_waiting_receive, current_buffer_used } = this.#subscription.statistics();
    assert(tasks_waiting_receive === 0 || current_buffer_used === 0, "a task waits beside an item");
  }

  check_end(): void {
    const all = [...this.#received, ...drain(this.#subscription)];
    assertEquals(new Set(all).size + this.#subscription.dropped, this.#sent);
    assert(this.#sent === 0 || all.includes(this.#sent - 1), "the newest item is lost");
  }
}

/** Capacity limiters: never more borrowers than tokens, and all tokens are there at the end. */
export class LimiterScenario implements Scenario {
  readonly #limiter: CapacityLimiter;
  readonly #line = new Line();
  readonly #most: number;
  #holders = 0;

  constructor({ size }: Program) {
    this.#most = size + 1;
    this.#limiter = new CapacityLimiter(size);
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    if (step.what === 0) {
      const { total_tokens: total } = this.#limiter;
      this.#limiter.total_tokens = total === 0 ? this.#most : 0;
      return;
    }
    let permit: Disposable | null = null;
    const acquire = () =>
      step.what < 4 ? this.#limiter.acquire() : this.#limiter.acquire_on_behalf_of({});
    try {
      await crowd.wait(
        step,
        () =>
          this.#line.call(acquire, (got) => {
            permit = got;
            assert(++this.#holders <= this.#most);
          }),
        () => {},
      );
      await pause(step.inside);
    } finally {
      if (permit !== null) {
        this.#holders--;
        (permit as Disposable)[Symbol.dispose]();
      }
    }
  }

  check_calm(crowd: Crowd): void {
    this.#line.check();
    assertEquals(this.#holders, 0);
    assert(crowd.waiting === 0 || this.#limiter.total_tokens === 0, "a task waits beside a token");
  }

  check_end(): void {
    const { borrowed_tokens, tasks_waiting } = this.#limiter.statistics();
    assertEquals([borrowed_tokens, tasks_waiting], [0, 0]);
  }
}

/** Readers and writers: a writer is alone, and the lock is free at the end. */
export class RWLockScenario implements Scenario {
  readonly #lock = new RWLock();
  readonly #line = new Line();
  #readers = 0;
  #writers = 0;
  #is_free_in_vain = false;

  async step(step: Step, crowd: Crowd): Promise<void> {
    const is_writing = step.what < 3;
    const side = is_writing ? this.#lock.writing() : this.#lock.reading();
    let permit: Disposable | null = null;
    try {
      await crowd.wait(
        step,
        () =>
          this.#line.call(
            () => side.acquire(),
            (got) => {
              permit = got;
              this.#count(is_writing, 1);
            },
            () => this.#note_free(),
            is_writing,
          ),
        () => {},
      );
      await pause(step.inside);
      // Some readers hold it while others come and go.
      if (step.what > 5) await asyncio.sleep(0.003);
    } finally {
      if (permit !== null) {
        this.#count(is_writing, -1);
        (permit as Disposable)[Symbol.dispose]();
      }
    }
  }

  // When a writer has left, the readers behind it have the lock in the turn after this one.
  #note_free(): void {
    const loop = asyncio.get_running_loop();
    const { first } = this.#line;
    if (this.#writers > 0 || first?.kind !== false) return;
    loop.call_soon(() =>
      loop.call_soon(() => {
        if (this.#line.first === first) this.#is_free_in_vain = true;
      })
    );
  }

  #count(is_writing: boolean, change: number): void {
    if (is_writing) this.#writers += change;
    else this.#readers += change;
    assert(this.#writers === 0 || (this.#writers === 1 && this.#readers === 0));
  }

  check_calm(crowd: Crowd): void {
    this.#line.check();
    assertEquals([crowd.waiting, this.#lock.locked()], [0, false]);
    assert(!this.#is_free_in_vain, "a reader waits for a lock that it could have");
  }

  check_end(): void {
    assertThrows(() => this.#lock.writing().release(), asyncio.RuntimeError);
  }
}

/** Notifiers: each `notify()` ends one wait or is kept, and no wait ends without one. */
export class NotifierScenario implements Scenario {
  readonly #notifier = new Notifier();
  readonly #line = new Line();
  #notified = 0;
  #woken = 0;
  #left_beside_one = 0;

  async step(step: Step, crowd: Crowd): Promise<void> {
    if (step.what < 3) {
      // A notification that is kept already is no second one.
      if (!this.#is_kept) this.#notified++;
      this.#notifier.notify();
    } else {
      const wait = () =>
        this.#line.call(() => this.#notifier.wait(), () => this.#woken++, () => {
          if (this.#is_kept) this.#left_beside_one++;
        });
      await crowd.wait(step, wait, () => {});
    }
    await pause(step.inside);
  }

  get #is_kept(): boolean {
    return String(this.#notifier).startsWith("<Notifier [notified");
  }

  check_calm(crowd: Crowd): void {
    this.#line.check();
    assert(!this.#is_kept || crowd.waiting === 0, "a task waits beside a notification");
    this.check_end();
  }

  // What a cancelled wait passes back is one with what is kept.
  check_end(): void {
    const missing = this.#notified - this.#woken - (this.#is_kept ? 1 : 0);
    assert(missing >= 0, "a wait ended without a notification");
    assert(missing <= this.#left_beside_one, "a notification is lost");
  }
}

/** Channels whose ends are closed at any time: nobody waits for what cannot come, and no item is lost or doubled. */
export class ClosingScenario implements Scenario {
  readonly #sender: Sender<number>;
  readonly #receiver: Receiver<number>;
  readonly #sent: number[] = [];
  readonly #received: number[] = [];
  #waits_in_vain = false;
  #next = 0;

  constructor({ size }: Program) {
    [this.#sender, this.#receiver] = open_channel<number>(size - 1);
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    try {
      await this.#act(step, crowd);
    } catch (error) {
      const is_end = error instanceof ClosedResourceError || error instanceof BrokenChannelError ||
        error instanceof EndOfChannel;
      if (!is_end) throw error;
    }
    await pause(step.inside);
  }

  async #act(step: Step, crowd: Crowd): Promise<void> {
    if (step.what === 0) return this.#sender.close();
    if (step.what === 1 && step.before === "moment") return this.#receiver.close();
    if (step.what < 5) {
      using sender = this.#sender.clone();
      const item = this.#next++;
      const send = noting(() => sender.send(item), () => this.#sent.push(item));
      const call = this.#watch(sender, step.what === 2 ? 0 : null, send);
      return await crowd.wait(step, call, () => {});
    }
    using receiver = this.#receiver.clone();
    for (let left = 3; left > 0; left--) {
      const receive = noting(() => receiver.receive(), (got) => this.#received.push(got));
      const call = this.#watch(receiver, step.what === 5 ? 0.001 : null, receive);
      await crowd.wait(step, call, () => {});
    }
  }

  // A call of an end that is closed ends, within three turns.
  #watch(
    end: Disposable,
    closes_after: number | null,
    operation: () => asyncio.Coroutine<void>,
  ): () => asyncio.Coroutine<void> {
    const loop = asyncio.get_running_loop();
    return asyncio.coroutine(async () => {
      let is_over = false;
      const look = (turns: number) => {
        if (turns > 0) loop.call_soon(look, turns - 1);
        else if (!is_over) this.#waits_in_vain = true;
      };
      if (closes_after !== null) {
        loop.call_later(closes_after, () => {
          end[Symbol.dispose]();
          look(3);
        });
      }
      try {
        await operation();
      } finally {
        is_over = true;
      }
    });
  }

  check_calm(): void {
    assert(!this.#waits_in_vain, "a call of an end that is closed goes on waiting");
    const state = this.#sender.statistics();
    assert(
      state.tasks_waiting_receive === 0 ||
        (state.open_send_streams > 0 && state.current_buffer_used === 0),
      "a task waits for an item that cannot come, or is there",
    );
    assert(
      state.tasks_waiting_send === 0 || state.open_receive_streams > 0,
      "a task waits for a receiver though there is none",
    );
  }

  check_end(): void {
    const { current_buffer_used: left } = this.#sender.statistics();
    assertEquals(new Set(this.#received).size, this.#received.length, "an item came twice");
    assert(this.#received.every((item) => this.#sent.includes(item)), "an item was not sent");
    assertEquals(this.#received.length + left, this.#sent.length);
  }
}
