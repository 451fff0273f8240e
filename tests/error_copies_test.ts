/** Copies of errors: what they keep, and what they do not. */

import { assert, assertEquals, assertFalse } from "@std/assert";
import { copy_thrown } from "../src/loop/error_copies.ts";

Deno.test("copy_thrown: a copy has the class, the stack and the plain entries, and no objects", () => {
  class HttpError extends Error {
    status = 503;
    response = { body: new Map() };
  }
  const error = new HttpError("unavailable", { cause: new RangeError("full") });
  error.cause = Object.assign(error.cause as Error, { cause: error });
  const copy = copy_thrown(Object.freeze(error)) as HttpError;
  assert(copy !== error && copy instanceof HttpError);
  assertEquals([copy.message, copy.stack, copy.status], ["unavailable", error.stack, 503]);
  assertFalse("response" in copy);
  assert(copy.cause instanceof RangeError && copy.cause !== error.cause);
  const members = copy_thrown(
    new AggregateError([new HttpError("a"), "b"], "several"),
  ) as AggregateError;
  assert(members.errors[0] instanceof HttpError);
  assertEquals(members.errors[1], "b");
});

Deno.test("copy_thrown: what is no error, or cannot be read, is no trouble", () => {
  const throws = new Proxy({}, {
    ownKeys() {
      throw new TypeError("refused");
    },
  });
  for (const value of [null, undefined, 5, "text"]) assertEquals(copy_thrown(value), value);
  assertEquals(copy_thrown(throws), "<object>");
  assertEquals(typeof copy_thrown(() => {}), "string");
  const limit = (Error as { stackTraceLimit?: number }).stackTraceLimit;
  const aborted = copy_thrown(new DOMException("stopped", "AbortError")) as DOMException;
  assert(aborted instanceof DOMException);
  assertEquals([aborted.name, aborted.message, aborted.code], ["AbortError", "stopped", 20]);
  assertEquals((Error as { stackTraceLimit?: number }).stackTraceLimit, limit);
});
