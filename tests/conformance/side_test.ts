/** A side of the comparison answers for programs that never end, and for those that end their worker. */

import { assertEquals } from "@std/assert";
import type { Program, Statement } from "./program.ts";
import { Side } from "./side.ts";

/** Stands for an interpreter: it spins at `join_self`, ends at `raise`, and else says what it was given. */
const WORKER = new URL(`data:text/javascript,${
  encodeURIComponent(`
    self.onmessage = ({ data: { programs } }) => {
      for (const program of programs) {
        const [{ do: kind, value }] = JSON.parse(program).bodies[0].block;
        if (kind === "join_self") for (;;);
        if (kind === "raise") throw new Error("broken");
        self.postMessage(JSON.stringify([[0, "t0", 1, String(value)]]));
      }
    };
    self.postMessage("ready");`)
}`);

function program(statement: Statement): Program {
  return {
    shared: {
      queues: [],
      semaphores: [],
      locks: 0,
      events: 0,
      conditions: 0,
      barriers: [],
      futures: 0,
      variables: 0,
      generators: [],
    },
    bodies: [{ form: "async", block: [statement] }],
    finish: "wait",
  };
}

const log = (value: number) => program({ id: 1, do: "log", value });
const SPINS = program({ id: 1, do: "join_self" });
const BREAKS = program({ id: 1, do: "raise", error: "AppError" });

Deno.test("Side.run: what hangs is told from its trace, and the others are run all the same", async () => {
  using side = new Side(WORKER);
  const traces = await side.run([log(1), SPINS, log(2)], { patience: 0.1 });
  assertEquals(traces.map((trace) => trace.at(-1)?.[3]), ["1", "hangs", "2"]);
});

Deno.test("Side.run: after the most hangs the others are not run, and the next request is", async () => {
  using side = new Side(WORKER);
  const first = side.run([log(1), SPINS, log(2)], { patience: 0.1, most_hangs: 1 });
  const second = side.run([log(3)]);
  assertEquals((await first).map((trace) => trace.at(-1)?.[3]), ["1", "hangs"]);
  assertEquals(await second, [[[0, "t0", 1, "3"]]]);
});

Deno.test("Side.run: a program that ends the worker is told from its trace", async () => {
  using side = new Side(WORKER);
  const traces = await side.run([BREAKS, log(1)]);
  assertEquals(traces, [
    [[0, "loop", 0, "its worker ended: Uncaught Error: broken"]],
    [[0, "t0", 1, "1"]],
  ]);
});
