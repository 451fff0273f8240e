/**
 * Sleeping with bare promises: one binary heap on one host timer, which is cheaper than a host timer each.
 *
 * @module
 */

/** What a cancelled sleep rejects with. */
class BareCancelled extends Error {}

/** One sleep. */
export interface BareTimer {
  readonly when: number;
  fire: (() => void) | null;
  reject: ((reason: BareCancelled) => void) | null;
}

// Cancelled timers stay in the heap until they are this many and half of it.
const MOST_CANCELLED = 100;

let heap: BareTimer[] = [];
let cancelled = 0;
let host_timer: ReturnType<typeof setTimeout> | undefined;
let host_when = Infinity;

/** Calls `fire` in `milliseconds`. */
export function start_timer(milliseconds: number, fire: () => void): BareTimer {
  const timer: BareTimer = { when: performance.now() + milliseconds, fire, reject: null };
  push(timer);
  if (timer.when < host_when) arm(timer.when, milliseconds);
  return timer;
}

/** Resolves in `milliseconds`; `started` is given the timer, to cancel it by. */
export function bare_sleep(
  milliseconds: number,
  started?: (timer: BareTimer) => void,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const timer = start_timer(milliseconds, resolve);
    timer.reject = reject;
    started?.(timer);
  });
}

/** Stops a timer; a sleep of it rejects. */
export function cancel_timer(timer: BareTimer): void {
  if (timer.fire === null) return;
  timer.fire = null;
  timer.reject?.(new BareCancelled("cancelled"));
  if (++cancelled > MOST_CANCELLED && cancelled > heap.length / 2) drop_cancelled();
}

function arm(when: number, milliseconds: number): void {
  clearTimeout(host_timer);
  host_when = when;
  host_timer = setTimeout(fire_due, Math.max(0, milliseconds));
}

function fire_due(): void {
  const now = performance.now();
  host_when = Infinity;
  while (heap.length > 0 && (heap[0]!.fire === null || heap[0]!.when <= now)) {
    const { fire } = pop();
    if (fire === null) cancelled--;
    else fire();
  }
  if (heap.length > 0 && heap[0]!.when < host_when) arm(heap[0]!.when, heap[0]!.when - now);
}

function drop_cancelled(): void {
  const kept = heap.filter((timer) => timer.fire !== null);
  cancelled = 0;
  // An array in ascending order is a heap.
  heap = kept.sort((one, other) => one.when - other.when);
}

function push(timer: BareTimer): void {
  let place = heap.length;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (heap[parent]!.when <= timer.when) break;
    heap[place] = heap[parent]!;
    place = parent;
  }
  heap[place] = timer;
}

function pop(): BareTimer {
  const first = heap[0]!;
  const last = heap[heap.length - 1]!;
  heap.length--;
  const end = heap.length;
  if (end === 0) return first;
  let place = 0;
  for (let child = 1; child < end; child = 2 * place + 1) {
    if (child + 1 < end && heap[child + 1]!.when < heap[child]!.when) child++;
    if (last.when <= heap[child]!.when) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = last;
  return first;
}
