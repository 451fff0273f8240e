/** The few things of the `Deno` namespace that tests use, on hosts that have them under other names. */

import { test } from "./runner.ts";

interface HostProcess {
  pid: number;
  env: Record<string, string | undefined>;
  kill(pid: number, signal: string): void;
  getBuiltinModule(name: "node:util"): { inspect(value: unknown): string };
  getBuiltinModule(name: "node:fs/promises"): { readFile(file: URL, as: "utf8"): Promise<string> };
}

const { process } = globalThis as { process?: HostProcess };

async function fetch_text(file: URL): Promise<string> {
  return await (await fetch(file)).text();
}

export const Deno = {
  test,
  pid: process?.pid,
  kill: (pid: number, signal: string) => process?.kill(pid, signal),
  env: { get: (name: string) => process?.env[name] },
  inspect: (value: unknown) => process?.getBuiltinModule("node:util").inspect(value),
  readTextFile: (file: URL) =>
    process?.getBuiltinModule("node:fs/promises").readFile(file, "utf8") ?? fetch_text(file),
};
