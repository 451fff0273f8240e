/** The frontier: the URLs that wait for their visit, each of them once, the hosts in turns. */

import * as asyncio from "../../mod.ts";
import type { Target } from "./page.ts";

/** A target and when it is its turn. */
interface Place {
  readonly target: Target;
  /** In each round there is a target of each host at most. */
  readonly round: number;
  /** Targets of one round come in the order in which they were added. */
  readonly number: number;
}

export class Frontier {
  readonly #queue = new asyncio.PriorityQueue<Place>(0, {
    compare: (a, b) => a.round - b.round || a.number - b.number,
  });
  /** The round of the last target of each host. */
  readonly #last_rounds = new Map<string, number>();
  /** The round of the target that was taken last. */
  #round = 0;
  #added = 0;
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
    for (const target of targets) {
      const { host } = new URL(target.url);
      const round = Math.max(this.#round, (this.#last_rounds.get(host) ?? -1) + 1);
      this.#last_rounds.set(host, round);
      this.#queue.put_nowait({ target, round, number: this.#added++ });
    }
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
  async *[Symbol.asyncIterator](): AsyncGenerator<Target, void, void> {
    for await (const { target, round } of this.#queue) {
      this.#round = round;
      yield target;
    }
  }
}
