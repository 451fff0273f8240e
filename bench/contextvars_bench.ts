/**
 * Context variables, beside the host's AsyncLocalStorage.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { ContextVar, create_task, run } from "../mod.ts";

const ROUNDS = 1_000;

const stored = new AsyncLocalStorage<number>();
const variable = new ContextVar<number>("variable");

const read_stored = async () => {
  await null;
  return stored.getStore();
};

const read_variable = async () => {
  await null;
  return variable.get();
};

Deno.bench({
  name: "AsyncLocalStorage.run",
  group: "a call with a value of its own",
  baseline: true,
  async fn() {
    for (let round = 0; round < ROUNDS; round++) await stored.run(round, read_stored);
  },
});

Deno.bench({
  name: "ContextVar.set and a task",
  group: "a call with a value of its own",
  async fn() {
    await run(async () => {
      for (let round = 0; round < ROUNDS; round++) {
        variable.set(round);
        await create_task(read_variable);
      }
    });
  },
});
