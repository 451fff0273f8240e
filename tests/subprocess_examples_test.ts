/** The programs of `examples/io` that run other programs. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Limits, run_with_limit } from "../examples/io/run_with_limit.ts";
import * as asyncio from "../mod.ts";

async function record(script: string, limits: Limits) {
  const lines: string[] = [];
  const show = (stream: string, line: string) => void lines.push(`${stream}: ${line}`);
  const ended = await run_with_limit(["/bin/sh", "-c", script], show, limits);
  return { lines, ended };
}

/** Returns whether a process runs; one that has ended and is not waited for yet does not. */
async function is_running(pid: number): Promise<boolean> {
  try {
    return !/\) [ZX] /.test(await Deno.readTextFile(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

async function assert_ended(pid: number): Promise<void> {
  assert(pid > 0);
  while (await is_running(pid)) await asyncio.sleep(0.01);
}

Deno.test("run_with_limit: a program that ends in time", () =>
  asyncio.run(async () => {
    const { lines, ended } = await record("echo one; echo two >&2; echo three; exit 3", {
      limit: 10,
    });
    assertEquals(lines.toSorted(), ["stderr: two", "stdout: one", "stdout: three"]);
    assertEquals(ended, { returncode: 3, timed_out: false });
  }));

Deno.test("run_with_limit: the output comes while the program runs, its last words included", () =>
  asyncio.run(async () => {
    const script = "trap 'echo bye; exit 5' TERM; echo begun; while :; do sleep 0.02; done";
    const { lines, ended } = await record(script, { limit: 0.3 });
    const stdout = lines.filter((line) => line.startsWith("stdout"));
    assertEquals(stdout, ["stdout: begun", "stdout: bye"]);
    assertEquals(ended, { returncode: 5, timed_out: true });
  }));

Deno.test("run_with_limit: what ignores SIGTERM is killed, and what it has started", () =>
  asyncio.run(async () => {
    const script = "trap '' TERM; sleep 30 & echo $!; wait; sleep 30";
    const { lines, ended } = await record(script, { limit: 0.2, grace: 0.1 });
    assertEquals(ended, { returncode: -9, timed_out: true });
    await assert_ended(Number(lines[0]?.slice("stdout: ".length)));
  }));

Deno.test("run_with_limit: a background process that holds the output counts", () =>
  asyncio.run(async () => {
    const { lines, ended } = await record("sleep 30 & echo $!", { limit: 0.3 });
    assertEquals(ended, { returncode: 0, timed_out: true });
    await assert_ended(Number(lines[0]?.slice("stdout: ".length)));
  }));

Deno.test("run_with_limit: cancelled, it leaves no process", () =>
  asyncio.run(async () => {
    const begun = asyncio.get_running_loop().create_future<number>();
    const task = asyncio.create_task(() =>
      run_with_limit(
        ["/bin/sh", "-c", "sleep 30 & echo $!; wait"],
        (_stream, line) => begun.set_result(Number(line)),
        { limit: 30 },
      )
    );
    const pid = await begun;
    task.cancel();
    await assertRejects(async () => void await task, asyncio.CancelledError);
    await assert_ended(pid);
  }));
