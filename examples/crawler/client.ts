/** Asks servers: within the limits, and again where that may help. */

import * as asyncio from "../../mod.ts";
import { type Answer, download, TooLarge } from "./download.ts";
import type { HostLimits } from "./limits.ts";
import type { Options } from "./options.ts";
import { reason } from "./user_error.ts";

/** What became of a request and its repetitions. */
export interface Reply {
  /** The last answer; `null` if there was none. */
  readonly answer: Answer | null;
  /** Why there was no answer. */
  readonly problem: string | null;
  /** How many requests were made. */
  readonly attempts: number;
  /** How long the last one took. */
  readonly seconds: number;
}

/** Answers that another request may change. */
const TEMPORARY: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** A server that wants to be left alone for longer is left alone, in seconds. */
const LONGEST_WAIT = 120;

export class Client {
  readonly #options: Options;
  readonly #limits: HostLimits;

  constructor(options: Options, limits: HostLimits) {
    this.#options = options;
    this.#limits = limits;
  }

  /** Makes a request, again if it fails for a reason that may pass. */
  async get(url: string): Promise<Reply> {
    const { host } = new URL(url);
    for (let attempts = 1;; attempts++) {
      const { temporary, ...reply } = await this.#attempt(url, host);
      if (!temporary || attempts > this.#options.retries) return { ...reply, attempts };
      const wait = reply.answer?.retry_after ?? this.#backoff(attempts);
      if (wait > LONGEST_WAIT) return { ...reply, attempts };
      // A server that says when to come again means all requests.
      if (reply.answer?.retry_after) await this.#limits.pause(host, wait);
      else await asyncio.sleep(wait);
    }
  }

  async #attempt(url: string, host: string) {
    using _ = await this.#limits.begin(host);
    const begun = performance.now();
    const seconds = () => (performance.now() - begun) / 1000;
    try {
      const answer = await download(url, this.#options);
      const temporary = TEMPORARY.has(answer.status);
      return { answer, problem: null, seconds: seconds(), temporary };
    } catch (error) {
      if (error instanceof asyncio.BaseException) throw error;
      return { answer: null, seconds: seconds(), ...this.#failure(error) };
    }
  }

  #failure(error: unknown): { problem: string; temporary: boolean } {
    if (error instanceof TooLarge) return { problem: error.message, temporary: false };
    if (error instanceof asyncio.TimeoutError) {
      return { problem: `no whole answer within ${this.#options.timeout} s`, temporary: true };
    }
    // Deno tells the whole way to what happened.
    return { problem: reason(error).replace(/^.*client error \(\w+\): /, ""), temporary: true };
  }

  /** Longer each time, and not the same for all that failed together. */
  #backoff(attempts: number): number {
    return this.#options.backoff * 2 ** (attempts - 1) * (0.5 + Math.random());
  }
}
