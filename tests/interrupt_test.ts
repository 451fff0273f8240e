/** Ctrl-C: programs of their own that are sent SIGINT, what they print and how they end. */

import { assert, assertEquals } from "@std/assert";
import { child, type Ended } from "./child.ts";

const PRELUDE = `const ready = () => console.log("ready");`;

/** Runs a program and sends it SIGINT each time that it prints "ready". */
async function interrupted(program: string): Promise<Ended> {
  return await child(PRELUDE + program, { interrupt_at: "ready" });
}

Deno.test("Ctrl-C cancels main, runs what cleans up, and ends the program as a person expects", async () => {
  const { code, stdout, stderr } = await interrupted(`
    await asyncio.run(async () => {
      asyncio.create_task(async () => {
        try {
          await asyncio.sleep(60);
        } finally {
          console.log("task cleaned up");
        }
      });
      try {
        await asyncio.sleep(0);
        ready();
        await asyncio.sleep(60);
      } catch (error) {
        console.log("main got", String(error));
        throw error;
      } finally {
        await asyncio.sleep(0.001);
        console.log("main cleaned up");
      }
    });
    console.log("never printed");
  `);
  assertEquals(stdout, [
    "ready",
    "main got CancelledError",
    "main cleaned up",
    "task cleaned up",
  ]);
  assertEquals(stderr, ["KeyboardInterrupt"]);
  assertEquals(code, 130);
});

Deno.test("run() throws KeyboardInterrupt, which a program may catch", async () => {
  const { code, stdout, stderr } = await interrupted(`
    try {
      await asyncio.run(async () => {
        ready();
        await asyncio.sleep(60);
      });
    } catch (error) {
      console.log(error instanceof asyncio.KeyboardInterrupt, String(error));
    }
    console.log("goes on");
  `);
  assertEquals([code, stderr], [0, []]);
  assertEquals(stdout, ["ready", "true KeyboardInterrupt", "goes on"]);
});

Deno.test("run: a second Ctrl-C throws KeyboardInterrupt at once, and what is left is cancelled again", async () => {
  const { code, stdout, stderr } = await interrupted(`
    await asyncio.run(async () => {
      try {
        ready();
        await asyncio.sleep(60);
      } finally {
        ready();
        try {
          await asyncio.sleep(60);
        } finally {
          await asyncio.sleep(0.001);
          console.log("cleaned up");
        }
      }
    });
  `);
  assertEquals([code, stderr], [130, ["KeyboardInterrupt"]]);
  assertEquals(stdout, ["ready", "ready", "cleaned up"]);
});

Deno.test("run: a second Ctrl-C reaches a main that has refused the first", async () => {
  const { code, stdout } = await interrupted(`
    await asyncio.run(async () => {
      ready();
      await asyncio.sleep(60).catch(() => {});
      ready();
      await asyncio.sleep(60);
    }).catch((error) => console.log(error.name));
    process.exit(0);
  `);
  assertEquals(code, 0);
  assertEquals(stdout, ["ready", "ready", "KeyboardInterrupt"]);
});

Deno.test("run: Ctrl-C reaches all programs that run", async () => {
  const { code, stdout } = await interrupted(`
    let begun = 0;
    const work = (name) => async () => {
      begun++;
      try {
        await asyncio.sleep(60);
      } finally {
        console.log(name);
      }
    };
    const runs = ["a", "b"].map((name) => asyncio.run(work(name)));
    while (begun < runs.length) await asyncio.run(asyncio.sleep(0));
    ready();
    for (const { reason } of await Promise.allSettled(runs)) console.log(reason.name);
  `);
  assertEquals(code, 0);
  // The loops take turns in no certain order.
  assertEquals(stdout.slice(1, 3).toSorted(), ["a", "b"]);
  assertEquals([stdout[0], ...stdout.slice(3)], [
    "ready",
    "KeyboardInterrupt",
    "KeyboardInterrupt",
  ]);
});

Deno.test("run: an interruption that is caught does not change the exit code", async () => {
  const { code, stderr } = await interrupted(`
    await asyncio.run(async () => {
      ready();
      await asyncio.sleep(60);
    }).catch(() => {});
    process.exitCode = 1;
  `);
  assertEquals([code, stderr], [1, []]);
});

Deno.test("a main that takes its cancellation as an answer ends normally", async () => {
  const { code, stdout, stderr } = await interrupted(`
    const result = await asyncio.run(async () => {
      try {
        ready();
        await asyncio.sleep(60);
      } catch {
        return "stopped by the user";
      }
    });
    console.log(result);
  `);
  assertEquals([code, stderr], [0, []]);
  assertEquals(stdout, ["ready", "stopped by the user"]);
});

Deno.test("Ctrl-C reaches a task group: its tasks are cancelled", async () => {
  const { code, stdout } = await interrupted(`
    await asyncio.run(() => asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      for (const name of ["a", "b"]) {
        group.create_task(() => asyncio.sleep(60).finally(() => console.log(name)));
      }
      await asyncio.sleep(0);
      ready();
    })).catch((error) => console.log(String(error)));
  `);
  assertEquals(code, 0);
  assertEquals(stdout, ["ready", "a", "b", "KeyboardInterrupt"]);
});

Deno.test("Ctrl-C reaches a main that spins on sleep(0)", async () => {
  const { stdout } = await interrupted(`
    await asyncio.run(async () => {
      ready();
      for (;;) await asyncio.sleep(0);
    }).catch((error) => console.log(String(error)));
  `);
  assertEquals(stdout, ["ready", "KeyboardInterrupt"]);
});

Deno.test("a program's own SIGINT handler goes before run()'s", async () => {
  const { code, stdout } = await interrupted(`
    await asyncio.run(async () => {
      const stop = new asyncio.Event();
      asyncio.get_running_loop().add_signal_handler("SIGINT", () => stop.set());
      ready();
      await stop.wait();
      console.log("stopped in its own way");
    });
  `);
  assertEquals(code, 0);
  assertEquals(stdout, ["ready", "stopped in its own way"]);
});

Deno.test("run: a listener that the program adds while it runs goes first, too", async () => {
  const { code, stdout } = await interrupted(`
    await asyncio.run(async () => {
      const stop = new asyncio.Event();
      process.once("SIGINT", () => stop.set());
      ready();
      await asyncio.wait_for(stop.wait(), 60); // a listener alone does not keep Node.js alive
      console.log("stopped in its own way");
      ready();
      await asyncio.sleep(60);
    }).catch((error) => console.log(error.name));
  `);
  assertEquals(code, 0);
  assertEquals(stdout, ["ready", "stopped in its own way", "ready", "KeyboardInterrupt"]);
});

Deno.test("after run() Ctrl-C is the host's again", async () => {
  const { code, stdout } = await interrupted(`
    await asyncio.run(asyncio.sleep(0));
    setTimeout(() => console.log("never printed"), 5000);
    ready();
  `);
  assert(code !== 0);
  assertEquals(stdout, ["ready"]);
});
