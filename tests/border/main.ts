/**
 * Random programs that mix the library's blocks with native JavaScript, judged by invariants.
 *
 * `deno run -A tests/border/main.ts --count 20000 --seed 7` runs that many programs over all profiles,
 * `--profile` of some alone; `--host node` or `--host bun` runs them there, bundled;
 * `--no-async-context` takes the host's asynchronous context away. `--show SEED` with a profile prints
 * one program with its trace. Ends with exit code 1 and some of the broken programs, made smaller, if
 * there are any; after `--enough` of them there is nothing to learn from more.
 */

import { Worker } from "node:worker_threads";
import { parseArgs } from "node:util";
import process from "node:process";
import { case_of } from "./cases.ts";
import { PROFILE_NAMES, type ProfileName, PROFILES } from "./profiles.ts";
import { entries_of, read_command_line, whole_number } from "../../scripts/command_line.ts";
import type { Job, Message } from "./worker.ts";

/** A program that is found running so many times, a second apart, hangs: time in which the process is stopped is none. */
const PATIENCE = 10;
const LOOK_EVERY = 1000;

interface Options {
  count: number;
  seed: number;
  profiles: readonly ProfileName[];
  jobs: number;
  shrinks: number;
  enough: number;
  async_context: boolean;
  host: string | null;
  show: number | null;
}

function read_options(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      profile: { type: "string", multiple: true },
      jobs: { type: "string", default: "2" },
      shrinks: { type: "string", default: "8" },
      enough: { type: "string", default: "200" },
      host: { type: "string" },
      show: { type: "string" },
      "no-async-context": { type: "boolean", default: false },
    },
  });
  const async_context = !values["no-async-context"];
  const usable = PROFILE_NAMES.filter((name) => async_context || !PROFILES[name].needs_context);
  const profiles = values.profile === undefined
    ? usable
    : entries_of("profile", values.profile.join(","), PROFILE_NAMES);
  return {
    count: whole_number("count", values.count),
    seed: whole_number("seed", values.seed),
    profiles,
    jobs: whole_number("jobs", values.jobs, 1),
    shrinks: whole_number("shrinks", values.shrinks),
    enough: whole_number("enough", values.enough),
    async_context,
    host: values.host ?? null,
    show: values.show === undefined ? null : whole_number("show", values.show),
  };
}

/** What was found of each kind, and some of it in full. */
class Findings {
  broken = 0;
  /** How many programs were generated up to the first of them. */
  first = Infinity;
  readonly #invariants = new Map<string, number>();
  readonly #profiles = new Map<string, number>();

  add({ index, profile, seed, invariant, detail, text }: Message & { kind: "broken" }): void {
    this.broken++;
    this.first = Math.min(this.first, index + 1);
    this.#invariants.set(invariant, (this.#invariants.get(invariant) ?? 0) + 1);
    this.#profiles.set(profile, (this.#profiles.get(profile) ?? 0) + 1);
    if (text === null) return;
    console.log(
      `\n=== ${invariant}: profile ${profile}, seed ${seed}: ${detail}; made smaller\n\n${text}`,
    );
  }

  summary(): string {
    const list = (counts: Map<string, number>) =>
      [...counts].toSorted((a, b) => b[1] - a[1]).map(([name, n]) => `${name} ${n}`).join(", ");
    return this.broken === 0
      ? ""
      : `broken: ${list(this.#invariants)}\nin: ${
        list(this.#profiles)
      }\nfirst: program ${this.first}\n`;
  }
}

/** Runs every n-th program in a worker, and in a new one from the next on when one hangs. */
async function run_worker(options: Options, offset: number, findings: Findings): Promise<void> {
  const { profiles, seed, count, jobs, shrinks, enough, async_context } = options;
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.mjs";
  let from = offset;
  while (from < count) {
    const progress = new Int32Array(new SharedArrayBuffer(4));
    progress[0] = from;
    const job: Job = {
      profiles,
      seed,
      from,
      to: count,
      step: jobs,
      progress,
      shrinks,
      async_context,
    };
    const worker = new Worker(new URL(file, import.meta.url), { workerData: job });
    let last = -1;
    let looks = 0;
    const ended = await new Promise<"done" | Error | "hangs">((resolve) => {
      worker.on("message", (message: Message) => {
        if (message.kind === "broken") findings.add(message);
        if (message.kind === "done" || findings.broken >= enough) resolve("done");
        // To make a program smaller takes its time.
        looks = 0;
      });
      worker.on("error", (error) => resolve(error as Error));
      const look = setInterval(() => {
        if (progress[0] !== last) {
          last = progress[0]!;
          looks = 0;
        } else if (++looks > PATIENCE) resolve("hangs");
      }, LOOK_EVERY);
      worker.on("exit", (code) => {
        clearInterval(look);
        resolve(new Error(`the worker ended with code ${code}`));
      });
    });
    await worker.terminate();
    if (ended === "done") return;
    const index = progress[0]!;
    const text = ended === "hangs"
      ? `no end within ${PATIENCE * LOOK_EVERY / 1000} seconds of the host's time; see --show`
      : String(ended.stack ?? ended);
    const invariant = ended === "hangs" ? "hangs" : "crash";
    const detail = text.split("\n")[0]!;
    findings.add({
      kind: "broken",
      index,
      ...case_of(profiles, seed, index),
      invariant,
      detail,
      text,
    });
    from = index + jobs;
  }
}

async function main(options: Options): Promise<number> {
  const start = performance.now();
  const findings = new Findings();
  await Promise.all(
    Array.from({ length: options.jobs }, (_, offset) => run_worker(options, offset, findings)),
  );
  const seconds = (performance.now() - start) / 1000;
  const done = findings.broken < options.enough ? `${options.count} programs` : "stopped";
  const rate = Math.round(options.count / seconds);
  const speed = findings.broken < options.enough ? ` (${rate} programs a second)` : "";
  console.log(`${findings.summary()}${done}, ${findings.broken} broken${speed}`);
  return findings.broken > 0 ? 1 : 0;
}

async function show({ profiles, show, async_context }: Options): Promise<number> {
  const worker = new Worker(
    new URL(import.meta.url.endsWith(".ts") ? "./show.ts" : "./show.mjs", import.meta.url),
    { workerData: { profile: profiles[0], seed: show, async_context } },
  );
  return await new Promise((resolve) => {
    worker.on("message", (text: string) => {
      console.log(text);
      resolve(0);
    });
  });
}

const options = read_command_line("border", () => read_options(process.argv.slice(2)));
if (options.host !== null) {
  const { host } = options;
  const { command_of, run_on_host } = await import("./hosts.ts");
  const command = read_command_line("border", () => command_of(host));
  process.exit(await run_on_host(command, process.argv.slice(2)));
}
process.exit(await (options.show === null ? main(options) : show(options)));
