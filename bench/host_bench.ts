/**
 * The time that the host takes for awaits, errors, arrays, contexts, clocks and turns: a lower bound for the library's
 * figures.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Lazy } from "./floor/loop.ts";

const AWAITS = 10_000;
const ERRORS = 1_000;
const TURNS = 100;
const settled = Promise.resolve();

type Awaitable = PromiseLike<unknown> | Lazy<unknown>;

function await_each(name: string, make: () => Awaitable, baseline = false): void {
  Deno.bench({
    name,
    group: `${AWAITS} awaits`,
    baseline,
    async fn() {
      for (let done = 0; done < AWAITS; done++) await make();
    },
  });
}

class AtOnce implements Lazy<unknown> {
  then(resolve: (value: unknown) => unknown): void {
    resolve(undefined);
  }
}

class InAMicrotask implements Lazy<unknown> {
  then(resolve: (value: unknown) => unknown): void {
    settled.then(resolve);
  }
}

await_each("a promise that is resolved", () => settled, true);
await_each("a thenable that settles at once", () => new AtOnce());
await_each("a thenable that settles in a microtask", () => new InAMicrotask());

function make_each(name: string, make: () => unknown, baseline = false): void {
  Deno.bench({
    name,
    group: `${ERRORS} errors`,
    baseline,
    fn() {
      const errors = [];
      for (let made = 0; made < ERRORS; made++) errors.push(make());
      if (errors.length !== ERRORS) throw new Error("Cannot measure: an error is missing");
    },
  });
}

function without_frames(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new Error();
  Error.stackTraceLimit = limit;
  return error;
}

make_each("an object", () => ({}), true);
make_each("an error", () => new Error());
make_each("an error without frames", without_frames);

const LINE = 64;
const bytes = new Uint8Array(65_536);

function lines_each(
  name: string,
  take: (from: number, to: number) => Uint8Array,
  baseline = false,
) {
  Deno.bench({
    name,
    group: `${bytes.length / LINE} lines of ${LINE} bytes`,
    baseline,
    fn() {
      for (let at = 0; at < bytes.length; at += LINE) {
        if (take(at, at + LINE).length !== LINE) {
          throw new Error("Cannot measure: bytes are missing");
        }
      }
    },
  });
}

lines_each("in the array they are in", (from, to) => bytes.subarray(from, to), true);
lines_each("in an array of their own", (from, to) => bytes.slice(from, to));

const variable = new AsyncLocalStorage<number>();

Deno.bench({
  name: "AsyncLocalStorage.run",
  group: "a context",
  fn() {
    variable.run(1, () => {});
  },
});

Deno.bench({
  name: "performance.now",
  group: "a clock",
  baseline: true,
  fn() {
    performance.now();
  },
});

Deno.bench({
  name: "Date.now",
  group: "a clock",
  fn() {
    Date.now();
  },
});

Deno.bench({
  name: `${TURNS} turns of setImmediate`,
  group: "turns of the host",
  async fn() {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  },
});
