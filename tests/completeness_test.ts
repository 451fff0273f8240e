/** Every name of CPython's asyncio is here or has a stated reason, and the documentation says which. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ENTRY_POINTS } from "../scripts/entry_points.ts";
import { ADDITIONS } from "./completeness/additions.ts";
import { all_names, MODULES, PAGES } from "./completeness/names.ts";
import { EXPORTED, is_present } from "./completeness/presence.ts";
import { reason_for, REASONS, SPELLINGS } from "./completeness/reasons.ts";
import { format_page, TABLE_FILE } from "./completeness/table.ts";

const NAMES = all_names();

Deno.test("every name of Python is here or has a reason", () => {
  const missing = NAMES.filter((name) =>
    !is_present(name) && !(name in SPELLINGS) && reason_for(name) === undefined
  );
  assertEquals(missing, []);
});

Deno.test("no reason is given for what is here", () => {
  assertEquals(NAMES.filter((name) => is_present(name) && reason_for(name) !== undefined), []);
  assertEquals(Object.keys(SPELLINGS).filter(is_present), []);
});

Deno.test("a reason is given once, and for names that Python has", () => {
  const explained = [...REASONS.flatMap(({ names }) => names), ...Object.keys(SPELLINGS)];
  assertEquals(explained.filter((name) => !NAMES.includes(name)), []);
  assertEquals(explained.length, new Set(explained).size);
});

Deno.test("what is here as a type or under another name is there", async () => {
  const entry = await Deno.readTextFile(new URL("../mod.ts", import.meta.url));
  assertMatch(entry, /\btype AbstractEventLoop\b/);
  assertEquals(Object.keys(SPELLINGS), ["AbstractEventLoop", "BaseEventLoop"]);
  assert(is_present("EventLoop"));
});

Deno.test("each name is described on one page", () => {
  assertEquals(PAGES.flatMap(({ modules }) => modules).sort(), MODULES.toSorted());
  assertEquals(NAMES.length, new Set(NAMES).size);
});

Deno.test("what the library adds is here, and is not Python's asyncio's", () => {
  const added = ADDITIONS.flatMap(({ names }) => names);
  const members = added.flatMap(({ name, members = [] }) =>
    members.map((member) => `${name}.${member}`)
  );
  assertEquals([...added.map(({ name }) => name), ...members].filter((n) => !is_present(n)), []);
  assertEquals(members.filter((name) => NAMES.includes(name)), []);
});

Deno.test("every name has one entry point", async () => {
  const modules = await Promise.all(ENTRY_POINTS.map(({ file }) => import(file.href)));
  const names = modules.flatMap((module) => Object.keys(module));
  assertEquals(names.length, new Set(names).size);
  assertEquals(names.sort(), Object.keys(EXPORTED).sort());
});

Deno.test("every value that an entry point exports is in the tables", () => {
  const described = new Set([
    ...NAMES,
    ...ADDITIONS.flatMap(({ names }) => names.map((n) => n.name)),
  ]);
  assertEquals(Object.keys(EXPORTED).filter((name) => !described.has(name)), []);
});

Deno.test("docs/python_api.md is what scripts/write_api_table.ts writes", async () => {
  assertEquals(await Deno.readTextFile(TABLE_FILE), format_page());
});
