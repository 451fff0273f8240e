/** What counts as a cancellation among the values that are thrown. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import {
  as_cancelled_error,
  as_error,
  Cancellation,
  CancellationReason,
  is_cancellation,
  is_cancelled_error,
  make_cancelled_error,
} from "../src/core/cancellation.ts";

const cancelled = (message: string) => new asyncio.CancelledError(message);

class Mine extends asyncio.CancelledError {}

Deno.test("is_cancelled_error: a CancelledError, however it was made, and nothing else", () => {
  for (
    const error of [cancelled("a"), new Mine(), make_cancelled_error("a"), make_cancelled_error(5)]
  ) {
    assert(is_cancelled_error(error));
  }
  const others = [null, undefined, 0, "CancelledError", {}, new Error(), new Cancellation("a")];
  for (
    const value of [...others, new asyncio.BaseException(), new AggregateError([cancelled("a")])]
  ) {
    assert(!is_cancelled_error(value));
  }
});

Deno.test("make_cancelled_error: the error has a stack, on hosts too that give none to an error without frames", () => {
  for (const message of [undefined, "why", 5, new CancellationReason("cancelled by a test")]) {
    const { stack } = make_cancelled_error(message);
    assert(stack?.startsWith("CancelledError"), stack);
  }
});

Deno.test("is_cancellation: an AggregateError of nothing but cancellations, nested or not", () => {
  for (
    const thrown of [
      cancelled("a"),
      new Mine(),
      new Cancellation(undefined),
      new AggregateError([cancelled("a")]),
      new AggregateError([cancelled("a"), new Cancellation("b"), new Mine()]),
      new AggregateError([new AggregateError([cancelled("a")]), cancelled("b")]),
    ]
  ) assert(is_cancellation(thrown));
});

Deno.test("is_cancellation: other errors, exception groups and an empty AggregateError are none", () => {
  const cyclic = new AggregateError([cancelled("a")]);
  cyclic.errors.push(cyclic);
  for (
    const thrown of [
      null,
      undefined,
      "cancelled",
      Object.assign(new Error("of the program"), { errors: [cancelled("a")] }),
      new Error(),
      new asyncio.KeyboardInterrupt(),
      new AggregateError([]),
      new AggregateError([cancelled("a"), new Error()]),
      new AggregateError([cancelled("a"), null]),
      new AggregateError([cancelled("a"), new AggregateError([])]),
      new AggregateError([new AggregateError([cancelled("a"), new Error()])]),
      new asyncio.BaseExceptionGroup("m", [cancelled("a")]),
      new AggregateError([new asyncio.BaseExceptionGroup("m", [cancelled("a")])]),
      cyclic,
    ]
  ) assert(!is_cancellation(thrown));
});

Deno.test("is_cancellation: Promise.any of cancelled awaits", async () => {
  const thrown = await Promise.any([Promise.reject(cancelled("a")), Promise.reject(cancelled("b"))])
    .catch((error) => error);
  assert(is_cancellation(thrown));
  assertEquals(as_cancelled_error(thrown).message, "a");
});

Deno.test("as_cancelled_error: the error itself, the first of several, or one made of a note", () => {
  const error = cancelled("a");
  assert(as_cancelled_error(error) === error);
  assert(
    as_cancelled_error(new AggregateError([new AggregateError([error]), cancelled("b")])) === error,
  );
  for (const note of [new Cancellation("a"), new AggregateError([new Cancellation("a")])]) {
    const made = as_cancelled_error(note);
    assert(made instanceof asyncio.CancelledError);
    assertEquals([made.message, made.args], ["a", ["a"]]);
  }
});

Deno.test("as_error: a note becomes an error, any other value stays", () => {
  assert(as_error(new Cancellation("a")) instanceof asyncio.CancelledError);
  for (const value of [null, "text", cancelled("a")]) assert(as_error(value) === value);
});

Deno.test("Task: an AggregateError whose errors are no iterable is an error like any other", async () => {
  const replaced = Object.assign(new AggregateError([]), { errors: null });
  const unreadable = Object.defineProperty(new AggregateError([]), "errors", {
    get() {
      throw new Error("read");
    },
  });
  for (const error of [replaced, unreadable]) {
    await asyncio.run(async () => {
      const task = asyncio.create_task(() => Promise.reject(error));
      await asyncio.wait([task]);
      assertEquals(task.cancelled(), false);
      assert(task.exception() === error);
    });
  }
});
