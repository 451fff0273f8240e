/**
 * A binary heap in an array, with the ties of CPython's `heapq`: items that compare equal are returned in the
 * same order, on which the order of timers of the same time and of items of the same priority depends.
 *
 * @module
 */

/** Tells whether `a` comes before `b`. */
export type LessThan<T> = (a: T, b: T) => boolean;

function sift_towards_root<T>(heap: T[], start: number, from: number, lt: LessThan<T>): void {
  const item = heap[from] as T;
  let position = from;
  while (position > start) {
    const above = (position - 1) >> 1;
    const parent = heap[above] as T;
    if (!lt(item, parent)) break;
    heap[position] = parent;
    heap[above] = item;
    position = above;
  }
}

// The smaller child moves up all the way to a leaf before the item is placed: fewer comparisons than
// stopping early, and the order among equals that CPython has.
function sift_towards_leaf<T>(heap: T[], from: number, lt: LessThan<T>): void {
  const end = heap.length;
  const item = heap[from] as T;
  let position = from;
  let child = 2 * position + 1;
  while (child < end) {
    const right = child + 1;
    if (right < end && !lt(heap[child] as T, heap[right] as T)) child = right;
    heap[position] = heap[child] as T;
    heap[child] = item;
    position = child;
    child = 2 * position + 1;
  }
  sift_towards_root(heap, from, position, lt);
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

/** Removes and returns the smallest item of a heap that is not empty. */
export function heappop<T>(heap: T[], lt: LessThan<T>): T {
  const last = heap.pop() as T;
  if (heap.length === 0) return last;
  const smallest = heap[0] as T;
  heap[0] = last;
  try {
    sift_towards_leaf(heap, 0, lt);
  } catch (error) {
    // A comparison that throws loses no item: the smallest stays the first.
    heap.push(heap[0] as T);
    heap[0] = smallest;
    throw error;
  }
  return smallest;
}

/** Makes a heap of an array, in place and in linear time. */
export function heapify<T>(array: T[], lt: LessThan<T>): void {
  for (let i = (array.length >> 1) - 1; i >= 0; i--) sift_towards_leaf(array, i, lt);
}
