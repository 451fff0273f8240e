/** What the guide of the ways in promises of the other guides; `deno task test:npm` runs the ways themselves. */

import { assert, assertEquals } from "@std/assert";
import { ENTRY_POINTS } from "../../scripts/entry_points.ts";
import { find_documents, read } from "./document.ts";

Deno.test("docs/installation.md: its import map has what the documentation's programs import", async () => {
  const { blocks } = await read("docs/installation.md");
  const map = blocks.find(({ meta }) => meta.startsWith("deno.json"));
  const { imports } = JSON.parse(map?.code ?? "");
  for (const { specifier, file } of ENTRY_POINTS) {
    assertEquals(imports[specifier], `../asyncio/${file.pathname.split("/").at(-1)}`);
  }
  const guides = await Promise.all(
    (await find_documents()).filter((path) => /^(docs\/\w+|README)\.md$/.test(path)).map(read),
  );
  const imported = guides.flatMap(({ blocks }) =>
    blocks.filter(({ language }) => ["ts", "js"].includes(language)).flatMap(({ code }) =>
      [...code.matchAll(/^(?:import|export) .*?"(@[^"]+)";$|^\} from "(@[^"]+)";$/gm)]
        .map(([, whole, last]) => whole ?? last ?? "")
    )
  );
  assert(imported.length > 100);
  assertEquals(new Set(imported).difference(new Set(Object.keys(imports))), new Set());
});
