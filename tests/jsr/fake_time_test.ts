/**
 * A loop that follows the `FakeTime` of Deno's standard library: `deno task test:jsr`.
 *
 * Not among the other tests, because JSR must be reached for it.
 */

import { FakeTime } from "@std/testing/time";
import { START, test_following } from "../clock/following.ts";

test_following("@std/testing", () => new FakeTime(START));
