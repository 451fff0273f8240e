/**
 * A worker of a queue in Redis.
 *
 * ```sh
 * deno task worker --queue redis://127.0.0.1:6379 --concurrency 10
 * ```
 */

import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as asyncio from "../../mod.ts";
import { parsed, whole_number } from "../seed/support/command_line.ts";
import { DEFAULT_QUEUE } from "./calls.ts";
import { QueueWorker } from "./queue_worker.ts";

const USAGE = `Makes the calls that executors submit to a queue in Redis.

Usage: worker --queue redis://[:PASSWORD@]HOST:PORT [OPTION …]

  --queue URL      the Redis server
  --name NAME      the name of the queue (${DEFAULT_QUEUE})
  --module FILE    the module whose exports are called (work.ts of this example)
  --concurrency N  calls at the same time, at most (1)
  --threads        makes the calls in threads: for functions that compute
  --lock S         seconds after which the calls of a worker that died are given to others (30)
  --help           this text

SIGTERM and Ctrl-C let the calls that run end, and take no more. The second one ends the worker at once; its
calls are given to others after a while.`;

/** The exit codes of a program that SIGINT and SIGTERM ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

const options = parsed(() => {
  const { values } = parseArgs({
    options: {
      queue: { type: "string" },
      name: { type: "string", default: DEFAULT_QUEUE },
      module: { type: "string" },
      concurrency: { type: "string", default: "1" },
      threads: { type: "boolean", default: false },
      lock: { type: "string", default: "30" },
      help: { type: "boolean", default: false },
    },
  });
  if (!values.help && !URL.canParse(values.queue ?? "")) {
    throw new TypeError(`--queue must be redis://…: received '${values.queue ?? ""}'`);
  }
  return {
    ...values,
    queue: values.queue ?? "",
    concurrency: whole_number("--concurrency", values.concurrency, 1),
    lock: whole_number("--lock", values.lock, 1),
    module: values.module === undefined
      ? new URL("./work.ts", import.meta.url)
      : pathToFileURL(values.module),
  };
});

async function main(): Promise<void> {
  const { queue, name, concurrency, threads, lock } = options;
  const module = await import(options.module.href);
  await using pool = threads
    ? new asyncio.WorkerPoolExecutor(options.module, { max_workers: concurrency })
    : null;
  const end = new asyncio.Event();
  const loop = asyncio.get_running_loop();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    loop.add_signal_handler(signal, () => {
      if (end.is_set()) process.exit(EXIT_CODES[signal]);
      console.error(`Finishing ${worker.running} calls; a second ${signal} ends them at once.`);
      end.set();
    });
  }
  await using worker = await QueueWorker.start(module, queue, {
    queue: name,
    concurrency,
    lock,
    ...(pool === null ? {} : { pool }),
  });
  console.error(`Serves ${Object.keys(module).length} exports, ${concurrency} calls at a time.`);
  await end.wait();
}

if (options.help) console.log(USAGE);
else {
  await asyncio.run(main).catch((error) => {
    if (!error.message.startsWith("Cannot reach")) throw error;
    console.error(error.message);
    process.exitCode = 2;
  });
}
