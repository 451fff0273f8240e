/**
 * Async generators and the tools over them, beside those of the language.
 *
 * @module
 */

import { async_generator, run } from "../mod.ts";
import { aenumerate, afilter, amap } from "../itertools.ts";

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

const STAGE = "1,000 items through a function";

async function* doubled(source: AsyncIterable<number>) {
  for await (const item of source) yield 2 * item;
}

Deno.bench({
  name: "async function* of an async function*",
  group: STAGE,
  baseline: true,
  async fn() {
    for await (const _ of doubled(count()));
  },
});

Deno.bench({
  name: "amap of an async function*",
  group: STAGE,
  async fn() {
    await run(async () => {
      for await (const _ of amap((item: number) => 2 * item, count()));
    });
  },
});

Deno.bench({
  name: "afilter of an async function*",
  group: STAGE,
  async fn() {
    await run(async () => {
      for await (const _ of afilter((item: number) => item >= 0, count()));
    });
  },
});
