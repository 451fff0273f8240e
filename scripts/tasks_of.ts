/**
 * Shows the tasks of a running program: `deno task pstree PID`, `deno task ps PID`.
 */

import { main } from "../cli.ts";

Deno.exit(await main(Deno.args));
