/** Counts what really happened in traces: statements run, and where tasks were when they were cancelled. */

import { type Kind, type Program, statements_of, type Trace } from "./program.ts";

/** What `cancel` says of a task that had not begun, and of one that cancelled itself. */
const PLACES = new Map([["start", "before its first step"], ["itself", "by itself"]]);

/** Each thing that happened, in words: `join: end`, `join: fail CancelledError`, `cancelled at join`. */
export function* happenings(program: Program, trace: Trace): Generator<string> {
  const kinds = new Map<string, Kind>();
  for (const [statement] of statements_of(program)) kinds.set(`${statement.id}`, statement.do);
  for (const [, task, id, what] of trace) {
    if (task === "runner") yield `runner: ${/^\w+(?: \w+Error)?/.exec(what)?.[0]}`;
    const kind = kinds.get(`${id}`);
    if (kind === undefined) {
      if (id === 0 && what === "deadlock") yield "deadlock";
      continue;
    }
    if (what === "begin") continue;
    yield `${kind}: ${/^(?:(?:fail|reraise|except) )?\w+/.exec(what)?.[0]}`;
    if (kind !== "cancel") continue;
    const cancelled = / True at #?(\w+)$/.exec(what)?.[1];
    if (cancelled !== undefined) {
      yield `cancelled at ${PLACES.get(cancelled) ?? kinds.get(cancelled) ?? cancelled}`;
    }
  }
}

/** How often each thing happened in all the traces it was shown. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  add(program: Program, trace: Trace): void {
    for (const name of happenings(program, trace)) {
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    }
  }

  /** A line for each thing that happened. */
  toString(): string {
    const names = [...this.#counts.keys()].sort();
    const width = Math.max(...names.map((name) => name.length));
    return names.map((name) => `  ${name.padEnd(width)} ${this.#counts.get(name)}`).join("\n");
  }
}
