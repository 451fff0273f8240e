/** Reports of coroutines that were made and never awaited. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { child } from "./child.ts";

const FORGOTTEN = {
  "in a run that continues": `await asyncio.run(async () => {
    new asyncio.Queue().put(1);
    await asyncio.sleep(0.001);
  });`,
  "in the last step of a run": `await asyncio.run(async () => {
    new asyncio.Queue().put(1);
  });`,
  "outside of every loop": `new asyncio.Queue().put(1);`,
};

for (const [where, program] of Object.entries(FORGOTTEN)) {
  Deno.test(`Coroutine: one that is never awaited is reported when the program ends, ${where}`, async () => {
    const { code, stderr } = await child(program);
    assertEquals([code, stderr], [0, ["coroutine 'Queue.put' was never awaited"]]);
  });
}

Deno.test("Coroutine: what the library awaits by itself is not reported", async () => {
  const { code, stderr } = await child(`
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const later = async () => { await asyncio.sleep(0.002); return 1; };
    const fail = async () => { await asyncio.sleep(0.001); throw new Error("failed"); };
    function* steps() { yield* asyncio.sleep(0.001); return 2; }
    const soon = () => {
      const future = asyncio.get_running_loop().create_future();
      asyncio.get_running_loop().call_later(0.001, () => future.done() || future.set_result(3));
      return future;
    };
    const ignore = () => {};
    await asyncio.run(async () => {
      for (const aw of [later, steps, () => soon(), () => later(), async () => await pause(1)]) {
        await asyncio.wait_for(aw, 1);
        await asyncio.wait_for(aw, 0.0001).catch(ignore);
        await asyncio.wait_for(aw, 0).catch(ignore);
        await asyncio.create_task(aw);
        await asyncio.create_task(aw, { eager_start: true });
        await asyncio.gather(aw, aw);
        await asyncio.shield(asyncio.create_task(aw));
        await asyncio.async_with(asyncio.timeout(1), aw);
        await asyncio.async_with(asyncio.timeout(0.0001), aw).catch(ignore);
        await asyncio.async_with(new asyncio.Lock(), aw);
        await asyncio.coroutine(aw)();
        await asyncio.staggered_race([fail, aw], 0.001);
        for await (const task of asyncio.as_completed([aw, aw])) await task;
        await asyncio.wait([asyncio.create_task(aw)]);
        const task = asyncio.create_task(aw);
        await asyncio.sleep(0);
        task.cancel();
        await task.catch(ignore);
        asyncio.create_task(aw).cancel();
        await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
          group.create_task(aw);
          group.create_task(fail);
        }).catch(ignore);
      }
      await asyncio.wait_for(soon(), 1);
      await asyncio.wait_for(pause(1), 1);
      await asyncio.from_promise(pause(1));
      await asyncio.from_promise(() => pause(1));
      await asyncio.wait_for(asyncio.from_promise(() => pause(1)), 0.0001).catch(ignore);
      const queue = new asyncio.Queue(1);
      await asyncio.gather(async () => {
        for (const n of [1, 2, 3]) await queue.put(n);
        queue.shutdown();
      }, async () => { for await (const _ of queue); });
      const condition = new asyncio.Condition();
      await asyncio.async_with(condition, () => condition.wait_for(() => true));
    });
    await asyncio.sleep(0.001);
    await asyncio.gather(later, steps);
  `);
  assertEquals([code, stderr], [0, []]);
});

Deno.test("Coroutine.send: a coroutine that is driven by hand is not reported", async () => {
  const { code, stderr } = await child(`
    const work = asyncio.coroutine(function* work() { yield; });
    const [sent, thrown] = [work(), work()];
    await asyncio.run(() => asyncio.sleep(0.001));
    sent.send();
    try { thrown.throw(new Error("thrown")); } catch {}
  `);
  assertEquals([code, stderr], [0, []]);
});

Deno.test("run: in debug mode a program that makes more coroutines than can be noted is told so, and others are noted again after it", async () => {
  const { code, stderr } = await child(`
    const work = asyncio.coroutine(function* work() {});
    const forgotten = asyncio.coroutine(function* forgotten() {});
    await asyncio.run(async function main() {
      for (let made = 0; made < 100_000; made++) work().close();
      for (let made = 0; made < 50; made++) work();
      for (let pauses = 0; pauses < 20; pauses++) await asyncio.sleep(0.001);
      forgotten();
    }, { debug: true });
  `);
  assertEquals(code, 0);
  const reports = stderr.join("\n").split(/^coroutine /m).slice(1);
  assertEquals(reports.length, 51);
  const not_noted = "'work' was never awaited\nCoroutine created at (most recent call first):\n" +
    "    (not noted: the program makes too many to note them all)\n";
  assert(reports.includes(not_noted), reports[0]);
  assertMatch(reports.at(-1) ?? "", /^'forgotten' was never awaited\n.*\n\s+at .*main/);
});
