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
    const result = [await from_host, await asyncio.wait_for(asyncio.sleep(0.002, "slept"), 5)];
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
  const { stdout, stderr } = await child(`fake();${USE}`, { before: FAKE });
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
    { before: FAKE },
  );
  assertEquals(stdout, ["slept"]);
});

Deno.test("EventLoop: nor do fakes that were there before, where node:timers has the host's", async () => {
  const { stdout } = await child(USE, { before: `${FAKE} fake();` });
  assertEquals(stdout, USED);
});

Deno.test("EventLoop: fakes of @sinonjs/fake-timers that were there before stop time and not the turns", async () => {
  const { code, stdout } = await child(
    `
    const sleeper = asyncio.run(() => asyncio.sleep(0.001, "slept"));
    const { VirtualClockEventLoop } = await import(${
      JSON.stringify(import.meta.resolve("@pythonic/asyncio/testing"))
    });
    const loop_factory = () => new VirtualClockEventLoop();
    console.log(await asyncio.run(() => asyncio.sleep(3600, "virtual"), { loop_factory }));
    console.log(await asyncio.run(() => asyncio.to_thread(() => "called")));
    await new Promise((done) => host_timeout(done, 10));
    clock.tick(10);
    console.log(await sleeper);`,
    {
      before: `
    const host_timeout = setTimeout;
    const { install } = await import(${
        JSON.stringify(import.meta.resolve("@sinonjs/fake-timers"))
      });
    const clock = install();`,
    },
  );
  assertEquals([stdout, code], [["virtual", "called", "slept"], 0]);
});

/** Removes globals; `host_timeout` stays. */
const without = (...names: string[]) =>
  `const host_timeout = setTimeout, { console } = globalThis, { exit } = process;
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
    const { code, stdout, stderr } = await child(`${USE} exit(0);`, {
      before: without(...names),
    });
    assertEquals([stdout, stderr, code], [USED, [], 0]);
  });
}

Deno.test("sleep: an error says that the host has no timers, where one is needed", async () => {
  const { stdout } = await child(
    `
    console.log(await asyncio.run(() => asyncio.sleep(0, "no time needed")));
    try {
      await asyncio.run(() => asyncio.sleep(60));
    } catch (error) {
      console.log(error.message);
    }`,
    { before: without("process", "setTimeout") },
  );
  assertEquals(stdout[0], "no time needed");
  assertMatch(stdout[1] ?? "", /^Cannot wait for a timer: this host has no setTimeout$/);
});

/** A host whose timers and turns end with the request in which they were set. */
const REQUESTS = `
  const host_timeout = setTimeout, { exit } = process;
  let request = { is_over: false };
  const of_request = (set) => (callback, ...args) => {
    const mine = request;
    return set(() => {
      if (mine.is_over) return;
      request = mine;
      callback();
    }, ...args);
  };
  globalThis.setTimeout = of_request(setTimeout);
  globalThis.setImmediate = of_request(setImmediate);
  Object.defineProperty(globalThis, "process", { value: undefined });
  Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Cloudflare-Workers" } });
  async function handle(work) {
    const mine = request = { is_over: false };
    const limit = new Promise((done) => host_timeout(done, 2000, "hangs"));
    console.log(await Promise.race([work(), limit]));
    mine.is_over = true;
  }`;

Deno.test("get_event_loop: the default loop goes on when a request has ended in which it waited", async () => {
  const { stdout } = await child(
    `
    await handle(async () => {
      void asyncio.create_task(() => asyncio.sleep(0.001));
      return "leaves a turn behind";
    });
    await handle(() => asyncio.sleep(0.002, "slept"));
    await handle(async () => {
      void asyncio.create_task(() => asyncio.sleep(0.01));
      return await asyncio.sleep(0.001, "leaves a timer behind");
    });
    await handle(() => asyncio.sleep(0.02, "slept longer"));
    await handle(async () => {
      void asyncio.create_task(() => new Promise(() => {}));
      await asyncio.sleep(0);
      return "leaves a native promise behind";
    });
    await handle(() => asyncio.wait_for(asyncio.sleep(0.001, "in time"), 1));
    exit(0);`,
    { before: REQUESTS },
  );
  assertEquals(stdout, [
    "leaves a turn behind",
    "slept",
    "leaves a timer behind",
    "slept longer",
    "leaves a native promise behind",
    "in time",
  ]);
});

Deno.test({
  name: "import: Deno loads none of its node modules for it, but when they are first needed",
  ignore: !("Deno" in globalThis),
  async fn() {
    const names = ["process", "Buffer", "setTimeout", "setInterval", "setImmediate"];
    const { stdout, stderr } = await child(
      `
      console.log("imported", read.join(" "));
      console.log(await asyncio.run(async () => {
        // On a busy machine a single sleep may need no turn of the host.
        for (const end = Date.now() + 50; Date.now() < end;) await asyncio.sleep(0);
        return await asyncio.sleep(0.1, "slept");
      }));
      console.log(read.includes("setTimeout") && read.includes("setImmediate"));`,
      {
        before: `const read = [];
        for (const name of ${JSON.stringify(names)}) {
          const { get } = Object.getOwnPropertyDescriptor(globalThis, name);
          const count = () => (read.push(name), get.call(globalThis));
          Object.defineProperty(globalThis, name, { get: count, configurable: true });
        }`,
      },
    );
    assertEquals([stdout, stderr], [["imported ", "slept", "true"], []]);
  },
});
