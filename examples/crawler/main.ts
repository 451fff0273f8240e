/**
 * A crawler: a web site into a database.
 *
 * ```sh
 * deno task crawl https://example.com/ --same-host --max-pages 100
 * ```
 */

import process from "node:process";
import * as asyncio from "../../mod.ts";
import { Crawl } from "./crawl.ts";
import { type Options, parse_options, USAGE } from "./options.ts";
import { make_progress } from "./progress.ts";
import { open_storage } from "./storage.ts";
import { summary } from "./summary.ts";
import { UserError } from "./user_error.ts";

/** The exit code of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

async function main(options: Options): Promise<void> {
  await using storage = await open_storage(options.database, options.concurrency);
  const progress = make_progress();
  const crawl = new Crawl(options, storage, progress);
  try {
    await crawl.run();
  } finally {
    progress.stop();
    if (crawl.has_begun) console.log(summary(crawl.statistics, crawl.waiting));
  }
}

try {
  const options = parse_options(Deno.args);
  if (options === null) console.log(USAGE);
  else await asyncio.run(() => main(options));
} catch (error) {
  if (error instanceof asyncio.KeyboardInterrupt) {
    console.error("Stopped.");
    process.exitCode = INTERRUPTED;
  } else if (error instanceof UserError) {
    console.error(error.message);
    process.exitCode = error.exit_code;
  } else {
    throw error;
  }
}
