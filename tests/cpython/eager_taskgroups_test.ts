/** CPython's own tests of task groups, with tasks that start at once. */

import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { TASK_GROUP_TESTS } from "./taskgroups.ts";

const loop_factory = () => {
  const loop = new VirtualClockEventLoop();
  loop.set_task_factory(asyncio.eager_task_factory);
  return loop;
};

for (const [name, test] of Object.entries(TASK_GROUP_TESTS)) {
  Deno.test(`${name} (eager tasks)`, () => asyncio.run(test, { loop_factory }));
}
