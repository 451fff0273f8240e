/** The faults that are planted to see whether random programs find them can be planted. */

import { assertEquals } from "@std/assert";
import { FAULTS as OF_BORDER } from "./border/faults.ts";
import { FAULTS as OF_STRUCTURED } from "./structured/faults.ts";

for (const [suite, faults] of Object.entries({ border: OF_BORDER, structured: OF_STRUCTURED })) {
  Deno.test(`planted faults of ${suite}: the text of each stands once in its file`, async () => {
    const wrong: string[] = [];
    for (const { name, file, search } of faults) {
      const text = await Deno.readTextFile(new URL(`../${file}`, import.meta.url));
      if (text.split(search).length !== 2) wrong.push(`${name}: ${file}: ${search}`);
    }
    assertEquals(wrong, []);
  });
}
