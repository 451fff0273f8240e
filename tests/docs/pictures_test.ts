/** The pictures that the documentation shows. */

import { assert } from "@std/assert";

Deno.test("the picture of the crawler in the README is of today's labels: times have at most three digits", async () => {
  const picture = await Deno.readTextFile(new URL("../../docs/crawler_trace.svg", import.meta.url));
  const texts = [...picture.matchAll(/<(?:title|text)[^>]*>([^<]*)/g)].map(([, text]) => text!);
  const times = texts.flatMap((text) => [...text.matchAll(/(?<![\w:/.])[\d.]+(?= m?s\b|$)/g)]);
  assert(times.length > 50);
  for (const [time] of times) {
    const digits = time.replace(".", "").replace(/^0+/, "").length;
    assert(digits <= 3, time);
  }
  // A wait that is made of the library's own functions has a name.
  assert(texts.some((text) => text.startsWith("waits: from_promise, ")));
});
