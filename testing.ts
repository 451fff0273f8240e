/**
 * For tests of asynchronous programs: on the {@linkcode VirtualClockEventLoop} an hour's sleep takes
 * microseconds, and a program that can make no progress throws a {@linkcode DeadlockError} that names
 * every waiting task. {@linkcode explore} runs a program in every order in which its events can come, as a
 * seed decides, and reports a run that fails.
 *
 * ```ts
 * import { run, sleep } from "@pythonic/asyncio";
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 *
 * await run(sleep(3600), { loop_factory: () => new VirtualClockEventLoop() });
 * ```
 *
 * @module
 */

export { DeadlockError } from "./src/core/exceptions.ts";
export type { SimulatedEventLoop } from "./src/testing/simulated_loop.ts";
export { VirtualClockEventLoop, type VirtualClockOptions } from "./src/testing/virtual_clock.ts";
export {
  type ClockOptions,
  type Connection,
  VirtualNetwork,
  type VirtualNetworkOptions,
} from "./src/testing/network.ts";
export { type ExplorationStrategy } from "./src/testing/decisions.ts";
export { VirtualDisk } from "./src/testing/disk.ts";
export {
  type Exploration,
  ExplorationError,
  explore,
  type ExploredProgram,
  type ExploreOptions,
  type FaultOptions,
  type World,
} from "./src/testing/explore.ts";
