/** A crawl as a person sees it: how far it is, and in the end what it has done. */

import { Crawl } from "./crawl.ts";
import type { Options } from "./options.ts";
import { make_progress, type Progress } from "./progress.ts";
import type { Storage } from "./storage.ts";
import { summary } from "./summary.ts";

/** Crawls into a storage; however it ends, if it has begun, a summary is printed. */
export async function run_crawl(options: Options, storage: Storage): Promise<void> {
  const progress = make_progress();
  const crawl = await make_crawl(options, storage, progress);
  try {
    await crawl.run();
  } finally {
    progress.stop();
    if (crawl.has_begun) console.log(summary(crawl.statistics, crawl.waiting));
  }
}

/** What a crawl alone needs does not include Redis: its client is loaded only for many processes. */
async function make_crawl(options: Options, storage: Storage, progress: Progress) {
  if (options.cluster === null) return new Crawl(options, storage, progress);
  const { ClusterCrawl } = await import("./cluster/crawl.ts");
  return await ClusterCrawl.open(options.cluster, options, storage, progress);
}
