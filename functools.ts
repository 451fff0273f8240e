/**
 * The part of Python's `functools` that has to do with awaiting: {@linkcode lru_cache}, {@linkcode cache} and
 * {@linkcode cached_property} keep results that were awaited, and {@linkcode single_flight} has calls at the same
 * time share one run.
 *
 * ```ts
 * import { sleep } from "@pythonic/asyncio";
 * import { lru_cache } from "@pythonic/asyncio/functools";
 *
 * const load = lru_cache(async (page: string) => await sleep(0.01, page.length));
 *
 * console.log(await load("a page"), await load("a page")); // 6 6
 * ```
 *
 * @module
 */

// The default loop, for what waits outside of `run()`.
import "./src/loop/base_events.ts";

export {
  cache,
  cached_property,
  type CacheDecorator,
  type CachedFunction,
  type CacheInfo,
  type CacheOptions,
  lru_cache,
  single_flight,
} from "./src/functools.ts";
