/** What the seed's programs import from Node.js, as far as a browser can have it. */

import { inspect } from "node-inspect-extracted";
import * as functools from "../../functools.ts";
import * as itertools from "../../itertools.ts";
import * as asyncio from "../../mod.ts";
import * as structured from "../../structured.ts";
import * as testing from "../../testing.ts";
import * as trace from "../../trace.ts";

/** A clock that the host's modules show, and that can be made to jump. */
interface Clock {
  /** In seconds. */
  now(): number;
  pause(seconds: number): Promise<void>;
}

const REAL_CLOCK: Clock = {
  now: () => performance.now() / 1000,
  pause: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
};

/** The time of all virtual loops together, as a program has one after the other, and its own pauses. */
class VirtualClock implements Clock {
  readonly #loops: testing.VirtualClockEventLoop[] = [];
  #pauses = 0;

  /** A loop whose time counts. */
  make_loop(): testing.VirtualClockEventLoop {
    const loop = new testing.VirtualClockEventLoop();
    this.#loops.push(loop);
    return loop;
  }

  now(): number {
    this.#pauses += 1e-9; // two looks at a real clock never show the same time
    return this.#loops.reduce((sum, loop) => sum + loop.time(), this.#pauses);
  }

  pause(seconds: number): Promise<void> {
    this.#pauses += seconds;
    return Promise.resolve();
  }
}

/** The modules by their names; on the virtual clock loops are made on it from now on. */
export function host_modules(virtual: boolean): Map<string, object> {
  let clock = REAL_CLOCK;
  if (virtual) {
    const virtual_clock = new VirtualClock();
    asyncio.set_loop_factory(() => virtual_clock.make_loop());
    clock = virtual_clock;
  }
  const process = { argv: [], env: {}, exit };
  const modules: Record<string, object> = {
    "@pythonic/asyncio": asyncio,
    "@pythonic/asyncio/functools": functools,
    "@pythonic/asyncio/itertools": itertools,
    "@pythonic/asyncio/structured": structured,
    "@pythonic/asyncio/testing": testing,
    "@pythonic/asyncio/trace": trace,
    "node:perf_hooks": { performance: { now: () => clock.now() * 1000 } },
    "node:process": { default: process, ...process },
    "node:timers/promises": { setTimeout: (delay: number) => clock.pause(delay / 1000) },
    "node:util": { parseArgs: parse_no_args, inspect },
  };
  return new Map(
    Object.entries(modules).map(([name, module]) => [name, { __esModule: true, ...module }]),
  );
}

interface ParseArgsConfig {
  readonly options?: Readonly<Record<string, { default?: unknown }>>;
}

// A program of the page has no command line: every option is what it is by default.
function parse_no_args({ options = {} }: ParseArgsConfig) {
  const values = Object.entries(options).filter(([, option]) => "default" in option)
    .map(([name, option]) => [name, option.default]);
  return { values: Object.fromEntries(values), positionals: [] };
}

function exit(code = 0): never {
  throw new Error(`The program has ended itself with exit code ${code}`);
}
