/**
 * `WorkerPoolExecutor` beside piscina, tinypool and workerpool, on Node.js: what an empty call costs, how
 * well two processors are used, and how fast buffers are moved.
 *
 * ```sh
 * deno task bench:pools
 * deno task bench:pools --node 26 --rounds 5
 * ```
 *
 * @module
 */

import { parseArgs } from "node:util";
import { read_command_line, whole_number } from "../../scripts/command_line.ts";
import { Installation } from "./installation.ts";

interface Results {
  readonly calls: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly busy: Readonly<Record<"one" | "two" | "plain_one" | "plain_two", number>>;
  readonly moved: { readonly transferred: number; readonly copied: number };
}

const OWN = "WorkerPoolExecutor";
const { node, rounds } = read_command_line("pools", () => {
  const { values } = parseArgs({
    args: Deno.args,
    options: { node: { type: "string" }, rounds: { type: "string", default: "15" } },
  });
  const version = values.node;
  return {
    node: version === undefined ? ["node"] as const : ["npx", "-y", `node@${version}`] as const,
    rounds: whole_number("rounds", values.rounds, 1),
  };
});
const FILES = ["program.ts", "work.ts", "piscina_worker.ts", "workerpool_worker.ts"];

await using installation = await Installation.make(
  FILES.map((file) => new URL(file, import.meta.url)),
);
const { calls, busy, moved }: Results = JSON.parse(
  await installation.run("program", [String(rounds)], node),
);

for (const [how, times] of Object.entries(calls)) {
  const { [OWN]: own = NaN } = times;
  const best = Math.min(
    ...Object.entries(times).map(([name, time]) => name === OWN ? Infinity : time),
  );
  console.log(
    `An empty call, ${how}: ${(own / best).toFixed(2)} of the best other pool (goal 1.3)`,
  );
  for (const [name, time] of Object.entries(times)) {
    console.log(`  ${name.padEnd(20)}${(time * 1e6).toFixed(1).padStart(8)} µs`);
  }
}
console.log(
  `Two busy calls in two workers: ${
    (busy.two / busy.one).toFixed(2)
  } of the time of one (goal 1.15), ` +
    `in two threads without a pool ${(busy.plain_two / busy.plain_one).toFixed(2)}`,
);
console.log(
  `Buffers of 10 MB: ${moved.transferred.toFixed(0)} MB/s transferred (goal 100), ` +
    `${moved.copied.toFixed(0)} MB/s copied`,
);
