/** Running programs on the virtual clock. */

import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";

/** Runs a program. */
export function run<T>(main: () => Promise<T>): Promise<T> {
  return asyncio.run(main, { loop_factory: () => new VirtualClockEventLoop() });
}

/** Runs a program that may be a plain function. */
export function run_plain<T>(main: () => T | Promise<T>): Promise<T> {
  return run(async () => await main());
}

/** The time of the virtual clock, which begins at 0. */
export function now(): number {
  return asyncio.get_running_loop().time();
}
