/** Under random programs with cancellations everywhere, `./structured` loses nothing and doubles nothing. */

import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { Crowd, type Scenario } from "../property/crowd.ts";
import { LIBRARY_PAUSES, PAUSE_NAMES } from "../property/pauses.ts";
import { check_programs, type Program } from "../property/program.ts";
import {
  BroadcastScenario,
  ChannelScenario,
  ClosingScenario,
  LimiterScenario,
  NotifierScenario,
  RWLockScenario,
} from "./scenarios.ts";
import { RateScenario } from "./rates_scenario.ts";
import { ScopeScenario } from "./scope_scenario.ts";

const SCENARIOS: Record<string, (program: Program) => Scenario> = {
  open_channel: (program) => new ChannelScenario(program),
  "a channel that is closed": (program) => new ClosingScenario(program),
  open_broadcast: () => new BroadcastScenario(),
  CapacityLimiter: (program) => new LimiterScenario(program),
  RWLock: () => new RWLockScenario(),
  RateLimiter: (program) => new RateScenario(program),
  Notifier: () => new NotifierScenario(),
  CancelScope: () => new ScopeScenario(),
};

/** Multiplies the programs of each test, as for `tests/property_test.ts`. */
const FACTOR = Number(Deno.env.get("PROGRAMS") ?? 1);

const LOOPS = [
  {
    name: "the virtual clock",
    loop_factory: () => new VirtualClockEventLoop(),
    waits: { pauses: LIBRARY_PAUSES, at_once: false },
    count: 600,
  },
  {
    name: "the real loop",
    loop_factory: () => new asyncio.EventLoop(),
    waits: { pauses: PAUSE_NAMES, at_once: true },
    count: 12,
  },
];

for (const { name, loop_factory, waits, count } of LOOPS) {
  for (const [primitive, make] of Object.entries(SCENARIOS)) {
    Deno.test(`${primitive}: loses nothing and doubles nothing on ${name}`, async () => {
      await check_programs(count * FACTOR, waits, async (program) => {
        // A race that a host's timer wins swallows a cancellation; blocks of scopes do so on purpose.
        const is_honest = !waits.at_once && primitive !== "CancelScope";
        await asyncio.run(() => Crowd.run(program, make(program), is_honest), { loop_factory });
      });
    });
  }
}
