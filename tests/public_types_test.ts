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
  nodes: Record<string, { symbols: { name: string; declarations: { def?: Members }[] }[] }>;
}

async function document(): Promise<Documentation> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...ENTRY_POINTS.map(({ file }) => file.pathname)],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

interface Member {
  readonly name: string;
  readonly accessibility?: "protected" | "private";
}

interface Members {
  readonly properties?: readonly Member[];
  readonly methods?: readonly Member[];
}

/** The members of a class or an interface that begin with an underscore and are neither protected nor private. */
function find_underscores(described: Members | undefined): string[] {
  return [...described?.properties ?? [], ...described?.methods ?? []]
    .filter(({ name, accessibility }) => /^_[^_]/.test(name) && accessibility === undefined)
    .map(({ name }) => name);
}

Deno.test("no public member begins with an underscore", async () => {
  const symbols = Object.values((await document()).nodes).flatMap(({ symbols }) => symbols);
  const found = symbols.flatMap(({ name, declarations }) =>
    declarations.flatMap(({ def }) => find_underscores(def)).map((member) => `${name}.${member}`)
  );
  assertEquals(found, []);
});

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

Deno.test("create_task, run: the compiler's message for a promise begins with what to write", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const library = new URL("../mod.ts", import.meta.url);
    await Deno.writeTextFile(
      file,
      `import { create_task, run } from "${library}";\n` +
        "const work = async (n: number) => n;\ncreate_task(work(1));\nrun(work(1));\n",
    );
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", new URL("../deno.json", import.meta.url).pathname, file],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stderr);
    const messages = text.split("\n").filter((line) => line.includes("[ERROR]"));
    assertEquals(messages.length, 2, text);
    for (const message of messages) {
      assert(message.includes("write () => work(x), not work(x)"), text);
    }
    assert(!/\b_\w/.test(text.replaceAll(file, "")), text);
  } finally {
    await Deno.remove(file);
  }
});
