/** What a machine can check of the docstrings of all that is public. */

import { assert, assertEquals } from "@std/assert";
import { all_names } from "../completeness/names.ts";
import { type Entry, read_reference } from "./reference.ts";
import { read_thrown } from "./thrown.ts";

const ENTRIES = await read_reference();

/** Their parameters and results are those of JavaScript's and Python's own protocols. */
const PROTOCOL = /\.(then|catch|finally|next|return|throw|toString|__\w+__|\[.+\])$/;

/** What Python has without a page of documentation. */
const UNDOCUMENTED = ["staggered_race"];

function names(entries: readonly Entry[]): string[] {
  return entries.map(({ name }) => name);
}

function has_tag(kind: string): (entry: Entry) => boolean {
  return ({ tags }) => tags.some((tag) => tag.kind === kind);
}

const callable = ENTRIES.filter(({ name, kind }) =>
  ["function", "method", "constructor"].includes(kind) && !PROTOCOL.test(name)
);

Deno.test("everything public is described in whole sentences", () => {
  assert(ENTRIES.length > 400);
  assertEquals(names(ENTRIES.filter(({ text }) => !/^[A-Z`].*[.:;]/s.test(text))), []);
});

Deno.test("every exported name is in a category of the reference", () => {
  const exported = ENTRIES.filter(({ name }) => !name.includes("."));
  assertEquals(names(exported.filter((entry) => !has_tag("category")(entry))), []);
});

Deno.test("every parameter is described", () => {
  const missing = callable.flatMap(({ name, params, tags }) => {
    const described = tags.filter(({ kind, doc }) => kind === "param" && doc).map(({ name }) =>
      name
    );
    // A leading underscore is the sign of what is not used.
    return params.filter((param) => !described.includes(param) && !param.startsWith("_"))
      .map((param) => `${name}: ${param}`);
  });
  assertEquals(missing, []);
});

Deno.test("no parameter is described that is not there", () => {
  const unknown = callable.flatMap(({ name, params, tags }) =>
    tags.filter((tag) => tag.kind === "param" && !params.includes(tag.name ?? ""))
      .map((tag) => `${name}: ${tag.name}`)
  );
  assertEquals(unknown, []);
});

Deno.test("what takes parameters says what it returns", () => {
  // A description that begins with "Returns whether" has said so.
  const silent = callable.filter(({ kind, params, returns, text }) =>
    kind !== "constructor" && params.length > 0 && !["void", "never"].includes(returns) &&
    !text.startsWith("Returns whether")
  );
  assertEquals(names(silent.filter((entry) => !has_tag("return")(entry))), []);
});

Deno.test("every error that is thrown is described", () => {
  const public_names = new Map(callable.map((entry) => [entry.name, entry]));
  const thrown = read_thrown().filter(({ name }) => public_names.has(name));
  assert(thrown.length > 60);
  const missing = thrown.filter(({ name, error }) =>
    !public_names.get(name)?.tags.some(({ kind, tsType }) =>
      kind === "throws" && tsType?.repr === error
    )
  ).map(({ name, error }) => `${name}: ${error}`);
  assertEquals(missing, []);
});

Deno.test("every function and class has an example", () => {
  const wanted = ENTRIES.filter(({ kind, is_abstract }) =>
    kind === "function" || (kind === "class" && !is_abstract)
  );
  assertEquals(names(wanted.filter((entry) => !has_tag("example")(entry))), []);
});

Deno.test("what Python has links to Python's documentation", () => {
  const of_python = all_names().filter((name) => !UNDOCUMENTED.includes(name));
  const here = ENTRIES.filter(({ name }) => of_python.includes(name) && !name.includes("."));
  assert(here.length > 50);
  const linked = ({ text }: Entry) => text.includes("https://docs.python.org/3/");
  assertEquals(names(here.filter((entry) => !linked(entry))), []);
});
