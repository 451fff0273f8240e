/** Hosts as they are: functions that are replaced by fakes, before or after the library is loaded, or missing. */

import { assertEquals, assertMatch } from "@std/assert";
import { child } from "./child.ts";

/** Uses the loop in all of the ways in which it depends on the host. */
const USE = `
  const from_host = new Promise((done) => host_timeout(done, 5, "host"));
  const main = async () => {
    const loop = asyncio.get_running_loop();
    const event = new asyncio.Event();
    host_timeout(() => event.set(), 5);
    await event.wait();
    const result = [await from_host, await asyncio.wait_for(asyncio.create_task(asyncio.sleep(0.002, "slept")), 5)];
    return [...result, await asyncio.to_thread(() => "called"), loop.time() > 0];
  };
  console.log(...await asyncio.run(main));`;
const USED = ["host slept called true"];

/** Puts functions that never call anything in the place of the host's. */
const FAKE = `
  const host_timeout = setTimeout;
  const fake = () => {
    const never = () => ({ unref() {}, ref() {}, hasRef: () => false });
    for (const name of ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask"]) {
      globalThis[name] = never;
    }
    Date.now = () => 0;
    Object.defineProperty(globalThis, "performance", { value: { now: () => 0 } });
  };`;

Deno.test("EventLoop: fakes that are put in the place of the host's functions stop neither turns nor time", async () => {
  const { stdout, stderr } = await child(`fake();${USE}`, [], FAKE);
  assertEquals([stdout, stderr], [USED, []]);
});

Deno.test("EventLoop: nor do fakes that come in the middle of a run", async () => {
  const { stdout } = await child(
    `
    console.log(await asyncio.run(async () => {
      await asyncio.sleep(0.001);
      fake();
      await new Promise((done) => host_timeout(done, 2));
      return await asyncio.sleep(0.001, "slept");
    }));`,
    [],
    FAKE,
  );
  assertEquals(stdout, ["slept"]);
});

Deno.test("EventLoop: nor do fakes that were there before, where node:timers has the host's", async () => {
  const { stdout } = await child(USE, [], `${FAKE} fake();`);
  assertEquals(stdout, USED);
});

Deno.test("EventLoop: fakes of @sinonjs/fake-timers that were there before stop time and not the turns", async () => {
  const { code, stdout } = await child(
    `
    const sleeper = asyncio.run(() => asyncio.sleep(0.001, "slept"));
    const loop_factory = () => new asyncio.VirtualClockEventLoop();
    console.log(await asyncio.run(() => asyncio.sleep(3600, "virtual"), { loop_factory }));
    console.log(await asyncio.run(() => asyncio.to_thread(() => "called")));
    await new Promise((done) => host_timeout(done, 10));
    clock.tick(10);
    console.log(await sleeper);`,
    ["--config", new URL("../deno.json", import.meta.url).pathname],
    `
    const host_timeout = setTimeout;
    const { install } = await import(${
      JSON.stringify(import.meta.resolve("@sinonjs/fake-timers"))
    });
    const clock = install();`,
  );
  assertEquals([stdout, code], [["virtual", "called", "slept"], 0]);
});

/** Removes globals; `host_timeout` stays. */
const without = (...names: string[]) =>
  `const host_timeout = setTimeout, { console } = globalThis;
  for (const name of ${JSON.stringify(names)}) {
    Object.defineProperty(globalThis, name, { value: undefined, configurable: true, writable: true });
  }`;

const NOT_NEEDED = [
  ["FinalizationRegistry", "WeakRef"],
  ["performance"],
  ["MessageChannel", "EventTarget", "structuredClone"],
  ["process"],
  ["process", "setImmediate", "clearImmediate"],
  ["process", "setImmediate", "MessageChannel"],
  ["process", "setInterval", "performance", "setImmediate", "queueMicrotask"],
];

for (const names of NOT_NEEDED) {
  Deno.test(`EventLoop: works where the host has no ${names.join(", ")}`, async () => {
    // An open message channel keeps Deno alive, as it does not keep a page.
    const { code, stdout, stderr } = await child(`${USE} Deno.exit(0);`, [], without(...names));
    assertEquals([stdout, stderr, code], [USED, [], 0]);
  });
}

Deno.test("sleep: an error says that the host has no timers, where one is needed", async () => {
  const { stdout } = await child(
    `
    console.log(await asyncio.run(() => asyncio.sleep(0, "no time needed")));
    try {
      await asyncio.run(() => asyncio.sleep(0.001));
    } catch (error) {
      console.log(error.message);
    }`,
    [],
    without("process", "setTimeout"),
  );
  assertEquals(stdout[0], "no time needed");
  assertMatch(stdout[1] ?? "", /^Cannot wait for a timer: this host has no setTimeout$/);
});
