/** The file of the workers of piscina and tinypool. */

import { serve } from "../../examples/pools/piscina_worker.ts";
import * as work from "./work.ts";

export default serve(work);
