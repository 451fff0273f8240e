/** The wait queue of a primitive: order, removal, and that no waiter is visited again and again. */

import { assertEquals } from "@std/assert";
import { WaitQueue } from "../src/core/wait_queue.ts";
import type { Suspension } from "../src/core/suspensions.ts";
import type { LoopBound } from "../src/core/mixins.ts";

type State = "waiting" | "woken" | "cancelled";

class Waiter {
  state: State = "waiting";
  visits = 0;
  _list: object | null = null;
  _previous: Waiter | null = null;
  _next: Waiter | null = null;

  _wait(): void {}

  _wake(): void {
    if (this.state === "waiting") this.state = "woken";
  }

  _is_waiting(): boolean {
    this.visits++;
    return this.state === "waiting";
  }

  _was_cancelled(): boolean {
    this.visits++;
    return this.state === "cancelled";
  }
}

const primitive = { _get_loop: () => null } as unknown as LoopBound;

function filled(count: number): [WaitQueue, Waiter[]] {
  const queue = new WaitQueue();
  const waiters = Array.from({ length: count }, () => new Waiter());
  for (const waiter of waiters) queue.wait(as_waiter(waiter), primitive);
  return [queue, waiters];
}

const as_waiter = (waiter: Waiter) => waiter as unknown as Suspension<unknown>;
const states = (waiters: Waiter[]) => waiters.map(({ state }) => state[0]).join("");

Deno.test("WaitQueue.any_not_cancelled: visits each cancelled waiter once, however often it is called", () => {
  const [queue, waiters] = filled(100);
  for (const waiter of waiters) waiter.state = "cancelled";
  for (let i = 0; i < 100; i++) assertEquals(queue.any_not_cancelled(), false);
  assertEquals(waiters.reduce((sum, { visits }) => sum + visits, 0), 100);
  const late = new Waiter();
  queue.wait(as_waiter(late), primitive);
  assertEquals(queue.any_not_cancelled(), true);
  queue.remove(as_waiter(late));
  assertEquals(queue.any_not_cancelled(), false);
});

Deno.test("WaitQueue.any_not_cancelled: a woken waiter has not been cancelled", () => {
  const [queue, waiters] = filled(3);
  (waiters[0] as Waiter).state = "cancelled";
  assertEquals(queue.wake_next(), true);
  assertEquals(states(waiters), "cww");
  assertEquals(queue.any_not_cancelled(), true);
  for (const waiter of waiters.slice(1)) queue.remove(as_waiter(waiter));
  assertEquals([queue.any_not_cancelled(), queue.length], [false, 1]);
});

Deno.test("WaitQueue.wake_next, wake_and_remove_next: wake in order, and pass over what no longer waits", () => {
  for (const removes of [false, true]) {
    const [queue, waiters] = filled(4);
    (waiters[1] as Waiter).state = "cancelled";
    const wake = () => removes ? queue.wake_and_remove_next() : queue.wake_next();
    const woken = () => waiters.map(({ state }, i) => state === "woken" ? i : "").join("");
    assertEquals([0, 1, 2].map(() => (wake(), woken())), ["0", "02", "023"]);
    assertEquals(queue.length, removes ? 0 : 4);
    wake();
    assertEquals(queue.length, removes ? 0 : 4);
  }
});

Deno.test("WaitQueue.wake_and_remove_all: wakes all that wait", () => {
  const [queue, waiters] = filled(3);
  (waiters[1] as Waiter).state = "cancelled";
  queue.wake_and_remove_all();
  assertEquals([waiters.map(({ state }) => state), queue.length], [
    ["woken", "cancelled", "woken"],
    0,
  ]);
});
