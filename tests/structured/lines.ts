/** Checks whether calls that wait are served in the order in which they came. */

import { assert } from "@std/assert";
import * as asyncio from "../../mod.ts";

/** The calls that wait, in the order in which they began. */
export class Line {
  readonly #waiting = new Set<{ readonly kind: unknown }>();
  #any_overtaken = false;

  /**
   * A call in the line; `served` is called in the very step in which it returns, whatever is thrown after it, and
   * `left` when it has thrown, with whether it was the first; `kind` is for the caller.
   */
  call<T>(
    operation: () => PromiseLike<T>,
    served: (value: T) => void,
    left: (was_first: boolean) => void = () => {},
    kind: unknown = null,
  ): asyncio.Coroutine<void> {
    return asyncio.coroutine(async () => {
      const place = { kind };
      this.#waiting.add(place);
      try {
        const value = await operation();
        this.#note_served(place);
        served(value);
      } finally {
        const [first] = this.#waiting;
        if (this.#waiting.delete(place)) left(first === place);
      }
    })();
  }

  // Those before it may have been served in this turn, and resume after it.
  #note_served(place: { readonly kind: unknown }): void {
    const earlier = [...this.#waiting];
    earlier.length = earlier.indexOf(place);
    this.#waiting.delete(place);
    asyncio.get_running_loop().call_soon(() => {
      if (earlier.some((each) => this.#waiting.has(each))) this.#any_overtaken = true;
    });
  }

  /** The call that has waited longest, if any waits. */
  get first(): { readonly kind: unknown } | undefined {
    const [first] = this.#waiting;
    return first;
  }

  /** Fails if a call has been overtaken. */
  check(): void {
    assert(!this.#any_overtaken, "a call was overtaken");
  }
}
