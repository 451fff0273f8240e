/**
 * What the import map in this folder gives the seed's programs in place of `mod.ts`: the same library,
 * with the virtual clock as its default loop.
 */

import * as asyncio from "../../../mod.ts";
import { VirtualClockEventLoop } from "../../../testing.ts";
import { advance } from "./host_clock.ts";

export * from "../../../mod.ts";

asyncio.set_event_loop(new VirtualClockEventLoop());

/** As the library's, on the virtual clock. */
export function new_event_loop(): asyncio.AbstractEventLoop {
  return new VirtualClockEventLoop();
}

/** As the library's, on the virtual clock; the host's clock moves on by the time the loop has run. */
export const run: typeof asyncio.run = async (main, options) => {
  const loop = new VirtualClockEventLoop();
  try {
    return await asyncio.run(main, { loop_factory: () => loop, ...options });
  } finally {
    advance(loop.time());
  }
};
