/** `run_service()` in processes of their own, on Deno, Node.js and Bun: signals, grace, exit codes. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { build, stop } from "esbuild";
import * as asyncio from "../../mod.ts";
import { run_service, type ServiceOptions } from "../../structured.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** A program that does not end by itself is ended after this many milliseconds. */
const TIME_LIMIT = 60_000;

interface Ended {
  code: number;
  stdout: string[];
  stderr: string;
}

/** The path of a host's program, which a signal must reach without a wrapper between. */
async function find_bun(): Promise<string> {
  const { stdout } = await new Deno.Command("npx", {
    args: ["--yes", "--package", "bun@1.4.5", "-c", "which bun"],
    stderr: "null",
  }).output();
  const path = new TextDecoder().decode(stdout).trim();
  return await Deno.realPath(path);
}

const HOSTS: Record<string, () => Promise<string[]>> = {
  Deno: () => Promise.resolve([Deno.execPath(), "run", "-A", "--no-config"]),
  Node: () => Promise.resolve(["node"]),
  Bun: async () => [await find_bun()],
};

/** Runs the program and sends it a signal each time that it asks for one. */
async function run_program(
  command: string[],
  behaviour: string,
  signals: Deno.Signal[] = [],
  options: ServiceOptions = {},
): Promise<Ended> {
  const [host, ...args] = command as [string, ...string[]];
  const child = new Deno.Command(host, {
    args: [...args, behaviour, JSON.stringify(options)],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const too_long = setTimeout(() => child.kill("SIGKILL"), TIME_LIMIT);
  const stderr = new Response(child.stderr).text();
  const left = [...signals];
  let stdout = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    const asked = text.split("\n").filter((line) => line === "signal").length;
    for (const signal of left.splice(0, asked)) child.kill(signal);
  }
  const { code, signal } = await child.status;
  clearTimeout(too_long);
  assertEquals(signal, null, await stderr);
  const lines = stdout.trimEnd().split("\n").filter((line) => line !== "signal" && line !== "");
  return { code, stdout: lines, stderr: (await stderr).trim() };
}

/** Bundles the program for all hosts. */
async function bundle(folder: string): Promise<string> {
  const outfile = `${folder}/service.mjs`;
  await build({
    entryPoints: [`${ROOT}tests/structured/service_program.ts`],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    logLevel: "error",
  });
  await stop();
  return outfile;
}

for (const [host, find] of Object.entries(HOSTS)) {
  Deno.test({
    name: `run_service on ${host}: signals, grace period and exit codes`,
    async fn(t) {
      const folder = await Deno.makeTempDir({ prefix: "asyncio_service_" });
      const command = [...await find(), await bundle(folder)];
      try {
        for (const signal of ["SIGTERM", "SIGINT"] as const) {
          await t.step(`${signal} ends the blocks from the inside out, with code 0`, async () => {
            const { code, stdout, stderr } = await run_program(command, "in_order", [signal]);
            assertEquals(stdout, [
              ...["starting", "ready", "first ends", "second ends"],
              ...[`stopping by ${signal}`, "code 0"],
            ]);
            assertEquals([code, stderr], [0, ""]);
          });
        }
        await t.step("a second signal ends the process at once", async () => {
          const ended = await run_program(command, "slow", ["SIGTERM", "SIGINT"]);
          assertEquals([ended.code, ended.stdout], [130, []]);
          assert(ended.stderr.startsWith("The service is ended at once: SIGINT came again"));
        });
        await t.step("the end of the grace period ends the process, and names tasks", async () => {
          const options = { grace: 0.2 };
          for (const behaviour of ["slow", "blocked"]) {
            const ended = await run_program(command, behaviour, ["SIGTERM"], options);
            assertEquals([ended.code, ended.stdout], [143, []]);
            assert(ended.stderr.includes("it has not stopped within 0.2 s after SIGTERM"));
            assert(ended.stderr.includes("tasks left: Task-1"));
          }
        });
        await t.step("an error of main is written, with code 1", async () => {
          const ended = await run_program(command, "failing");
          assertEquals([ended.code, ended.stdout], [1, ["code 1"]]);
          assert(ended.stderr.includes("TypeError: no database"));
          const later = await run_program(command, "failing_clean_up", ["SIGTERM"]);
          assertEquals([later.code, later.stdout], [1, ["code 1"]]);
          assert(later.stderr.includes("TypeError: not closed"));
        });
        await t.step("main's own code, and stop()", async () => {
          assertEquals(await run_program(command, "returning"), {
            code: 3,
            stdout: ["code 3"],
            stderr: "",
          });
          assertEquals(await run_program(command, "stopping"), {
            code: 0,
            stdout: ["stopping", "code 0"],
            stderr: "",
          });
        });
        await t.step("Ctrl-C that is not named ends it as it ends run()", async () => {
          const options = { signals: ["SIGTERM"] };
          const ended = await run_program(command, "failing_clean_up", ["SIGINT"], options);
          assertEquals([ended.code, ended.stdout], [1, ["code 1"]]);
          const interrupted = await run_program(command, "in_order", ["SIGINT"], options);
          assertEquals(interrupted.stdout.at(-1), "ready by null");
          assertEquals([interrupted.code, interrupted.stderr], [130, "KeyboardInterrupt"]);
        });
        await t.step("other signals, if they are named", async () => {
          const ended = await run_program(command, "in_order", ["SIGHUP"], { signals: ["SIGHUP"] });
          assertEquals([ended.code, ended.stdout.at(-2)], [0, "stopping by SIGHUP"]);
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("run_service: refuses what makes no sense", async () => {
  await assertRejects(() => run_service(1 as never), TypeError, "main must be a function");
  await assertRejects(() => run_service(async () => {}, { graze: 1 } as never), TypeError, "graze");
  await assertRejects(() => run_service(async () => {}, { grace: -1 }), asyncio.ValueError);
  await assertRejects(() => run_service(async () => {}, { grace: "1" } as never), TypeError);
  await assertRejects(
    () => run_service(async () => {}, { signals: "SIGTERM" } as never),
    TypeError,
    "an array of names: received 'SIGTERM'",
  );
  await assertRejects(
    () => run_service(async () => {}, { signals: ["TERM"] }),
    asyncio.ValueError,
    "invalid signal name",
  );
  await asyncio.run(async () => {
    await assertRejects(() => run_service(async () => {}), asyncio.RuntimeError);
  });
});
