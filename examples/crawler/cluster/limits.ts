/** The limits of a crawl on many machines: requests of this process, and how far apart those of all to one host. */

import type { Redis } from "ioredis";
import * as asyncio from "../../../mod.ts";
import type { HostLimits } from "../limits.ts";

/** The milliseconds that a visit waits in this process; for longer it goes back into the queue. */
const SHORT = 1000;

/** The milliseconds for which Redis remembers a host that nobody asks. */
const REMEMBERED = 86_400_000;

/** The server's clock is the one that all processes share. */
const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function field(name, default) return tonumber(redis.call('HGET', KEYS[1], name) or default) end
local delay = field('delay', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${REMEMBERED})
`;

/** Begins a request, or returns for how long none may begin. */
const BEGIN = `${NOW}
local next = field('next', 0)
if now < next then return next - now end
redis.call('HSET', KEYS[1], 'next', now + delay)
return 0`;

/** Returns in how long the next turn is that nobody has taken; one that is far away is now taken. */
const RESERVE = `${NOW}
local next = field('next', 0)
if ARGV[2] == '1' and next - now <= ${SHORT} then return 0 end
local turn = math.max(tonumber(redis.call('GET', KEYS[2]) or 0), next, now)
redis.call('SET', KEYS[2], turn + delay, 'PX', turn + delay - now + ${REMEMBERED})
return turn - now`;

const SLOW_DOWN = `${NOW}
delay = math.max(delay, tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'delay', delay, 'next', math.max(field('next', 0), now + tonumber(ARGV[2])))`;

const PAUSE = `${NOW}
redis.call('HSET', KEYS[1], 'next', math.max(field('next', 0), now + tonumber(ARGV[2])))`;

export class ClusterLimits implements HostLimits {
  readonly #redis: Redis;
  readonly #name: string;
  readonly #requests: asyncio.Semaphore;
  readonly #delay: number;
  readonly #locks = new Map<string, asyncio.Lock>();

  /**
   * Limits for so many requests of this process, and `delay` seconds between two to a host of any process that uses this
   * Redis server. The turns that visits take in advance are those of the crawl with a name.
   */
  constructor(redis: Redis, name: string, concurrency: number, delay: number) {
    this.#redis = redis;
    this.#name = name;
    this.#requests = new asyncio.Semaphore(concurrency);
    this.#delay = delay;
  }

  /** Waits for the host's turn and for one of the permits; the request ends when that is released. */
  begin(host: string): asyncio.Coroutine<asyncio.Permit> {
    let lock = this.#locks.get(host);
    if (lock === undefined) this.#locks.set(host, lock = new asyncio.Lock());
    return asyncio.async_with(lock, async () => {
      for (;;) {
        const permit = await this.#requests.acquire();
        let wait: number;
        try {
          wait = await this.#eval(BEGIN, host);
        } catch (error) {
          permit[Symbol.dispose]();
          throw error;
        }
        if (wait === 0) return permit;
        permit[Symbol.dispose]();
        await asyncio.sleep(wait / 1000);
      }
    });
  }

  /**
   * Takes a turn for a visit that would have to wait long.
   *
   * @param host the host
   * @param has_turn whether it has taken one before, which is now
   * @returns the milliseconds until then; 0 if it need not go back into the queue
   */
  async reserve(host: string, has_turn: boolean): Promise<number> {
    const wait = await this.#eval(RESERVE, host, has_turn ? 1 : 0);
    return wait <= SHORT ? 0 : wait;
  }

  async slow_down(host: string, delay: number): Promise<void> {
    await this.#eval(SLOW_DOWN, host, Math.ceil(delay * 1000));
  }

  async pause(host: string, seconds: number): Promise<void> {
    await this.#eval(PAUSE, host, Math.ceil(seconds * 1000));
  }

  async #eval(script: string, host: string, ...args: number[]): Promise<number> {
    const keys = [`crawl:host:${host}`, `${this.#name}:turn:${host}`];
    const delay = Math.ceil(this.#delay * 1000);
    return Number(await this.#redis.eval(script, keys.length, ...keys, delay, ...args));
  }
}
