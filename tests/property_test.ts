/**
 * Under random programs with cancellations everywhere, no item, permit or wake-up is lost or doubled:
 * on the virtual clock, and on the real loop with waits for the host mixed in.
 */

import * as asyncio from "../mod.ts";
import { BarrierScenario } from "./property/barriers.ts";
import { ConditionScenario } from "./property/conditions.ts";
import type { Scenario } from "./property/crowd.ts";
import { EventScenario } from "./property/events.ts";
import { GroupScenario } from "./property/groups.ts";
import { check_scenario, tested_loops } from "./property/loops.ts";
import { PermitScenario } from "./property/permits.ts";
import type { Program } from "./property/program.ts";
import { QueueScenario } from "./property/queues.ts";

const SCENARIOS: Record<string, (program: Program) => Scenario> = {
  "a queue": (program) => new QueueScenario(asyncio.Queue, program),
  "a priority queue": (program) => new QueueScenario(asyncio.PriorityQueue, program),
  "a LIFO queue": (program) => new QueueScenario(asyncio.LifoQueue, program),
  "a semaphore": ({ size }) => new PermitScenario(new asyncio.Semaphore(size), size),
  "a bounded semaphore": ({ size }) => new PermitScenario(new asyncio.BoundedSemaphore(size), size),
  "a lock": () => new PermitScenario(new asyncio.Lock(), 1),
  "a condition": () => new ConditionScenario(),
  "an event": () => new EventScenario(),
  "a barrier": (program) => new BarrierScenario(program),
  "task groups": () => new GroupScenario(),
};

for (const loop of tested_loops(1000)) {
  for (const [primitive, make] of Object.entries(SCENARIOS)) {
    Deno.test(`${primitive} loses nothing and doubles nothing on ${loop.name}`, () =>
      check_scenario(loop, make));
  }
}
