/** A crawl as a person sees it: how far it is, and in the end what it has done. */

import { Crawl } from "./crawl.ts";
import type { Options } from "./options.ts";
import { make_progress } from "./progress.ts";
import type { Storage } from "./storage.ts";
import { summary } from "./summary.ts";

/** Crawls into a storage; however it ends, if it has begun, a summary is printed. */
export async function run_crawl(options: Options, storage: Storage): Promise<void> {
  const progress = make_progress();
  const crawl = new Crawl(options, storage, progress);
  try {
    await crawl.run();
  } finally {
    progress.stop();
    if (crawl.has_begun) console.log(summary(crawl.statistics, crawl.waiting));
  }
}
