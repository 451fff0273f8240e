/** Under random programs with cancellations everywhere, `./structured` loses nothing and doubles nothing. */

import type { Scenario } from "../property/crowd.ts";
import { check_scenario, tested_loops } from "../property/loops.ts";
import type { Program } from "../property/program.ts";
import {
  BroadcastScenario,
  ChannelScenario,
  ClosingScenario,
  DroppingScenario,
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
  "open_broadcast with drop_oldest": () => new DroppingScenario(),
  CapacityLimiter: (program) => new LimiterScenario(program),
  RWLock: () => new RWLockScenario(),
  RateLimiter: (program) => new RateScenario(program),
  Notifier: () => new NotifierScenario(),
  CancelScope: () => new ScopeScenario(),
};

for (const loop of tested_loops(600)) {
  for (const [primitive, make] of Object.entries(SCENARIOS)) {
    // A race that a host's timer wins swallows a cancellation; blocks of scopes do so on purpose.
    const is_honest = !loop.waits.at_once && primitive !== "CancelScope";
    Deno.test(`${primitive}: loses nothing and doubles nothing on ${loop.name}`, () =>
      check_scenario(loop, make, is_honest));
  }
}
