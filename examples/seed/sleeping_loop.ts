// An event loop from scratch, on generators and a heap: no library, no magic.
// Run it: deno run examples/seed/sleeping_loop.ts

import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";

/** Yields when to resume it, in seconds; is sent when it was resumed. */
type Coroutine<T> = Generator<number, T, number>;

/** A coroutine, and when it should go on. */
interface Task {
  readonly waiting_until: number;
  readonly coro: Coroutine<void>;
}

/** Gives back first the task that is due first. */
class TaskHeap {
  /** No task is due before the one at half its place. */
  readonly #tasks: Task[] = [];

  get size() {
    return this.#tasks.length;
  }

  push(task: Task) {
    let place = this.#tasks.push(task) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#swap_if_due_first(place, parent)) break;
      place = parent;
    }
  }

  pop(): Task | undefined {
    const first = this.#tasks[0];
    const last = this.#tasks.pop();
    if (last === undefined || this.size === 0) return last;
    this.#tasks[0] = last;
    for (let place = 0, child = 1; child < this.size; child = 2 * place + 1) {
      if (this.#is_due_first(child + 1, child)) child += 1;
      if (!this.#swap_if_due_first(child, place)) break;
      place = child;
    }
    return first;
  }

  #is_due_first(place: number, other: number) {
    return place < this.size &&
      this.#tasks[place]!.waiting_until < this.#tasks[other]!.waiting_until;
  }

  #swap_if_due_first(place: number, other: number) {
    if (!this.#is_due_first(place, other)) return false;
    const task = this.#tasks[place]!;
    this.#tasks[place] = this.#tasks[other]!;
    this.#tasks[other] = task;
    return true;
  }
}

/** An event loop focused on delaying the execution of coroutines. */
class SleepingLoop {
  readonly #new: readonly Coroutine<void>[];
  readonly #waiting = new TaskHeap();

  constructor(...coros: Coroutine<void>[]) {
    this.#new = coros;
  }

  async run_until_complete() {
    for (const coro of this.#new) this.#schedule(coro, coro.next());
    let task: Task | undefined;
    while ((task = this.#waiting.pop())) {
      let now = current_time();
      while (now < task.waiting_until) {
        await pause((task.waiting_until - now) * 1000);
        now = current_time();
      }
      this.#schedule(task.coro, task.coro.next(now));
    }
  }

  #schedule(coro: Coroutine<void>, step: IteratorResult<number, void>) {
    if (!step.done) this.#waiting.push({ waiting_until: step.value, coro });
  }
}

function current_time() {
  return performance.now() / 1000;
}

/** Pauses for `seconds`, and returns how long it really was. */
function* sleep(seconds: number): Coroutine<number> {
  const now = current_time();
  const actual = yield now + seconds;
  return actual - now;
}

/** What a user would write: counts down a launch after `delay` seconds. */
function* countdown(
  label: string,
  length: number,
  delay = 0,
): Coroutine<void> {
  console.log(`${label} waiting ${delay} seconds before starting countdown`);
  const delta = yield* sleep(delay);
  console.log(`${label} starting after waiting ${in_seconds(delta)}`);
  while (length > 0) {
    console.log(`${label} T-minus ${length}`);
    yield* sleep(1);
    length -= 1;
  }
  console.log(`${label} lift-off!`);
}

function in_seconds(delta: number) {
  return `${delta.toFixed(2)} seconds`;
}

const loop = new SleepingLoop(
  countdown("A", 5),
  countdown("B", 3, 2),
  countdown("C", 4, 1),
);
const start = current_time();
await loop.run_until_complete();
console.log(`Total elapsed time is ${in_seconds(current_time() - start)}`);
