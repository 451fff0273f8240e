// A crawler: workers, limits, timeouts, transactions, on a generated site.
// Run it: deno run --allow-net=127.0.0.1 examples/crawler/demo.ts

import * as asyncio from "../../mod.ts";
import { parse_options } from "./options.ts";
import { run_crawl } from "./run_crawl.ts";
import { Site } from "./site/serve.ts";
import { open_storage } from "./storage.ts";
import { table_of_pages } from "./summary.ts";

const OPTIONS = [
  "--max-pages=300",
  "--delay=0.01",
  "--backoff=0.1",
  "--database=sqlite::memory:",
];

async function main() {
  await using site = new Site({ seed: 17 });
  const options = parse_options([site.url, ...OPTIONS]);
  const { database, concurrency } = options;
  await using storage = await open_storage(database, concurrency);
  console.log(`crawl ${site.url}\n  ${OPTIONS.join(" ")}`);
  await run_crawl(options, storage);
  console.log(table_of_pages(await storage.first_rows(8)));
}

await asyncio.run(main);
