/**
 * W6 and W7 on p-limit.
 *
 * @module
 */

import p_limit from "p-limit";
import { limited_batches } from "../limited.ts";
import { measure } from "../measure.ts";

await measure(limited_batches((at_once) => p_limit(at_once)));
