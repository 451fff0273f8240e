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
  aaccumulate,
  aall,
  aany,
  abatched,
  achain,
  type Addable,
  adict,
  adropwhile,
  aenumerate,
  afilter,
  aislice,
  alist,
  amap,
  amax,
  amerge,
  amin,
  type AnyIterable,
  apairwise,
  areduce,
  type ArrayOf,
  aset,
  asum,
  atakewhile,
  atee,
  azip,
  type Comparable,
  type ExtremumOptions,
  type Item,
  type Items,
  type KeyedExtremumOptions,
  ToolIterator,
  type Truthy,
  type ZipOptions,
} from "./src/itertools.ts";
