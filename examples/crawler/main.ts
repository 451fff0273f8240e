/**
 * A crawler: a web site into a database.
 *
 * ```sh
 * deno task crawl https://example.com/ --same-host --max-pages 100
 * ```
 */

import process from "node:process";
import * as asyncio from "../../mod.ts";
import { asks_for_help, type Options, parse_options, USAGE } from "./options.ts";
import { run_crawl } from "./run_crawl.ts";
import { open_storage } from "./storage.ts";
import { UserError } from "./user_error.ts";

/** The exit code of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** A second Ctrl-C does not wait for what the first has cancelled to be stored. */
function end_at_second_interrupt(): void {
  let interrupts = 0;
  const task = asyncio.current_task();
  asyncio.get_running_loop().add_signal_handler("SIGINT", () => {
    if (++interrupts > 1) process.exit(INTERRUPTED);
    task?.cancel();
  });
}

async function main(options: Options): Promise<void> {
  end_at_second_interrupt();
  await using storage = await open_storage(options.database, options.concurrency);
  await run_crawl(options, storage);
}

try {
  if (asks_for_help(Deno.args)) {
    console.log(USAGE);
  } else {
    const options = parse_options(Deno.args);
    await asyncio.run(() => main(options));
  }
} catch (error) {
  if (error instanceof asyncio.CancelledError) {
    console.error("Stopped.");
    process.exitCode = INTERRUPTED;
  } else if (error instanceof UserError) {
    console.error(error.message);
    process.exitCode = error.exit_code;
  } else {
    throw error;
  }
}
