/** What the documentation's tool sees of the public types. */

import { assert, assertEquals } from "@std/assert";
import { ENTRY_POINTS } from "../scripts/entry_points.ts";

/** The paths to every `any` in the description of something. */
function* find_any(described: unknown, path: string): Generator<string> {
  if (typeof described !== "object" || described === null) return;
  if ("kind" in described && described.kind === "keyword") {
    if ("repr" in described && described.repr === "any") yield path;
  }
  for (const [key, part] of Object.entries(described)) {
    const name = typeof part?.name === "string" ? part.name : key;
    yield* find_any(part, `${path}.${name}`);
  }
}

interface Documentation {
  nodes: Record<string, { symbols: { name: string }[] }>;
}

async function document(): Promise<Documentation> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...ENTRY_POINTS.map(({ file }) => file.pathname)],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("no public signature has an any", async () => {
  const symbols = Object.values((await document()).nodes).flatMap(({ symbols }) => symbols);
  assert(symbols.length > 100, `${symbols.length} names`);
  assertEquals(symbols.flatMap((symbol) => [...find_any(symbol, symbol.name)]), []);
});

Deno.test("an any is found where there is one", () => {
  const any = { repr: "any", kind: "keyword" };
  const described = { functionDef: { params: [{ name: "x", tsType: any }] } };
  assertEquals([...find_any(described, "f")], ["f.functionDef.params.x.tsType"]);
});
