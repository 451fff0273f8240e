/** How many requests there may be at the same time, and how far apart those to one host. */

import * as asyncio from "../../mod.ts";

/** What limits requests: of this process alone, or of all that take part in a crawl. */
export interface HostLimits {
  /** Waits for the host's turn and for one of the permits; the request ends when that is released. */
  begin(host: string): asyncio.Coroutine<asyncio.Permit>;
  /** Has at least so many seconds pass between two requests to a host. */
  slow_down(host: string, delay: number): void | Promise<void>;
  /** Has no request to a host begin for so many seconds. */
  pause(host: string, seconds: number): void | Promise<void>;
}

/** When a host may be asked next. */
interface Turn {
  /** Held by the one who is next, until its request begins. */
  readonly lock: asyncio.Lock;
  /** Seconds between two requests. */
  delay: number;
  /** The loop's time from which on a request may begin. */
  next: number;
}

export class Limits implements HostLimits {
  readonly #requests: asyncio.Semaphore;
  readonly #delay: number;
  readonly #turns = new Map<string, Turn>();

  /** Limits for so many requests at the same time, and `delay` seconds between two to a host. */
  constructor(concurrency: number, delay: number) {
    this.#requests = new asyncio.Semaphore(concurrency);
    this.#delay = delay;
  }

  /**
   * Waits for the host's turn, then for one of the permits; the request ends when that is released.
   *
   * Who waits for a host's turn has no permit yet: a slow host does not keep others waiting.
   */
  begin(host: string): asyncio.Coroutine<asyncio.Permit> {
    const loop = asyncio.get_running_loop();
    const turn = this.#turn(host);
    return asyncio.async_with(turn.lock, async () => {
      // A pause may have been asked for in the meantime.
      while (loop.time() < turn.next) await asyncio.sleep(turn.next - loop.time());
      const permit = await this.#requests.acquire();
      turn.next = Math.max(turn.next, loop.time() + turn.delay);
      return permit;
    });
  }

  /** Has at least so many seconds pass between two requests to a host. */
  slow_down(host: string, delay: number): void {
    const turn = this.#turn(host);
    turn.delay = Math.max(turn.delay, delay);
    turn.next = Math.max(turn.next, asyncio.get_running_loop().time() + delay);
  }

  /** Has no request to a host begin for so many seconds. */
  pause(host: string, seconds: number): void {
    const turn = this.#turn(host);
    turn.next = Math.max(turn.next, asyncio.get_running_loop().time() + seconds);
  }

  #turn(host: string): Turn {
    let turn = this.#turns.get(host);
    if (turn === undefined) {
      turn = { lock: new asyncio.Lock(), delay: this.#delay, next: 0 };
      this.#turns.set(host, turn);
    }
    return turn;
  }
}
