/** Pools of workers in programs of their own: what ends, what keeps alive, what a worker's memory does. */

import { assertEquals } from "@std/assert";
import { build } from "esbuild";

const ROOT = new URL("../../", import.meta.url).pathname;

/** A program that does not end by itself is ended after this many milliseconds. */
const TIME_LIMIT = 240_000;

/** Runs a module with Node.js, which has the library as `asyncio` and the URL of the tests' work as `WORK`. */
async function on_node(program: string, flags: string[] = []): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "asyncio_workers_" });
  try {
    await build({
      entryPoints: [
        { in: `${ROOT}mod.ts`, out: "mod" },
        { in: `${ROOT}tests/workers/work.ts`, out: "work" },
      ],
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      target: "es2022",
      logLevel: "warning",
    });
    const head = `
      import * as asyncio from "${folder}/mod.mjs";
      const WORK = new URL("file://${folder}/work.mjs");`;
    const { success, stdout, stderr } = await new Deno.Command("node", {
      args: [...flags, "--input-type=module", "-e", head + program],
      cwd: folder,
      signal: AbortSignal.timeout(TIME_LIMIT),
    }).output();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
    return new TextDecoder().decode(stdout).trimEnd().split("\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function on_deno(program: string, flags: string[] = []): Promise<string[]> {
  const head = `
    import * as asyncio from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
    const WORK = new URL(${JSON.stringify(import.meta.resolve("./work.ts"))});`;
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, head + program);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", `${ROOT}deno.json`, ...flags, file],
      signal: AbortSignal.timeout(TIME_LIMIT),
    }).output();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
    return new TextDecoder().decode(stdout).trimEnd().split("\n");
  } finally {
    await Deno.remove(file);
  }
}

const HOSTS = { "Deno": on_deno, "Node.js": on_node };

for (const [host, run] of Object.entries(HOSTS)) {
  Deno.test(`WorkerPoolExecutor: a pool that is left open does not keep a program alive: ${host}`, async () => {
    const program = `
      const pool = new asyncio.WorkerPoolExecutor(WORK, { max_workers: 2 });
      console.log(await pool.submit("add", 1, 2), pool.workers);`;
    assertEquals(await run(program), ["3 1"]);
  });

  Deno.test(`WorkerPoolExecutor: a call keeps a program alive, and its worker ends with the pool: ${host}`, async () => {
    const program = `
      const pool = new asyncio.WorkerPoolExecutor(WORK, { max_workers: 1 });
      pool.submit("get_user_later").then((user) => {
        console.log(user);
        const last = pool.submit("double", 2);
        pool.shutdown().then(() => console.log("closed", last.result()));
      });`;
    assertEquals(await run(program), ["nobody", "closed 4"]);
  });

  Deno.test(`run: ends the default pool with the loop: ${host}`, async () => {
    const program = `
      await asyncio.run(async () => {
        asyncio.get_running_loop().set_default_executor(new asyncio.WorkerPoolExecutor(WORK));
        console.log(await asyncio.to_thread("add", 1, 2));
      });
      console.log("ended");`;
    assertEquals(await run(program), ["3", "ended"]);
  });
}

/** The flags with which a program and each of its workers has so many megabytes. */
const MEMORY = {
  "Deno": ["--v8-flags=--max-old-space-size=64"],
  "Node.js": ["--max-old-space-size=64"],
};

for (const [host, flags] of Object.entries(MEMORY)) {
  Deno.test(`BrokenExecutor: a worker runs out of memory, and nothing else ends: ${host}`, async () => {
    const program = `
      const pool = new asyncio.WorkerPoolExecutor(WORK, { max_workers: 1 });
      const calls = [
        pool.submit("use_up_memory"),
        ...["microtask", "timer", "module"].map((after) => pool.submit("use_up_memory_later", after)),
      ];
      const next = pool.submit("add", 1, 2);
      for (const call of calls) {
        const error = await call.catch((error) => error);
        console.log(error instanceof asyncio.BrokenExecutor, error.cause.code, error.message);
      }
      console.log(await next);
      try {
        for await (const _ of pool.stream("use_up_memory_in_parts"));
      } catch (error) {
        console.log(error.cause.code);
      }
      const unloaded = new asyncio.WorkerPoolExecutor(
        "data:text/javascript,const all = []; for (;;) all.push(Array(10_000).fill().map((_, i) => ({ i })))",
      );
      console.log((await unloaded.submit("any").catch((error) => error)).message);
      await pool.shutdown();
      await unloaded.shutdown();
      console.log(pool.workers, unloaded.workers);`;
    const why = "its worker was ended by an error: Error: " +
      "Worker terminated due to reaching memory limit: JS heap out of memory";
    const lines = ["use_up_memory", ...Array(3).fill("use_up_memory_later")]
      .map((name) => `true ERR_WORKER_OUT_OF_MEMORY Cannot call ${name}(): ${why}`);
    const unloaded = `Cannot call any(): ${
      why.replace(": Error", ", before it had loaded the module: Error")
    }`;
    assertEquals(await HOSTS[host as keyof typeof HOSTS](program, flags), [
      ...lines,
      "3",
      "ERR_WORKER_OUT_OF_MEMORY",
      unloaded,
      "0 0",
    ]);
  });
}

Deno.test("WorkerPoolExecutor: on Deno a worker needs the permission to read its module, and no other", async () => {
  const program = `
    const pool = new asyncio.WorkerPoolExecutor("data:text/javascript,export const add = (a, b) => a + b");
    console.log(await pool.submit("add", 1, 2));
    const unread = new asyncio.WorkerPoolExecutor(WORK);
    console.log(await unread.submit("add", 1, 2).catch((error) => error.name));`;
  const library = JSON.stringify(import.meta.resolve("../../mod.ts"));
  const work = JSON.stringify(import.meta.resolve("./work.ts"));
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(
      file,
      `import * as asyncio from ${library};\nconst WORK = new URL(${work});\n${program}`,
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", file],
      signal: AbortSignal.timeout(TIME_LIMIT),
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "3\nBrokenExecutor\n");
  } finally {
    await Deno.remove(file);
  }
});
