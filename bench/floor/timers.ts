/**
 * Time for the floor's loop: sleeps and deadlines, in one heap on one timer of the host.
 *
 * @module
 */

import {
  Cancelled,
  current_task,
  end_step,
  type Lazy,
  type Task,
  use_timers,
  Wait,
} from "./loop.ts";

interface Timer {
  readonly is_waiting: boolean;
  fire(): void;
}

// A binary heap: the times, and beside them whose they are.
let times: number[] = [];
let timers: Timer[] = [];
let cancelled = 0;
let host_timer: ReturnType<typeof setTimeout> | undefined;

function push(when: number, timer: Timer): void {
  let place = timers.length;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (times[parent]! <= when) break;
    times[place] = times[parent]!;
    timers[place] = timers[parent]!;
    place = parent;
  }
  times[place] = when;
  timers[place] = timer;
}

function pop(): Timer {
  const first = timers[0]!;
  const when = times.pop()!;
  const last = timers.pop()!;
  const end = timers.length;
  if (end === 0) return first;
  let place = 0;
  for (let child = 1; child < end; child = 2 * place + 1) {
    if (child + 1 < end && times[child + 1]! < times[child]!) child++;
    if (when <= times[child]!) break;
    times[place] = times[child]!;
    timers[place] = timers[child]!;
    place = child;
  }
  times[place] = when;
  timers[place] = last;
  return first;
}

// Once more than half of a hundred and more are cancelled.
function drop_cancelled(): void {
  const old_times = times;
  const old_timers = timers;
  times = [];
  timers = [];
  cancelled = 0;
  old_timers.forEach((timer, place) => {
    if (timer.is_waiting) push(old_times[place]!, timer);
  });
}

function note_cancelled(): void {
  if (++cancelled > 50 && cancelled > timers.length >> 1) drop_cancelled();
}

use_timers((is_idle) => {
  if (timers.length === 0) return false;
  let has_woken = false;
  const now = performance.now();
  while (timers.length > 0 && (times[0]! <= now || !timers[0]!.is_waiting)) {
    const timer = pop();
    if (timer.is_waiting) {
      timer.fire();
      has_woken = true;
    } else cancelled--;
  }
  if (is_idle && !has_woken && timers.length > 0) {
    clearTimeout(host_timer);
    host_timer = setTimeout(end_step, times[0]! - now);
  }
  return has_woken;
});

class Sleep extends Wait<void> {
  declare private readonly milliseconds: number;

  constructor(milliseconds: number) {
    super();
    this.milliseconds = milliseconds;
  }

  protected override begin(): boolean {
    push(performance.now() + this.milliseconds, this);
    return false;
  }

  fire(): void {
    this.wake();
  }

  protected override leave(): void {
    note_cancelled();
  }
}

/** Waits for a time. */
export function sleep(milliseconds: number): Lazy<void> {
  return new Sleep(milliseconds);
}

class Deadline {
  is_waiting = true;
  has_expired = false;
  private readonly task: Task<unknown> = current_task();

  fire(): void {
    this.is_waiting = false;
    this.has_expired = true;
    this.task.cancel();
  }

  end(): void {
    if (!this.is_waiting) return;
    this.is_waiting = false;
    note_cancelled();
  }
}

/** Runs a block of the current task, which is cancelled when the time is over. */
export async function timeout<T>(milliseconds: number, block: () => Lazy<T>): Promise<T> {
  const deadline = new Deadline();
  push(performance.now() + milliseconds, deadline);
  try {
    return await block() as T;
  } catch (error) {
    throw deadline.has_expired && error instanceof Cancelled ? new Error("timed out") : error;
  } finally {
    deadline.end();
  }
}
