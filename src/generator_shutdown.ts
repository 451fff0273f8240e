/**
 * The asynchronous generators that were started and not finished, so that a loop closes them when it ends.
 *
 * @module
 */

import type { AbstractEventLoop, AsyncGenerators, TrackedAsyncGenerator } from "./core/events.ts";
import { is_exception } from "./core/exceptions.ts";
import { repr } from "./internal/format_helpers.ts";
import { gather } from "./waiting.ts";

/** The generators, as the loop sees them. */
class StartedGenerators implements AsyncGenerators {
  readonly #loop: AbstractEventLoop;
  readonly #started = new Set<TrackedAsyncGenerator>();

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
  }

  add(generator: TrackedAsyncGenerator): void {
    this.#started.add(generator);
  }

  delete(generator: TrackedAsyncGenerator): void {
    this.#started.delete(generator);
  }

  get is_empty(): boolean {
    return this.#started.size === 0;
  }

  *close(): Generator<unknown, void, unknown> {
    const generators = [...this.#started];
    this.#started.clear();
    if (generators.length === 0) return;
    const results = yield* gather(generators.map((generator) => generator.aclose()), {
      return_exceptions: true,
    });
    results.forEach((error, index) => {
      if (error === undefined || !is_exception(error)) return;
      const asyncgen = generators[index]?.generator();
      this.#loop.call_exception_handler({
        message: `an error occurred during closing of asynchronous generator ${repr(asyncgen)}`,
        exception: error,
        asyncgen,
      });
    });
  }
}

/** Has a loop close a generator that has started, if it is not finished before. */
export function hold_generator(loop: AbstractEventLoop, generator: TrackedAsyncGenerator): void {
  (loop["_asyncgens"] ??= new StartedGenerators(loop)).add(generator);
}
