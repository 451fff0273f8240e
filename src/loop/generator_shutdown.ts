/**
 * The end of asynchronous generators that were started and not finished.
 *
 * @module
 */

import { is_exception } from "../core/exceptions.ts";
import { repr } from "../internal/format_helpers.ts";
import { gather } from "../waiting.ts";
import type { AbstractEventLoop, TrackedAsyncGenerator } from "../core/events.ts";

/** Takes all generators out of a set, closes them at the same time, and reports what that throws. */
export function* close_generators(
  loop: AbstractEventLoop,
  started: Set<TrackedAsyncGenerator>,
): Generator<unknown, void, unknown> {
  const generators = [...started];
  started.clear();
  if (generators.length === 0) return;
  const results = yield* gather(generators.map((generator) => generator.aclose()), {
    return_exceptions: true,
  });
  results.forEach((error, index) => {
    if (error === undefined || !is_exception(error)) return;
    const asyncgen = generators[index]?.generator();
    loop.call_exception_handler({
      message: `an error occurred during closing of asynchronous generator ${repr(asyncgen)}`,
      exception: error,
      asyncgen,
    });
  });
}
