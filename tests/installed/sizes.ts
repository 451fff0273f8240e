/** What a page that uses the package has to load. */

import { build } from "esbuild";
import project from "../../deno.json" with { type: "json" };
import type { Installation } from "./installation.ts";

/** A bundle of one small program. */
interface Size {
  /** In bytes, with short names. */
  minified: number;
  /** In bytes, as a server sends it. */
  compressed: number;
  /** The modules of the library that something of is in it, such as `src/core/tasks`. */
  modules: string[];
}

async function compress(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).bytes()).length;
}

/** Bundles a program in a folder where the package is installed. */
async function measure(program: string, folder: string): Promise<Size> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const modules = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path.match(/((?:src\/[\w/]*)|\w+)\.js$/)?.[1])
    .filter((module) => module !== undefined);
  const bytes = new Uint8Array(outputFiles[0].contents);
  return { minified: bytes.length, compressed: await compress(bytes), modules: modules.sort() };
}

/** Small programs, and modules of which nothing may be in their bundles. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  [`export * from "${project.name}";`]: [],
  [`import { sleep } from "${project.name}"; await sleep(1);`]: [
    "src/async_generators",
    "src/itertools",
    "src/locks",
    "src/queues",
    "src/loop/runners",
    "src/staggered",
    "src/taskgroups",
    "src/testing/virtual_clock",
  ],
  [`import { run, sleep, TaskGroup } from "${project.name}"; await run(sleep(1)); new TaskGroup();`]:
    [
      "src/itertools",
      "src/locks",
      "src/queues",
      "src/staggered",
      "src/testing/virtual_clock",
    ],
};

/** Says how much small programs make a page load, and that they leave out what they do not use. */
export async function check_sizes({ folder }: Installation): Promise<void> {
  for (const [program, unused] of Object.entries(PROGRAMS)) {
    const { minified, compressed, modules } = await measure(program, folder);
    const surplus = unused.filter((module) => modules.includes(module));
    if (surplus.length > 0) throw new Error(`In the bundle of ${program}: ${surplus.join(", ")}`);
    console.log(`${minified} bytes, ${compressed} compressed: ${program}`);
  }
}
