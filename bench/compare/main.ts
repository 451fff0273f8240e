/**
 * The comparison: this library beside the smallest loop that could do its work, CPython and other JavaScript libraries, on one machine in one run.
 *
 * ```sh
 * deno task bench:compare
 * deno task bench:compare --rounds 5 --only W1,W4 --contestants library,floor,cpython
 * ```
 *
 * A run of everything also measures how cost grows, latency under load and servers, and writes results.md, results.svg and
 * growth.svg beside this file; `--output DIR` writes the results of any run there.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { entries_of, read_command_line, whole_number } from "../../scripts/command_line.ts";
import { type Contestant, CONTESTANTS } from "./contestants.ts";
import { growth_svg, growth_table, measure_growth } from "./growth.ts";
import { latency_table, measure_latency } from "./latency.ts";
import { measure_network, network_table } from "./network.ts";
import { to_svg } from "./picture.ts";
import { to_markdown } from "./report.ts";
import { measure_all, type Ready } from "./rounds.ts";
import { WORKLOADS } from "./workloads.ts";

const { options, rounds, workloads, contestants } = read_command_line("compare", read_options);
const ready = await find_all(contestants);

const seconds: string[] = [];
const figures = await timed("workloads", () => measure_all(ready, workloads, rounds, tell));
const parts = [
  to_markdown(figures, workloads, ready),
  `Medians of ${rounds} rounds, of fewer where there is no goal. The ratio is the median of the rounds' ratios.\n`,
];
const pictures = new Map([
  ["results.svg", to_svg(figures, workloads, ready.map(({ contestant }) => contestant))],
]);
const is_all = options.only === undefined && options.contestants === undefined;
if (is_all) {
  const growth = await timed("growth", () => measure_growth(tell));
  pictures.set("growth.svg", growth_svg(growth));
  parts.push("## Cost as work grows\n", growth_table(growth));
  const latency = await timed("latency", () => measure_latency(tell));
  parts.push("## Latency under load\n", latency_table(latency));
  const network = await timed("servers", () => measure_network(tell, { rounds }));
  parts.push("## Servers, by their CPU time\n", network_table(network));
}
tell("");
parts.push(`Taken in ${Math.round(performance.now() / 1000)} s: ${seconds.join(", ")}.\n`);
const markdown = parts.join("\n");
console.log(markdown);

const output = options.output ?? (is_all ? new URL(".", import.meta.url).pathname : null);
if (output !== null) {
  await Deno.mkdir(output, { recursive: true });
  await Deno.writeTextFile(`${output}/results.md`, `# Results\n\n${markdown}`);
  for (const [name, picture] of pictures) await Deno.writeTextFile(`${output}/${name}`, picture);
}

async function timed<T>(part: string, measure: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const measured = await measure();
  seconds.push(`${part} ${Math.round((performance.now() - began) / 1000)} s`);
  return measured;
}

function read_options() {
  const { values: options } = parseArgs({
    args: Deno.args,
    options: {
      rounds: { type: "string", default: "3" },
      only: { type: "string" },
      contestants: { type: "string" },
      output: { type: "string" },
    },
  });
  return {
    options,
    rounds: whole_number("rounds", options.rounds, 1),
    workloads: chosen(WORKLOADS, options.only, "only"),
    contestants: chosen(CONTESTANTS, options.contestants, "contestants"),
  };
}

function chosen<T extends { readonly id: string }>(
  list: readonly T[],
  ids: string | undefined,
  option: string,
): readonly T[] {
  if (ids === undefined) return list;
  const wanted = entries_of(option, ids, list.map(({ id }) => id));
  return list.filter(({ id }) => wanted.includes(id));
}

async function find_all(contestants: readonly Contestant[]): Promise<Ready[]> {
  const found: Ready[] = [];
  for (const contestant of contestants) {
    const runner = await contestant.find();
    if (runner === null) console.error(`${contestant.title}: cannot run on this machine`);
    else found.push({ contestant, runner });
  }
  return found;
}

function tell(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}
