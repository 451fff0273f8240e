/** The loops of the property tests: on the virtual clock, and the real one with waits for the host mixed in. */

import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { Crowd, type Scenario } from "./crowd.ts";
import { LIBRARY_PAUSES, PAUSE_NAMES } from "./pauses.ts";
import { check_programs, type Program, type Waits } from "./program.ts";

/** Multiplies the programs of each test: `PROGRAMS=100 deno test tests/property_test.ts`. */
const FACTOR = Number(Deno.env.get("PROGRAMS") ?? 1);

/** A loop, and what programs do on it. */
export interface TestedLoop {
  readonly name: string;
  readonly loop_factory: () => asyncio.EventLoop;
  readonly waits: Waits;
  /** How many programs there are for a scenario. */
  readonly count: number;
}

/** The loops, with a number of programs for each scenario on the virtual clock. */
export function tested_loops(count: number): readonly TestedLoop[] {
  return [
    {
      name: "the virtual clock",
      loop_factory: () => new VirtualClockEventLoop(),
      waits: { pauses: LIBRARY_PAUSES, at_once: false },
      count,
    },
    {
      name: "the real loop",
      loop_factory: () => new asyncio.EventLoop(),
      waits: { pauses: PAUSE_NAMES, at_once: true },
      count: 12,
    },
  ];
}

/**
 * Runs the programs of a scenario.
 *
 * @param is_honest whether no step swallows a cancellation, as for {@linkcode Crowd.run}
 */
export async function check_scenario(
  { loop_factory, waits, count }: TestedLoop,
  make: (program: Program) => Scenario,
  is_honest = false,
): Promise<void> {
  await check_programs(count * FACTOR, waits, async (program) => {
    await asyncio.run(() => Crowd.run(program, make(program), is_honest), { loop_factory });
  });
}
