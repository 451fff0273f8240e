/** The form of the known kinds of races. */

import * as asyncio from "../../../mod.ts";
import type { ExploredProgram, ExploreOptions } from "../../../testing.ts";

/** Something of the outside that answers, some time: a database, a service. */
export type Outside = <T>(value: T) => PromiseLike<T>;

/** A kind of race: a program that has it, and one in which it is mended. */
export interface Race {
  readonly name: string;
  /** What goes wrong, and what mends it. */
  readonly about: string;
  readonly broken: ExploredProgram<void>;
  readonly fixed: ExploredProgram<void>;
  readonly options?: ExploreOptions;
  /** The broken program by promises alone, if it can be said so: for other tools. */
  readonly by_promises?: (outside: Outside) => Promise<void>;
}

/** The outside of programs under `explore()`. */
export const outside: Outside = (value) => asyncio.from_promise(Promise.resolve(value));

export function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
