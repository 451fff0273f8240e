/** The timers of a loop: in the order in which CPython's heap, of the same moves, gives them. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Runnable, Timed } from "../src/core/contracts.ts";
import { Deque } from "../src/internal/deque.ts";
import { heapify, heappop, heappush } from "../src/internal/heapq.ts";
import { TimerQueue } from "../src/loop/timer_queue.ts";

class Timer implements Timed {
  _cancelled = false;
  _scheduled = false;

  constructor(readonly _when: number, readonly name: number) {}

  _run(): void {}
}

/** What CPython's loop does with its timers, on the heap of `heapq.ts`. */
class Model {
  #heap: Timer[] = [];
  #cancelled = 0;

  add(timer: Timer): void {
    heappush(this.#heap, timer, earlier);
  }

  note_cancelled(): void {
    this.#cancelled++;
  }

  drop_cancelled(): void {
    if (this.#heap.length > 100 && this.#cancelled / this.#heap.length > 0.5) {
      this.#heap = this.#heap.filter((timer) => !timer._cancelled);
      heapify(this.#heap, earlier);
      this.#cancelled = 0;
    }
    while (this.#heap.length > 0 && this.#heap[0]!._cancelled) {
      this.#cancelled--;
      heappop(this.#heap, earlier);
    }
  }

  take_due(now: number): Timer[] {
    const due: Timer[] = [];
    while (this.#heap.length > 0 && this.#heap[0]!._when <= now) {
      due.push(heappop(this.#heap, earlier));
    }
    return due;
  }

  get length(): number {
    return this.#heap.length;
  }
}

const earlier = (a: Timer, b: Timer) => a._when < b._when;

Deno.test("TimerQueue: timers of the same time come in the order of heapq's moves, whatever is cancelled", () => {
  const action = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        add: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ cancel: fc.double({ min: 0, max: 1, noNaN: true }) }) },
    { weight: 1, arbitrary: fc.record({ due: fc.integer({ min: 0, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ cancel_most: fc.integer({ min: 2, max: 9 }) }) },
  );
  let most = 0;
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: "max" }), (actions) => {
      const queue = new TimerQueue();
      const model = new Model();
      const scheduled: Timer[] = [];
      let now = 0;
      let name = 0;
      const cancel = (timer: Timer | undefined) => {
        if (timer === undefined || timer._cancelled || !timer._scheduled) return;
        timer._cancelled = true;
        queue.note_cancelled();
        model.note_cancelled();
      };
      for (const step of [...actions, { due: 20 }]) {
        if ("add" in step) {
          for (const delay of step.add) {
            const timer = new Timer(now + delay / 4, name++);
            scheduled.push(timer);
            queue.add(timer);
            model.add(timer);
          }
        } else if ("cancel" in step) {
          cancel(scheduled[Math.floor(step.cancel * scheduled.length)]);
        } else if ("cancel_most" in step) {
          for (const timer of scheduled) if (timer.name % step.cancel_most > 0) cancel(timer);
        } else {
          most = Math.max(most, queue.length);
          now += step.due;
          queue.drop_cancelled();
          model.drop_cancelled();
          assertEquals(queue.length, model.length);
          const ready = new Deque<Runnable>();
          queue.move_due(now, 0, ready);
          const due = [...ready] as Timer[];
          assertEquals(
            due.map((timer) => timer.name),
            model.take_due(now).map((timer) => timer.name),
          );
          assertEquals(due.some((timer) => timer._scheduled), false);
          assertEquals(queue.length, model.length);
        }
      }
      assertEquals(queue.next_time, null);
    }),
    { seed: 1, numRuns: 300 },
  );
  assertEquals(most > 100, true, "heaps of more than a hundred timers have been seen");
});
