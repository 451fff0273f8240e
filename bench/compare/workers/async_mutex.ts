/**
 * W6 and W7 on async-mutex, a semaphore for both: its mutex is a semaphore of one.
 *
 * @module
 */

import { Semaphore } from "async-mutex";
import { limited_batches } from "../limited.ts";
import { measure } from "../measure.ts";

await measure(limited_batches((at_once) => {
  const gate = new Semaphore(at_once);
  return (work) => gate.runExclusive(work);
}));
