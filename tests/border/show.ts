/** Says what happens in one program, in a thread of its own. */

import "./fake_host.ts";
import { parentPort, workerData } from "node:worker_threads";
import { explain } from "./check.ts";
import { generate } from "./generate.ts";

const { profile, seed } = workerData;
parentPort!.postMessage(await explain(generate(profile, seed)));
