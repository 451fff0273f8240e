/** What keeps a program from ending, and what does not. */

import { assertEquals } from "@std/assert";
import process from "node:process";
import { child } from "./child.ts";

/** Runs a program that must not fail, and returns what it writes. */
async function output_of(program: string): Promise<string> {
  const { code, stdout, stderr } = await child(program);
  assertEquals([code, stderr], [0, []]);
  return stdout.join("\n") + "\n";
}

Deno.test("a program on the default loop waits for its tasks and no longer", async () => {
  const program = `
    asyncio.create_task(async () => {
      await asyncio.sleep(0.01);
      console.log("slept");
    });`;
  assertEquals(await output_of(program), "slept\n");
});

Deno.test("a cancelled timer does not keep a program on the default loop", async () => {
  const program = `
    console.log(await asyncio.wait_for(asyncio.sleep(0.001, "in time"), 3600));
    asyncio.get_event_loop().call_later(3600, () => {}).cancel();
    const task = asyncio.create_task(asyncio.sleep(3600));
    await asyncio.sleep(0);
    task.cancel();
    console.log(String(await task.catch((error) => error)));
    const timer = asyncio.get_event_loop().call_later(3600, () => {});
    setTimeout(() => timer.cancel(), 10);`;
  assertEquals(await output_of(program), "in time\nCancelledError\n");
});

Deno.test("create_subprocess_exec: a process that is left open does not keep the program alive", async () => {
  const program = `
    const { PIPE } = asyncio.subprocess;
    await asyncio.run(async () => {
      const options = { stdin: PIPE, stdout: PIPE, stderr: PIPE };
      const process = await asyncio.create_subprocess_exec("sleep", "60", options);
      process.stdin.write(new Uint8Array(1_000_000));
      const [transport] = await asyncio.get_running_loop().subprocess_exec(
        () => new asyncio.SubprocessProtocol(), "sleep", "60");
      console.log(process.pid, transport.get_pid());
    });`;
  const pids = (await output_of(program)).split(" ").map(Number);
  assertEquals(pids.length, 2);
  for (const pid of pids) process.kill(pid, "SIGKILL");
});
