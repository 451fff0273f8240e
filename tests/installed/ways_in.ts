/** The ways in that `docs/installation.md` shows, each run as written there, in an empty folder. */

import { basename } from "node:path";
import { ENTRY_POINTS } from "../../scripts/entry_points.ts";
import { launch_chromium } from "../chromium.ts";
import { type Block, read } from "../docs/document.ts";
import { run, start } from "./commands.ts";
import { TIME_LIMIT } from "./hosts.ts";
import { find_runtime } from "./runtimes.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const GUIDE = "docs/installation.md";

/** Where the guide says that the clone is served. */
const PORT = 8127;

/** A section of the guide. */
interface Way {
  readonly name: string;
  /** The files that it shows, by their names. */
  readonly files: ReadonlyMap<string, string>;
  readonly commands: readonly string[];
  /** What the program prints at last. */
  readonly output: string;
}

async function read_ways(): Promise<Way[]> {
  const sections = Map.groupBy((await read(GUIDE)).blocks, ({ heading }) => heading);
  return [...sections].map(([name, blocks]) => {
    const of_language = (language: string) =>
      blocks.filter((block) => block.language === language).map(({ code }) => code);
    const file_name = ({ meta }: Block) => meta.split(" ")[0] ?? "";
    const files = blocks.filter((block) => file_name(block).includes("."));
    const [output, ...more] = of_language("text");
    if (output === undefined || more.length > 0) {
      throw new Error(`Cannot run "${name}" of ${GUIDE}: it has not one output`);
    }
    return {
      name,
      files: new Map(files.map((block) => [file_name(block), `${block.code}\n`])),
      commands: of_language("sh"),
      output,
    };
  });
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  ts: "application/typescript",
};

/** Serves the files of a folder. */
function serve(folder: string, port: number): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const path = pathname === "/" ? "/index.html" : pathname;
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
    const file = await Deno.readFile(`${folder}${path}`).catch(() => null);
    if (type === undefined || file === null) return new Response(null, { status: 404 });
    return new Response(file, { headers: { "content-type": type } });
  });
}

/** Opens the page of a folder until it prints a line, or throws. */
async function open_page(folder: string): Promise<string> {
  const server = serve(folder, 0);
  const browser = await launch_chromium();
  try {
    const page = await browser.newPage();
    const { promise, resolve } = Promise.withResolvers<string>();
    page.on("console", (message) => {
      // A page without an icon is told so.
      if (message.type() === "log") resolve(message.text());
    });
    page.on("pageerror", (error) => resolve(String(error)));
    const timer = setTimeout(() => resolve("the page prints nothing"), TIME_LIMIT);
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    const printed = await promise;
    clearTimeout(timer);
    return printed;
  } finally {
    await browser.close();
    await server.shutdown();
  }
}

/** Makes what stands beside each folder: the clone with the package, and a folder of the runtimes. */
async function prepare(packed: string, work: string): Promise<string> {
  const clone = `${work}/asyncio`;
  await Deno.mkdir(clone, { recursive: true });
  for (const name of ["src", ...ENTRY_POINTS.map(({ file }) => basename(file.pathname))]) {
    await Deno.symlink(`${ROOT}${name}`, `${clone}/${name}`);
  }
  if (packed.endsWith(".tgz")) await Deno.copyFile(packed, `${clone}/${basename(packed)}`);
  else await run("npm", ["pack", "--pack-destination", clone], packed);
  const programs = `${work}/programs`;
  await Deno.mkdir(programs);
  await Deno.symlink(Deno.execPath(), `${programs}/deno`);
  await Deno.symlink(await find_runtime("bun", work), `${programs}/bun`);
  return programs;
}

/** Runs one way; gives what it printed at last. */
async function run_way({ files, commands }: Way, folder: string, programs: string) {
  await Deno.mkdir(folder);
  for (const [name, text] of files) await Deno.writeTextFile(`${folder}/${name}`, text);
  let printed = "";
  for (const command of commands) {
    // A cache of its own: what Deno has loaded from this address before may be of another day.
    const script = `set -e\nPATH=${programs}:$PATH\nexport DENO_DIR=${folder}/.deno\n${command}`;
    const { success, output, stdout } = await start("bash", ["-c", script], folder);
    if (!success) return output;
    printed = stdout;
  }
  if (!files.has("index.html")) return printed;
  const is_built = await Deno.stat(`${folder}/dist`).then(() => true, () => false);
  return await open_page(is_built ? `${folder}/dist` : folder);
}

/** Runs all ways with a package, a tarball or a folder. */
export async function check_ways_in(packed: string, work: string): Promise<void> {
  const programs = await prepare(packed, work);
  await using _server = serve(`${work}/asyncio`, PORT);
  for (const [index, way] of (await read_ways()).entries()) {
    const printed = await run_way(way, `${work}/${index}`, programs);
    if (!printed.trimEnd().endsWith(way.output)) {
      throw new Error(`${GUIDE}, ${way.name}: not "${way.output}" but:\n${printed}`);
    }
    console.log(`${way.name}: as written`);
  }
}
