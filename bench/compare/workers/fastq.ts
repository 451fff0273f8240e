/**
 * W6 and W7 on fastq, whose worker runs the function it is given.
 *
 * @module
 */

import fastq from "fastq";
import { limited_batches } from "../limited.ts";
import { measure } from "../measure.ts";

await measure(limited_batches((at_once) => {
  const queue = fastq.promise((work: () => Promise<void>) => work(), at_once);
  return (work) => queue.push(work);
}));
