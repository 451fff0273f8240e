/** Scenarios for random programs: channels, limiters, locks and scopes under cancellations at any time. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  CancelScope,
  CapacityLimiter,
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

  check_calm(): void {
    for (const { subscription } of [this.#one, this.#other]) {
      const { tasks_waiting_receive, current_buffer_used } = subscription.statistics();
      assert(tasks_waiting_receive === 0 || current_buffer_used === 0);
    }
  }

  check_end(): void {
    for (const { subscription, received } of [this.#one, this.#other]) {
      const all = [...received, ...drain(subscription)];
      assertEquals(all.sort(by_number), this.#sent.toSorted(by_number));
    }
  }
}

/** Capacity limiters: never more borrowers than tokens, and all tokens are there at the end. */
export class LimiterScenario implements Scenario {
  readonly #limiter: CapacityLimiter;
  readonly #most: number;
  #holders = 0;

  constructor({ size }: Program) {
    this.#most = size + 1;
    this.#limiter = new CapacityLimiter(size);
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    if (step.what === 0) {
      const { total_tokens: total } = this.#limiter;
      this.#limiter.total_tokens = total === this.#most ? this.#most - 1 : this.#most;
      return;
    }
    let permit: Disposable | null = null;
    const acquire = () => this.#limiter.acquire_on_behalf_of({});
    try {
      await crowd.wait(
        step,
        noting(acquire, (got) => {
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
    assertEquals([crowd.waiting, this.#holders], [0, 0]);
  }

  check_end(): void {
    const { borrowed_tokens, tasks_waiting } = this.#limiter.statistics();
    assertEquals([borrowed_tokens, tasks_waiting], [0, 0]);
  }
}

/** Readers and writers: a writer is alone, and the lock is free at the end. */
export class RWLockScenario implements Scenario {
  readonly #lock = new RWLock();
  #readers = 0;
  #writers = 0;

  async step(step: Step, crowd: Crowd): Promise<void> {
    const is_writing = step.what < 3;
    const side = is_writing ? this.#lock.writing() : this.#lock.reading();
    let permit: Disposable | null = null;
    try {
      await crowd.wait(
        step,
        noting(() => side.acquire(), (got) => {
          permit = got;
          this.#count(is_writing, 1);
        }),
        () => {},
      );
      await pause(step.inside);
    } finally {
      if (permit !== null) {
        this.#count(is_writing, -1);
        (permit as Disposable)[Symbol.dispose]();
      }
    }
  }

  #count(is_writing: boolean, change: number): void {
    if (is_writing) this.#writers += change;
    else this.#readers += change;
    assert(this.#writers === 0 || (this.#writers === 1 && this.#readers === 0));
  }

  check_calm(crowd: Crowd): void {
    assertEquals([crowd.waiting, this.#lock.locked()], [0, false]);
  }

  check_end(): void {
    assertThrows(() => this.#lock.writing().release(), asyncio.RuntimeError);
  }
}

/**
 * Scopes: a shielded block runs to its end whatever is cancelled around it; a scope's own cancellation ends at the
 * scope; and no request for cancellation is left behind or taken from others.
 */
export class ScopeScenario implements Scenario {
  readonly #open = new Set<CancelScope>();

  async step(step: Step): Promise<void> {
    const task = asyncio.current_task() as asyncio.Task<unknown>;
    const before = task.cancelling();
    if (step.what < 2) {
      for (const scope of this.#open) scope.cancel();
      return;
    }
    const scope = new CancelScope({ level: step.what % 2 === 0 });
    if (step.timeout !== null) scope.deadline = asyncio.get_running_loop().time() + step.timeout;
    this.#open.add(scope);
    const shielded = { begun: 0, ended: 0 };
    try {
      await asyncio.async_with(scope, async () => {
        if (step.what < 5) await this.#run_shielded(step, shielded);
        await pause(step.inside);
      });
    } finally {
      this.#open.delete(scope);
      assertEquals(shielded.ended, shielded.begun);
      assert(task.cancelling() >= before, "a request of others was taken back");
    }
    assert(!scope.cancelled_caught || scope.cancel_called);
    // Without an error from outside, its own request is gone; what came from outside meanwhile is pending.
    if (task.cancelling() === before) await asyncio.sleep(0);
  }

  async #run_shielded(step: Step, count: { begun: number; ended: number }): Promise<void> {
    await asyncio.async_with(new CancelScope({ shield: true }), async () => {
      count.begun++;
      await asyncio.sleep(0.001);
      await pause(step.before);
      count.ended++;
    });
  }

  check_calm(crowd: Crowd): void {
    assertEquals([crowd.waiting, this.#open.size], [0, 0]);
  }

  check_end(): void {}
}
