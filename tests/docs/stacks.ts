/** What programs print on each host, and the stack of an error in debug mode there. */

import { transform } from "esbuild";
import { CHROMIUM, launch_chromium } from "../chromium.ts";
import { ROOT } from "./document.ts";

/** The program; what it shows it gives to `show`. */
const PROGRAM = `
import * as asyncio from "./lib/mod.js";

async function fetch_page(number) {
  await asyncio.sleep(0.01);
  throw new Error(\`page \${number} is gone\`);
}

async function fetch_all() {
  await asyncio.async_with(asyncio.timeout(1), async function limited() {
    await asyncio.gather(asyncio.create_task(() => fetch_page(1), { name: "page" }));
  });
}

async function main() {
  try {
    await asyncio.create_task(fetch_all);
  } catch (error) {
    show(error.stack);
  }
}

await asyncio.run(main, { debug: true });
`;

/** A stack as the page shows it: lines in the place of files. */
function outline_of(stack: string): string {
  return stack.trimEnd().replaceAll(
    / ?\(?(?:file:|http:)?\/\S*program\.js:(\d+):\d+\)?/g,
    " line $1",
  );
}

/** What a program has printed, and the exit code of its process. */
export interface Ended {
  readonly code: number;
  readonly text: string;
}

/** Writes the library, a module for each of its modules, and the program into a folder. */
async function write_program(folder: string, program: string): Promise<void> {
  async function copy(path: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(new URL(path, ROOT))) {
      if (isDirectory) await copy(`${path}${name}/`);
      else if (name.endsWith(".ts")) await compile(path + name);
    }
  }
  async function compile(path: string): Promise<void> {
    const source = await Deno.readTextFile(new URL(path, ROOT));
    const { code } = await transform(source, { loader: "ts", target: "es2022" });
    const file = `${folder}/lib/${path.replace(/\.ts$/, ".js")}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, code.replaceAll(/((?:from|import) "\.[^"]*)\.ts"/g, '$1.js"'));
  }
  await copy("src/");
  await compile("mod.ts");
  await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
  await Deno.writeTextFile(`${folder}/program.js`, program);
}

async function run(folder: string, command: string, ...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args, `${folder}/program.js`],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function run_in_chromium(folder: string): Promise<Ended> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") {
      const page = '<!doctype html><script type="module" src="program.js"></script>';
      return new Response(page, { headers: { "content-type": "text/html" } });
    }
    try {
      const text = await Deno.readTextFile(folder + pathname);
      return new Response(text, { headers: { "content-type": "text/javascript" } });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
  const browser = await launch_chromium();
  try {
    const page = await browser.newPage();
    const shown = page.waitForEvent("console", (message) => message.type() === "log");
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    return { code: 0, text: (await shown).text() };
  } finally {
    await browser.close();
    await server.shutdown();
  }
}

const HOSTS: Readonly<Record<string, (folder: string) => Promise<Ended>>> = {
  "Deno": (folder) => run(folder, Deno.execPath(), "run", "-A", "--no-config"),
  "Chromium": run_in_chromium,
  "Node.js 20": (folder) => run(folder, "node"),
  "Node.js 26": (folder) => run(folder, "npx", "-y", "node@26"),
  "Bun": (folder) => run(folder, "npx", "-y", "bun@1.4.5"),
};

/** The hosts whose stacks are recorded. */
export const STACK_HOSTS: readonly string[] = Object.keys(HOSTS);

/** The hosts that are on this machine; others run when the page is recorded. */
export async function hosts_here(): Promise<string[]> {
  const { stdout } = await new Deno.Command("node", { args: ["--version"] }).output();
  const version = /^v\d+/.exec(new TextDecoder().decode(stdout))?.[0].replace("v", "Node.js ");
  const has_chromium = await Deno.stat(CHROMIUM).then(() => true, () => false);
  return STACK_HOSTS.filter((host) =>
    host === "Deno" || host === version || has_chromium && host === "Chromium"
  );
}

/** Runs a program, which has the library as `./lib/mod.js`, on a host. */
export async function run_on(host: string, program: string): Promise<Ended> {
  const folder = await Deno.makeTempDir();
  try {
    await write_program(folder, program);
    return await HOSTS[host]!(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Returns the stack on a host. */
export async function stack_on(host: string): Promise<string> {
  const program = `const show = (stack) => console.log(stack);\n${PROGRAM}`;
  return outline_of((await run_on(host, program)).text);
}
