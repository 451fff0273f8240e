/** This crawler without anything to look at; prints how many seconds it took. */

import * as asyncio from "../../../mod.ts";
import { Crawl } from "../crawl.ts";
import { parse_options } from "../options.ts";
import { SILENT } from "../progress.ts";
import { open_storage } from "../storage.ts";

const options = parse_options(Deno.args);
const begun = performance.now();
await asyncio.run(async () => {
  await using storage = await open_storage(options.database, options.concurrency);
  await new Crawl(options, storage, SILENT).run();
});
console.log((performance.now() - begun) / 1000);
