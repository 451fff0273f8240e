/**
 * Errors of futures that nobody has looked at, and their report.
 *
 * @module
 */

import type { AbstractEventLoop, ExceptionContext } from "./events.ts";
import type { Future } from "../core/futures.ts";

interface Entry {
  future: WeakRef<Future<unknown>>;
  unretrieved: WeakRef<Unretrieved>;
  context: ExceptionContext;
}

const collected = new FinalizationRegistry<Entry>((entry) =>
  entry.unretrieved.deref()?._report_collected(entry)
);

/**
 * The futures of a loop whose errors nobody has looked at.
 *
 * Most are looked at within the same turn of the host, so they are only held until the next one;
 * then the garbage collector tells of those that nobody can look at any more.
 */
export class Unretrieved {
  readonly #loop: AbstractEventLoop;
  readonly #recent = new Set<Future<unknown>>();
  readonly #entries = new Set<Entry>();
  readonly #entry_of = new WeakMap<Future<unknown>, Entry>();

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
  }

  /** Notes a future whose error nobody has looked at yet. */
  add(future: Future<unknown>): void {
    this.#recent.add(future);
  }

  /** Forgets a future: somebody has looked. */
  delete(future: Future<unknown>): void {
    if (this.#recent.delete(future)) return;
    const entry = this.#entry_of.get(future);
    if (entry === undefined) return;
    this.#entries.delete(entry);
    this.#entry_of.delete(future);
    collected.unregister(future);
  }

  /** Lets go of the futures noted so far. */
  weaken(): void {
    if (this.#recent.size === 0) return;
    for (const future of this.#recent) {
      const entry = {
        future: new WeakRef(future),
        unretrieved: new WeakRef(this),
        context: describe(future),
      };
      this.#entries.add(entry);
      this.#entry_of.set(future, entry);
      collected.register(future, entry, future);
    }
    this.#recent.clear();
  }

  /** Tells the exception handler of all that are left. */
  report(): void {
    this.weaken();
    for (const entry of [...this.#entries]) {
      const future = entry.future.deref();
      if (future !== undefined) {
        future._mark_retrieved();
        entry.context.future = future;
      }
      this._report_collected(entry);
    }
  }

  /** @internal */
  _report_collected(entry: Entry): void {
    this.#entries.delete(entry);
    this.#loop.call_exception_handler(entry.context);
  }
}

function describe(future: Future<unknown>): ExceptionContext {
  const context: ExceptionContext = {
    message: `${future.constructor.name} exception was never retrieved`,
    exception: future._value,
  };
  if (future._source_traceback !== undefined) context.source_traceback = future._source_traceback;
  return context;
}
