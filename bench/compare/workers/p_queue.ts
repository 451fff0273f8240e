/**
 * W6 and W7 on p-queue.
 *
 * @module
 */

import PQueue from "p-queue";
import { limited_batches } from "../limited.ts";
import { measure } from "../measure.ts";

await measure(limited_batches((at_once) => {
  const queue = new PQueue({ concurrency: at_once });
  return (work) => queue.add(work);
}));
