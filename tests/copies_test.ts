/** Two copies of the library in one process, as two versions in `node_modules` are. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { DeadlockError } from "../testing.ts";
import { is_cancellation } from "../src/core/cancellation.ts";
import { is_exception, leaves_the_loop } from "../src/core/exceptions.ts";

async function copy_folder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy_folder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

const ours = { ...asyncio, DeadlockError };

async function second_copy(): Promise<typeof ours> {
  const root = new URL("..", import.meta.url).pathname;
  const folder = await Deno.makeTempDir({ prefix: "asyncio_copy_" });
  try {
    await copy_folder(`${root}src`, `${folder}/src`);
    for (const name of ["mod", "testing"]) {
      await Deno.copyFile(`${root}${name}.ts`, `${folder}/${name}.ts`);
    }
    const { DeadlockError } = await import(`file://${folder}/testing.ts`);
    return { ...await import(`file://${folder}/mod.ts`), DeadlockError };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const copy = await second_copy();

const made: Record<string, (library: typeof ours) => Error> = {
  BaseException: (library) => new library.BaseException(),
  CancelledError: (library) => new library.CancelledError(),
  KeyboardInterrupt: (library) => new library.KeyboardInterrupt(),
  InvalidStateError: (library) => new library.InvalidStateError(),
  TimeoutError: (library) => new library.TimeoutError(),
  RuntimeError: (library) => new library.RuntimeError(),
  ValueError: (library) => new library.ValueError(),
  LookupError: (library) => new library.LookupError(),
  StopAsyncIteration: (library) => new library.StopAsyncIteration(),
  BrokenBarrierError: (library) => new library.BrokenBarrierError(),
  IncompleteReadError: (library) => new library.IncompleteReadError(new Uint8Array(), 1),
  LimitOverrunError: (library) => new library.LimitOverrunError("", 1),
  DeadlockError: (library) => new library.DeadlockError(),
  QueueEmpty: (library) => new library.QueueEmpty(),
  QueueFull: (library) => new library.QueueFull(),
  QueueShutDown: (library) => new library.QueueShutDown(),
  BaseExceptionGroup: (library) =>
    new library.BaseExceptionGroup("m", [new library.CancelledError()]),
  ExceptionGroup: (library) => new library.ExceptionGroup("m", [new Error()]),
};

type Classes = Record<string, new () => Error>;

Deno.test("instanceof: an error of another copy belongs to the classes that one of this copy belongs to", () => {
  assert(copy.CancelledError !== asyncio.CancelledError);
  const classes = ours as unknown as Classes;
  for (const make of Object.values(made)) {
    for (const name of Object.keys(made)) {
      assertEquals(
        make(copy) instanceof classes[name],
        make(ours) instanceof classes[name],
        `${make(copy).name} instanceof ${name}`,
      );
    }
  }
});

Deno.test("instanceof: subclasses of the user are ordinary classes", () => {
  class Mine extends asyncio.CancelledError {}
  class Own extends Mine {}
  for (const library of [asyncio, copy]) {
    assert(!(new library.CancelledError() instanceof Mine));
    assert(new Mine() instanceof library.CancelledError);
    assert(new Own() instanceof library.BaseException);
  }
  assert(new Own() instanceof Mine && !(new Mine() instanceof Own));
  class TimeoutError extends asyncio.RuntimeError {}
  assert(!(new TimeoutError() instanceof copy.TimeoutError));
  assert(!(new copy.TimeoutError() instanceof TimeoutError));
});

Deno.test("instanceof: what is no error of the library belongs to none of its classes", () => {
  const classes = ours as unknown as Classes;
  for (
    const value of [null, undefined, 1, "TimeoutError", {}, new Error(), new AggregateError([])]
  ) {
    for (const name of Object.keys(made)) assert(!((value as unknown) instanceof classes[name]));
  }
});

Deno.test("is_exception, is_cancellation, leaves_the_loop: errors of another copy count as those of this copy", () => {
  for (const [name, make] of Object.entries(made)) {
    assertEquals(is_exception(make(copy)), is_exception(make(ours)), name);
    assertEquals(is_cancellation(make(copy)), is_cancellation(make(ours)), name);
    assertEquals(leaves_the_loop(make(copy)), leaves_the_loop(make(ours)), name);
  }
});

Deno.test("BaseExceptionGroup.split: groups and errors of another copy are taken apart", () => {
  const inner = new copy.ExceptionGroup("inner", [new copy.TimeoutError(), new TypeError()]);
  const [timeouts, rest] = new asyncio.ExceptionGroup("outer", [inner]).split(asyncio.TimeoutError);
  assertEquals(String(timeouts?.exceptions[0]), "ExceptionGroup: inner (1 sub-exception)");
  assertEquals(String(rest?.exceptions[0]), "ExceptionGroup: inner (1 sub-exception)");
});
