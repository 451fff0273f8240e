/** What goes through the queue comes out as it was. */

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import * as asyncio from "../../../mod.ts";
import { decode, encode, encode_error } from "../values.ts";
import { Refused } from "../work.ts";

Deno.test("encode: data of every kind comes out as it was", () => {
  const values = [
    undefined,
    null,
    -0,
    NaN,
    10n ** 30n,
    "ü",
    new Date(0),
    new Map([[{ a: 1 }, new Set([1, undefined])]]),
    new Uint8Array([1, 255]),
    /x/g,
  ];
  assertEquals(decode(encode(values, "it")), values);
});

Deno.test("encode: what cannot be sent is a TypeError that names it", () => {
  assertThrows(() => encode([1, { f() {} }], "f()"), TypeError, "Cannot send f()");
  assertThrows(() => encode(Symbol("x"), "the result"), TypeError, "Cannot send the result");
});

Deno.test("encode_error: class, message, stack, cause and properties come out as they were", () => {
  const error = new Refused(7, { cause: new RangeError("no funds", { cause: { at: 3 } }) });
  const own = decode(encode_error(error), [Refused]) as Refused;
  assertInstanceOf(own, Refused);
  assertEquals([own.message, own.code, own.stack], ["refused with code 7", 7, error.stack]);
  assertInstanceOf(own.cause, RangeError);
  assertEquals((own.cause as Error).cause, { at: 3 });
  const unknown = decode(encode_error(error)) as Error;
  assertInstanceOf(unknown, asyncio.ValueError);
  assert(!(unknown instanceof Refused));
});

Deno.test("encode_error: the library's and the standard classes", () => {
  for (
    const error of [
      new asyncio.TimeoutError("late"),
      new asyncio.CancelledError("stop"),
      new asyncio.IncompleteReadError(new Uint8Array([1]), 4),
      new SyntaxError("bad"),
      new DOMException("gone", "AbortError"),
      new Error("plain"),
    ]
  ) {
    const back = decode(encode_error(error)) as Error;
    assertEquals(back.constructor, error.constructor);
    assertEquals([back.name, back.message], [error.name, error.message]);
  }
  const group = new asyncio.ExceptionGroup("two", [
    new TypeError("a"),
    new asyncio.ValueError("b"),
  ]);
  const back = decode(encode_error(group)) as asyncio.ExceptionGroup;
  assertInstanceOf(back, asyncio.ExceptionGroup);
  assertInstanceOf(back.exceptions[1], asyncio.ValueError);
  const aggregate = decode(
    encode_error(new AggregateError([new URIError("c")], "one")),
  ) as AggregateError;
  assertInstanceOf(aggregate, AggregateError);
  assertInstanceOf(aggregate.errors[0], URIError);
});

Deno.test("encode_error: an error with parts that cannot be sent is sent without them", () => {
  const error = Object.assign(new RangeError("odd", { cause: () => 1 }), { callback() {} });
  const back = decode(encode_error(error)) as Error;
  assertInstanceOf(back, RangeError);
  assertEquals([back.message, typeof back.cause], ["odd", "string"]);
  assertEquals(decode(encode_error({ thrown: 1 })), { thrown: 1 });
  assertEquals(decode(encode_error(Symbol("x"))), "Symbol(x)");
});
