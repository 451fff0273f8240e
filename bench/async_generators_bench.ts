/**
 * Async generators and the tools over them, beside those of the language.
 *
 * @module
 */

import { async_generator, run } from "../mod.ts";
import { aenumerate } from "../itertools.ts";

const ITEMS = 1_000;
const GROUP = "1,000 items";

async function* count() {
  for (let item = 0; item < ITEMS; item++) yield item;
}

const counted = async_generator(count);

Deno.bench({
  name: "async function*",
  group: GROUP,
  baseline: true,
  async fn() {
    for await (const _ of count());
  },
});

Deno.bench({
  name: "async_generator",
  group: GROUP,
  async fn() {
    await run(async () => {
      for await (const _ of counted());
    });
  },
});

Deno.bench({
  name: "aenumerate of an async function*",
  group: GROUP,
  async fn() {
    await run(async () => {
      for await (const _ of aenumerate(count()));
    });
  },
});
