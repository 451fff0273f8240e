/**
 * Under random programs with cancellations everywhere, no item, permit or wake-up is lost or doubled:
 * on the virtual clock, and on the real loop with waits for the host mixed in.
 */

import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { BarrierScenario } from "./property/barriers.ts";
import { ConditionScenario } from "./property/conditions.ts";
import { Crowd, type Scenario } from "./property/crowd.ts";
import { EventScenario } from "./property/events.ts";
import { GroupScenario } from "./property/groups.ts";
import { LIBRARY_PAUSES, PAUSE_NAMES } from "./property/pauses.ts";
import { PermitScenario } from "./property/permits.ts";
import { check_programs, type Program } from "./property/program.ts";
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

/** Multiplies the programs of each test: `PROGRAMS=100 deno test tests/property_test.ts`. */
const FACTOR = Number(Deno.env.get("PROGRAMS") ?? 1);

const LOOPS = [
  {
    name: "the virtual clock",
    loop_factory: () => new VirtualClockEventLoop(),
    waits: { pauses: LIBRARY_PAUSES, at_once: false },
    count: 1000,
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
    Deno.test(`${primitive} loses nothing and doubles nothing on ${name}`, async () => {
      await check_programs(count * FACTOR, waits, async (program) => {
        await asyncio.run(() => Crowd.run(program, make(program)), { loop_factory });
      });
    });
  }
}
