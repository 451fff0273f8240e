/**
 * Random programs for a `StreamReader`: what is fed and what is read, in one order that is the same in both
 * languages.
 */

import { make_random } from "../../../src/testing/random.ts";

/** A read of some kind. */
export type Read =
  | { read: "read"; n: number }
  | { read: "readexactly"; n: number }
  | { read: "readline" }
  | { read: "readuntil"; separators: string[] }
  /** Lines to the end, or so many. */
  | { read: "lines"; count: number };

/** What the main task does, one after the other. */
export type Action =
  | { do: "feed"; data: string }
  /** The same data so many times. */
  | { do: "feed_many"; data: string; times: number }
  | { do: "eof" }
  | { do: "error" }
  /** Starts a task with reads, one after the other; it goes on after errors that a read throws. */
  | { do: "task"; reads: Read[] }
  | { do: "cancel"; task: number }
  /** Lets the others run for so many turns of the loop. */
  | { do: "turns"; count: number };

/** A reader with a limit, and what is done with it. */
export interface Program {
  limit: number;
  transport: boolean;
  actions: Action[];
}

const SEPARATORS = ["\n", "\r\n", "a", "ab", "aab", "ba", "\n\n", "abab", ""];

/** Makes the program of a seed. */
export function make_program(seed: number): Program {
  const random = make_random(seed);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const limit = pick([1, 2, 3, 5, 8, 16, 64, 5000, 2 ** 16]);
  const is_large = limit >= 5000 && random() < 0.5;

  const text = (): string => {
    const alphabet = pick(["ab", "ab\n", "a\r\n", "abcdefgh\n"]);
    const length = random() < 0.1 ? 0 : 1 + below(pick([2, 5, 12, 40]));
    return Array.from({ length }, () => alphabet[below(alphabet.length)]).join("");
  };
  const separators = (): string[] => {
    const count = random() < 0.6 ? 1 : below(4);
    const known = random() < 0.05 ? SEPARATORS : SEPARATORS.slice(0, -1);
    return Array.from({ length: count }, () => pick(known));
  };
  const count = (): number =>
    pick([-1, 0, 1, 2, 3, 5, 10, 30, limit, 2 * limit + 1, is_large ? 9000 : 7]);
  const read = (): Read => {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return { read: "read", n: random() < 0.15 ? -1 : count() };
      case 3:
      case 4:
        return { read: "readexactly", n: count() };
      case 5:
      case 6:
        return { read: "readline" };
      case 7:
        return { read: "lines", count: 1 + below(5) };
      default:
        return { read: "readuntil", separators: separators() };
    }
  };
  const action = (): Action => {
    const what = random();
    if (what < 0.34) return { do: "feed", data: text() };
    if (what < 0.40) {
      return { do: "feed_many", data: text(), times: is_large ? 500 + below(2000) : below(20) };
    }
    if (what < 0.43) return { do: "eof" };
    if (what < 0.44) return { do: "error" };
    if (what < 0.66) return { do: "task", reads: Array.from({ length: 1 + below(4) }, read) };
    if (what < 0.76) return { do: "cancel", task: below(8) };
    return { do: "turns", count: 1 + below(3) };
  };
  return {
    limit,
    transport: random() < 0.8,
    actions: Array.from({ length: 3 + below(25) }, action),
  };
}
