/** Crawls inside a test: with a database of their own, without delays. */

import * as asyncio from "../../../mod.ts";
import { Crawl } from "../crawl.ts";
import { type Options, parse_options } from "../options.ts";
import { type Progress, SILENT } from "../progress.ts";
import { open_storage, type Storage } from "../storage.ts";

/** Options as a person would give them, for a server that is nobody else's. */
export function options(start: string, changes: Partial<Options> = {}): Options {
  const args = [start, "--delay", "0", "--backoff", "0.01", "--concurrency", "8"];
  return { ...parse_options(args), ...changes };
}

export interface Watch {
  readonly progress?: Progress;
  /** Cancels the crawl when it is aborted. */
  readonly signal?: AbortSignal;
  /** Puts itself between the crawl and its storage. */
  readonly watch_storage?: (storage: Storage) => Storage;
}

/** Crawls to the end; gives the crawl, with its statistics. */
export function crawl(
  options: Options,
  { progress = SILENT, signal, watch_storage = (storage) => storage }: Watch = {},
): Promise<Crawl> {
  return asyncio.run(async () => {
    await using storage = await open_storage(options.database, options.concurrency);
    const crawl = new Crawl(options, watch_storage(storage), progress);
    await crawl.run();
    return crawl;
  }, { signal: signal ?? null });
}

/** A directory for a database, removed at the end of the block. */
export class Directory implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "crawler-" });
  readonly database = `sqlite:${this.path}/crawl.db`;

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }

  /** The names of the files that are in it. */
  files(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }
}
