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
export { achain, azip, type ZipOptions } from "./src/itertools/combining.ts";
export { amerge } from "./src/itertools/merge.ts";
export {
  adropwhile,
  afilter,
  aislice,
  atakewhile,
  type Truthy,
} from "./src/itertools/selecting.ts";
export type { AnyIterable, Item, Items } from "./src/itertools/sources.ts";
export { type ArrayOf, atee } from "./src/itertools/tee.ts";
export { ToolIterator } from "./src/itertools/tool_iterator.ts";
export {
  aaccumulate,
  abatched,
  aenumerate,
  amap,
  apairwise,
} from "./src/itertools/transforming.ts";
