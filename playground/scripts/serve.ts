/**
 * Serves the playground, as it was built last, on this machine.
 *
 *     deno task playground                 at http://127.0.0.1:8000
 *     deno task playground --port 9000     at another port
 *     deno task playground --help          what there is
 */

import { parseArgs } from "node:util";
import { DIST } from "./build.ts";
import { serve_playground } from "./server.ts";

const HELP = `Builds the playground and serves it on this machine, until Ctrl-C.

  deno task playground [options]

  --port N    the port; 0 takes a free one (8000)
  --help, -h  this text`;

function fail(message: string): never {
  console.error(message);
  Deno.exit(2);
}

function port_of_command_line(): number {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8000" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      Deno.exit();
    }
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65535) {
      fail(`--port must be a whole number from 0 to 65535: received '${values.port}'`);
    }
    return port;
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

const port = port_of_command_line();
try {
  const { url } = await serve_playground(DIST, port);
  console.log(`The playground is at ${url}, until Ctrl-C.`);
} catch (error) {
  if ((error as { code?: string }).code !== "EADDRINUSE") throw error;
  fail(`Port ${port} is taken: choose another by --port`);
}
