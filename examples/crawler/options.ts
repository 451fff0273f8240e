/** The command line. */

import { parseArgs } from "node:util";
import { canonical } from "./urls.ts";
import { reason, UserError } from "./user_error.ts";

export interface Options {
  readonly start: string;
  /** How many requests at the same time at most. */
  readonly concurrency: number;
  /** Seconds between the starts of two requests to the same host. */
  readonly delay: number;
  /** How many pages the database may have in the end. */
  readonly max_pages: number;
  /** True if links to other hosts are left alone. */
  readonly same_host: boolean;
  /** Seconds that one request may take, from its start to the end of the body. */
  readonly timeout: number;
  /** How often a failed request is made again. */
  readonly retries: number;
  /** Seconds before a request is made again the first time; they double each time. */
  readonly backoff: number;
  /** The size of the largest body that is read, in bytes. */
  readonly max_size: number;
  readonly database: string;
  /** The Redis server by which many processes share a crawl. */
  readonly cluster: string | null;
  readonly resume: boolean;
}

export const USAGE = `Crawls a web site into a database.

Usage: crawl START_URL [OPTION …]

  --concurrency N   requests at the same time, at most (3)
  --delay S         seconds between two requests to the same host (1)
  --max-pages N     stop when so many pages are stored (no limit)
  --same-host       leave links to other hosts alone
  --timeout S       seconds that a request may take, with its body (30)
  --retries N       how often a failed request is made again (2)
  --backoff S       seconds before that; they double each time (1)
  --max-size BYTES  the largest body that is read (5000000)
  --database URL    sqlite:FILE or mysql://USER:PASSWORD@HOST:PORT/NAME
                    (sqlite:crawl.db)
  --cluster URL     share the crawl with all processes that name this Redis
                    server and the same mysql: database; they may come and go
  --resume          resume the crawl that is in the database
  --help, -h        this text

Ctrl-C stops it: what is stored stays stored, and --resume continues.
A second Ctrl-C stops it at once.`;

const LARGEST_DELAY = 86_400;

/** Returns whether a command line asks for help. */
export function asks_for_help(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

/** The options on a command line; throws a `UserError` if it makes no sense. */
export function parse_options(args: readonly string[]): Options {
  const { values, positionals } = parsed(args);
  if (positionals.length !== 1) {
    throw new UserError(
      `Cannot crawl as one START_URL is needed: received ${positionals.length || "none"}`,
    );
  }
  const start = canonical(positionals[0]!);
  if (start === null) {
    throw new UserError(
      `Cannot crawl as START_URL must be an http or https URL: received '${positionals[0]}'`,
    );
  }
  const { database } = values;
  if (!/^(sqlite:.|mysql:\/\/.)/.test(database)) {
    throw new UserError(
      `Cannot crawl as --database must be sqlite:FILE or mysql://…: received '${database}'`,
    );
  }
  const { cluster = null } = values;
  if (cluster !== null && !/^rediss?:\/\/./.test(cluster)) {
    throw new UserError(`Cannot crawl as --cluster must be redis://…: received '${cluster}'`);
  }
  if (cluster !== null && !database.startsWith("mysql:")) {
    throw new UserError(
      `Cannot crawl as --cluster needs --database mysql://…: received '${database}'`,
    );
  }
  return {
    start,
    concurrency: whole_number("--concurrency", values.concurrency, 1),
    delay: seconds("--delay", values.delay),
    max_pages: values["max-pages"] === undefined
      ? Infinity
      : whole_number("--max-pages", values["max-pages"], 1),
    same_host: values["same-host"],
    timeout: seconds("--timeout", values.timeout, 0.001),
    retries: whole_number("--retries", values.retries, 0),
    backoff: seconds("--backoff", values.backoff),
    max_size: whole_number("--max-size", values["max-size"], 1),
    database,
    cluster,
    resume: values.resume,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        "concurrency": { type: "string", default: "3" },
        "delay": { type: "string", default: "1" },
        "max-pages": { type: "string" },
        "same-host": { type: "boolean", default: false },
        "timeout": { type: "string", default: "30" },
        "retries": { type: "string", default: "2" },
        "backoff": { type: "string", default: "1" },
        "max-size": { type: "string", default: "5000000" },
        "database": { type: "string", default: "sqlite:crawl.db" },
        "cluster": { type: "string" },
        "resume": { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UserError(`Cannot crawl: ${reason(error)}`);
  }
}

function whole_number(name: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UserError(
    `Cannot crawl as ${name} must be a whole number from ${least} on: received '${text}'`,
  );
}

function seconds(name: string, text: string, least = 0): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value >= least && value <= LARGEST_DELAY) return value;
  throw new UserError(
    `Cannot crawl as ${name} must be seconds, from ${least} to ${LARGEST_DELAY}: received '${text}'`,
  );
}
