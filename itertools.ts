/**
 * Python's built-in tools and those of its `itertools` for iterables and AsyncIterables:
 * {@linkcode amap}, {@linkcode azip}, {@linkcode atee}, {@linkcode amerge} and others.
 *
 * ```ts
 * import { alist, amap } from "@pythonic/asyncio/itertools";
 *
 * async function* numbers() {
 *   yield* [1, 2, 3];
 * }
 *
 * console.log(await alist(amap((n) => n * n, numbers()))); // [ 1, 4, 9 ]
 * ```
 *
 * @module
 */

// The default loop, for what waits outside of `run()`.
import "./src/loop/base_events.ts";

export {
  borrow,
  type BorrowedIterator,
  scoped_iter,
  type ScopedIterator,
} from "./src/itertools/borrowing.ts";
export {
  aall,
  aany,
  type Addable,
  adict,
  alist,
  amax,
  amin,
  areduce,
  aset,
  asum,
  type Comparable,
  type ExtremumOptions,
  type KeyedExtremumOptions,
} from "./src/itertools/collecting.ts";
export {
  achain,
  azip,
  azip_longest,
  type Chain,
  type ItemsOr,
  type ZipLongestOptions,
} from "./src/itertools/combining.ts";
export { agroupby } from "./src/itertools/grouping.ts";
export { amerge } from "./src/itertools/merge.ts";
export {
  acompress,
  adropwhile,
  afilter,
  afilterfalse,
  aislice,
  atakewhile,
  type Truthy,
} from "./src/itertools/selecting.ts";
export {
  amerge_sorted,
  anlargest,
  ansmallest,
  asorted,
  type KeyOptions,
  type SortOptions,
} from "./src/itertools/sorting.ts";
export type { AnyIterable, Item, Items, ZipOptions } from "./src/itertools/sources.ts";
export { type ArrayOf, atee } from "./src/itertools/tee.ts";
export { ToolIterator } from "./src/itertools/tool_iterator.ts";
export {
  aaccumulate,
  abatched,
  acycle,
  aenumerate,
  amap,
  apairwise,
  astarmap,
} from "./src/itertools/transforming.ts";
