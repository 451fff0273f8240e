/**
 * A binary heap in an array, with the ties of CPython's `heapq`: items that compare equal are returned in the
 * same order, on which the order of timers of the same time and of items of the same priority depends.
 *
 * @module
 */

/** Returns whether `a` comes before `b`. */
export type LessThan<T> = (a: T, b: T) => boolean;

// Finds the place of an item in the heap below `from`, where it replaces what is there. The smaller child
// is followed all the way to a leaf first: fewer comparisons than stopping early, and the order among
// equals that CPython has. Nothing is moved before all comparisons are made, since one may throw.
function place_below<T>(heap: T[], from: number, end: number, item: T, lt: LessThan<T>): number {
  let position = from;
  for (let child = 2 * from + 1; child < end; child = 2 * position + 1) {
    const right = child + 1;
    position = right < end && !lt(heap[child] as T, heap[right] as T) ? right : child;
  }
  while (position > from && lt(item, heap[position] as T)) position = (position - 1) >> 1;
  return position;
}

// Puts an item in its place, and moves what is on the way from there to `from` up by one.
function put_below<T>(heap: T[], from: number, place: number, item: T): void {
  for (let position = place; position > from; position = (position - 1) >> 1) {
    const above = heap[position] as T;
    heap[position] = item;
    item = above;
  }
  heap[from] = item;
}

/** Adds an item; if a comparison throws, the heap is as it was. */
export function heappush<T>(heap: T[], item: T, lt: LessThan<T>): void {
  let position = heap.length;
  let above = (position - 1) >> 1;
  while (position > 0 && lt(item, heap[above] as T)) {
    position = above;
    above = (position - 1) >> 1;
  }
  const place = position;
  for (position = heap.length; position > place; position = above) {
    above = (position - 1) >> 1;
    heap[position] = heap[above] as T;
  }
  heap[place] = item;
}

/** Removes and returns the smallest item of a heap that is not empty; if a comparison throws, the heap is as it was. */
export function heappop<T>(heap: T[], lt: LessThan<T>): T {
  const end = heap.length - 1;
  const smallest = heap[0] as T;
  const last = heap[end] as T;
  const place = end > 1 ? place_below(heap, 0, end, last, lt) : 0;
  heap.pop();
  if (end > 0) put_below(heap, 0, place, last);
  return smallest;
}

/** Makes a heap of an array, in place and in linear time. */
export function heapify<T>(array: T[], lt: LessThan<T>): void {
  for (let i = (array.length >> 1) - 1; i >= 0; i--) {
    const item = array[i] as T;
    put_below(array, i, place_below(array, i, array.length, item, lt), item);
  }
}
