// What iscoroutine and isawaitable say of each kind of object.
// Run it: deno run examples/seed/awaitables.ts

import * as asyncio from "../../mod.ts";

const countdown = asyncio.coroutine(async () => {
  await asyncio.sleep(0);
});

const old_style = asyncio.coroutine(function* () {
  yield* asyncio.sleep(0);
});

async function* powers() {
  yield 1;
}

function* numbers() {
  yield 1;
}

async function main() {
  const coro = countdown();
  const pause = asyncio.sleep(0);
  const old = old_style();
  const task = asyncio.create_task(countdown());
  const future = asyncio.get_running_loop().create_future();
  const kinds: [string, unknown][] = [
    ["coroutine", coro],
    ["sleep(0)", pause],
    ["task", task],
    ["future", future],
    ["other awaitable", Promise.resolve()],
    ["coroutine function", countdown],
    ["generator", numbers()],
    ["async generator", powers()],
    ["number", 42],
  ];
  console.log(`${" ".repeat(20)}iscoroutine  isawaitable`);
  for (const [name, kind] of kinds) {
    const iscoroutine = `${asyncio.iscoroutine(kind)}`;
    const isawaitable = `${asyncio.isawaitable(kind)}`;
    console.log(`${name.padEnd(20)}${iscoroutine.padEnd(13)}${isawaitable}`);
  }

  // The coroutines of Python 3.4 were generators; they can be awaited still.
  console.log(`generator coroutine: isawaitable ${asyncio.isawaitable(old)}`);

  for (const unused of [coro, pause, old]) unused.close();
  await task;
}

await asyncio.run(main);
