/**
 * Tasks that have ended, and tasks made by them that wait: prints how many of the former are still held.
 *
 * `deno run --v8-flags=--expose-gc tests/soak/creators.ts`
 */

import * as asyncio from "../../mod.ts";

declare const gc: () => void;

const never = new asyncio.Event();

const CHILDREN: readonly (() => asyncio.CoroutineLike<unknown>)[] = [
  () => async () => await never.wait(),
  () =>
    function* () {
      yield* never.wait();
    },
  () => () => asyncio.async_with(new asyncio.Lock(), () => never.wait()),
  () => () => asyncio.async_with(new asyncio.Lock(), async () => void await never.wait()),
  () => never.wait(),
];

async function make_creators(): Promise<WeakRef<asyncio.Task<unknown>>[]> {
  const creators: WeakRef<asyncio.Task<unknown>>[] = [];
  for (let round = 0; round < 5; round++) {
    for (const make_child of CHILDREN) {
      for (const eager_start of [false, true]) {
        const creator = asyncio.create_task(async () => {
          await asyncio.sleep(0);
          asyncio.create_task(make_child(), { eager_start });
        });
        creators.push(new WeakRef(creator));
        await asyncio.wait([creator]);
      }
    }
  }
  return creators;
}

await asyncio.run(async () => {
  const creators = await make_creators();
  // In a later turn of the host, which until then holds what was awaited last; on a busy machine in a few.
  let held = creators.length;
  for (let round = 0; round < 20 && held > 1; round++) {
    await asyncio.sleep(0.01);
    gc();
    held = creators.filter((creator) => creator.deref() !== undefined).length;
  }
  console.log(`${held} of ${creators.length} creators are still held`);
});
