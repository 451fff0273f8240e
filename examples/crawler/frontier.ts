/** The frontier: the URLs that wait for their visit, each of them once. */

import * as asyncio from "../../mod.ts";
import type { Target } from "./page.ts";

export class Frontier {
  readonly #queue = new asyncio.Queue<Target>();
  /** Every URL that was ever found: visited, waiting, or on its way into the database. */
  readonly #known: Set<string>;
  #visited: number;
  #closed = false;

  /** Makes a frontier of what waits; what is visited will not be visited again. */
  constructor(visited: readonly string[] = [], waiting: readonly Target[] = []) {
    this.#known = new Set(visited);
    this.#visited = this.#known.size;
    this.add(this.claim(waiting));
  }

  /** How many are known and not visited: they wait, or their visit is under way. */
  get size(): number {
    return this.#known.size - this.#visited;
  }

  /** Those of the targets that nobody has found before; from now on they are known. */
  claim(targets: Iterable<Target>): Target[] {
    const found: Target[] = [];
    for (const target of targets) {
      if (this.#known.has(target.url)) continue;
      this.#known.add(target.url);
      found.push(target);
    }
    return found;
  }

  /** Lets claimed targets wait for their visit. */
  add(targets: Iterable<Target>): void {
    if (this.#closed) return;
    for (const target of targets) this.#queue.put_nowait(target);
  }

  /** Says that a claimed target has been visited. */
  visited(): void {
    this.#visited++;
  }

  /** Says that there is nothing more to do for a target that was taken. */
  done(): void {
    this.#queue.task_done();
  }

  /** Waits until nothing waits and no visit is under way. */
  join(): asyncio.Coroutine<void> {
    return this.#queue.join();
  }

  /** Ends the frontier: no target is given out any more. */
  close(): void {
    this.#closed = true;
    this.#queue.shutdown(true);
  }

  /** Takes targets until the frontier is closed. */
  [Symbol.asyncIterator](): AsyncIterator<Target> {
    return this.#queue[Symbol.asyncIterator]();
  }
}
