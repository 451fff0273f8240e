/** The programs of `examples/seed/`, each run as a program of its own, print what CPython prints. */

import { strict as assert } from "node:assert";
import { expected_file, type Run, RUNS } from "./seed/runs.ts";

const PROGRAMS = new URL("../examples/seed/", import.meta.url);
const IMPORT_MAP = new URL("./seed/virtual/import_map.json", import.meta.url);

/** How many programs run at the same time. */
const CONCURRENCY = 4;

/** A program that hangs is ended after this many milliseconds. */
const TIME_LIMIT = 30_000;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function execute({ program, args, virtual }: Run): Promise<Outcome> {
  const time = virtual ? [`--import-map=${IMPORT_MAP}`] : [];
  const file = new URL(`${program}.ts`, PROGRAMS).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-lock", "--quiet", ...time, file, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill(), TIME_LIMIT);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function execute_all(runs: readonly Run[]): Promise<Map<Run, Outcome>> {
  const outcomes = new Map<Run, Outcome>();
  const left = runs.values();
  const worker = async () => {
    for (const run of left) outcomes.set(run, await execute(run));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return outcomes;
}

/** What is compared of an output: `tests/seed/README.md` has the rules. */
function comparable(output: string, { virtual }: Run): string {
  const spelled = output.replaceAll("True", "true").replaceAll("False", "false");
  return virtual ? spelled : spelled.replaceAll(/\d+\.\d+(?= seconds)/g, "_");
}

function title({ program, args }: Run): string {
  return [program, ...args].join(" ");
}

Deno.test("each program prints what CPython prints", async (t) => {
  for (const [run, { code, stdout, stderr }] of await execute_all(RUNS)) {
    await t.step(title(run), async () => {
      assert.equal(stderr, "");
      assert.equal(code, 0);
      const expected = await Deno.readTextFile(expected_file(run));
      assert.equal(comparable(stdout, run), comparable(expected, run));
    });
  }
});

Deno.test("a bad command line is answered by one line and exit code 2", async (t) => {
  const bad = [
    ["chained", "three"],
    ["chained", "--seed", "-1"],
    ["chained", "--sead", "1"],
    ["async_queue", "-p", "0"],
    ["async_queue", "--ncon", "many"],
    ["async_queue", "-c"],
    ["async_queue", "1"],
  ];
  const runs = bad.map(([program = "", ...args]) => ({
    program,
    args,
    virtual: false,
    documented: false,
  }));
  for (const [run, { code, stdout, stderr }] of await execute_all(runs)) {
    await t.step(title(run), () => {
      assert.match(stderr, /^Bad command line: .+\n$/);
      assert.equal(stdout, "");
      assert.equal(code, 2);
    });
  }
});

Deno.test("every program is compared, and every recorded output is used", () => {
  const names = (folder: URL, extension: string) =>
    [...Deno.readDirSync(folder)]
      .filter(({ isFile }) => isFile)
      .map(({ name }) => name)
      .filter((name) => name.endsWith(extension))
      .sort();
  const programs = new Set(RUNS.map(({ program }) => `${program}.ts`));
  assert.deepEqual([...programs].sort(), names(PROGRAMS, ".ts"));
  const recorded = RUNS.map((run) => expected_file(run).pathname.split("/").at(-1));
  assert.deepEqual(recorded.sort(), names(new URL(".", expected_file(RUNS[0]!)), ".txt"));
});
