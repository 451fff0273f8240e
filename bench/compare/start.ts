/**
 * Measures the CPU time of a fresh process that imports the library, less that of an empty program: from source on
 * Deno, and from the npm package, by its modules and by its bundles. Beside it the same number of modules of one line
 * each, which shows the host's cost per module.
 *
 * ```sh
 * deno run -A bench/compare/start.ts                      # --rounds 20 --hosts deno,node
 * ```
 *
 * @module
 */

import { parseArgs } from "node:util";
import { entries_of, read_command_line, whole_number } from "../../scripts/command_line.ts";
import { loaded_by, pack } from "../../scripts/pack.ts";
import { HOSTS } from "./network.ts";
import { markdown_table } from "./table.ts";

const SOURCE = new URL("../../mod.ts", import.meta.url).pathname;

/** A program that is launched, and what it takes. */
interface Launched {
  readonly command: readonly string[];
  readonly milliseconds: number[];
}

// Deno does not report the CPU time of a child; bash does.
const TIME = 'TIMEFORMAT="%3U %3S"; time "$@" >/dev/null 2>&1';

async function launch(command: readonly string[]): Promise<number> {
  const { stderr } = await new Deno.Command("bash", { args: ["-c", TIME, "bash", ...command] })
    .output();
  const [user = NaN, system = NaN] = new TextDecoder().decode(stderr).trim().split(" ").map(Number);
  return (user + system) * 1000;
}

/** Writes the programs to a folder; returns their names and paths. */
async function write_programs(folder: string): Promise<[string, string][]> {
  const packed = await pack(folder);
  await new Deno.Command("tar", { args: ["xzf", packed, "-C", folder] }).output();
  const library = `${folder}/package`;
  const modules = await loaded_by(`${library}/mod.js`);
  const imports = Array.from({ length: modules.size }, (_, i) => `import "./one_line_${i}.js";\n`);
  for (const i of imports.keys()) {
    await Deno.writeTextFile(`${folder}/one_line_${i}.js`, `export const value_${i} = ${i};\n`);
  }
  await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }\n');
  await Deno.writeTextFile(`${folder}/empty.js`, "");
  await Deno.writeTextFile(`${folder}/one_line.js`, imports.join(""));
  return [
    ["empty", `${folder}/empty.js`],
    [`${modules.size} modules of one line`, `${folder}/one_line.js`],
    ["source", SOURCE],
    ["package, modules", `${library}/mod.js`],
    ["package, bundles", `${library}/bundled/mod.js`],
  ];
}

function read_options() {
  const { values } = parseArgs({
    args: Deno.args,
    options: { rounds: { type: "string", default: "20" }, hosts: { type: "string" } },
  });
  const hosts = Object.keys(HOSTS);
  return {
    rounds: whole_number("rounds", values.rounds, 1),
    ids: values.hosts === undefined ? hosts : entries_of("hosts", values.hosts, hosts),
  };
}

if (import.meta.main) {
  const { rounds, ids } = read_command_line("start", read_options);
  const folder = await Deno.makeTempDir({ prefix: "asyncio_start_" });
  try {
    const programs = await write_programs(folder);
    const launched = new Map<string, Launched>();
    for (const id of ids) {
      const runner = await HOSTS[id]!.find();
      if (runner === null) continue;
      for (const [name, path] of programs) {
        if (name === "source" && id !== "deno") continue;
        launched.set(`${id} ${name}`, { command: [...runner, path], milliseconds: [] });
      }
    }
    const all = [...launched.values()];
    for (const { command } of all) await launch(command); // fills the caches
    for (let round = 0; round < rounds; round++) {
      console.error(`start: round ${round + 1}`);
      for (const i of all.keys()) {
        const { command, milliseconds } = all[(i + round) % all.length]!;
        milliseconds.push(await launch(command));
      }
    }
    const time = (id: string, name: string): number | null => {
      const taken = launched.get(`${id} ${name}`)?.milliseconds.toSorted((a, b) => a - b);
      return taken?.[taken.length >> 1] ?? null;
    };
    const rows = ids.map((id) => {
      const [[empty], ...others] = programs as [[string, string], ...[string, string][]];
      const base = time(id, empty);
      const above = others.map(([name]) => {
        const taken = time(id, name);
        return taken === null || base === null ? "" : `${(taken - base).toFixed(1)} ms`;
      });
      return [HOSTS[id]!.title, `${base?.toFixed(1) ?? ""} ms`, ...above];
    });
    console.log(markdown_table(["host", ...programs.map(([name]) => name)], rows));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
