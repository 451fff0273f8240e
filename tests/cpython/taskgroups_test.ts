/** CPython's own tests of task groups, with tasks that start in the next iteration. */

import { run } from "./loops.ts";
import { TASK_GROUP_TESTS } from "./taskgroups.ts";

for (const [name, test] of Object.entries(TASK_GROUP_TESTS)) Deno.test(name, () => run(test));
