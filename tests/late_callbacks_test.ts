/** Callbacks of the host that come too late: the waiter has given up, or the loop is closed. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { child } from "./child.ts";

const PRELUDE = `
  const handler = (_, { message, exception, future }) =>
    console.log(message + ":", String(exception), ...future === undefined ? [] : [String(future)]);
  const host_sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  async function give_up(future) {
    await asyncio.wait_for(future, 0.001).catch((error) => console.log(error.name));
  }`;

const INVALID =
  "Exception in a callback of the host: InvalidStateError: invalid state <Future cancelled>";
const CLOSED = "Exception in a callback of the host: RuntimeError: Event loop is closed ";

const PROGRAMS: Record<string, [program: string, expected: string[]]> = {
  "Future.set_result: after its waiter has timed out": [
    `await asyncio.run(async () => {
      const loop = asyncio.get_running_loop();
      loop.set_exception_handler(handler);
      const future = loop.create_future();
      await give_up(future);
      setTimeout(() => future.set_result(1), 5);
      await host_sleep(10);
    });`,
    ["TimeoutError", INVALID],
  ],
  "Future.set_exception: in an async callback": [
    `await asyncio.run(async () => {
      const loop = asyncio.get_running_loop();
      loop.set_exception_handler(handler);
      const future = loop.create_future();
      await give_up(future);
      setTimeout(async () => {
        await null;
        future.set_exception(new Error("late"));
      }, 5);
      await host_sleep(10);
    });`,
    ["TimeoutError", INVALID],
  ],
  "Future.set_result: a caller that catches the error is left alone": [
    `await asyncio.run(async () => {
      const loop = asyncio.get_running_loop();
      loop.set_exception_handler(handler);
      const future = loop.create_future();
      await give_up(future);
      setTimeout(() => {
        try {
          future.set_result(1);
        } catch (error) {
          console.log("caught", error.name);
        }
      }, 5);
      await host_sleep(10);
    });`,
    ["TimeoutError", "caught InvalidStateError"],
  ],
  "Future.set_result: after the loop is closed": [
    `const loop = asyncio.new_event_loop();
    loop.set_exception_handler(handler);
    const future = loop.create_future();
    future.add_done_callback(() => {});
    setTimeout(() => future.set_result(1), 5);
    loop.close();
    await host_sleep(10);`,
    [CLOSED],
  ],
  "call_soon_threadsafe: after the loop is closed": [
    `const loop = asyncio.new_event_loop();
    loop.set_exception_handler(handler);
    setTimeout(() => loop.call_soon_threadsafe(() => console.log("called")), 5);
    loop.close();
    await host_sleep(10);`,
    [CLOSED],
  ],
  "create_task: after the loop is closed": [
    `const loop = asyncio.new_event_loop();
    loop.set_exception_handler(handler);
    setTimeout(() => loop.create_task(() => console.log("called")), 5);
    loop.close();
    await host_sleep(10);`,
    [CLOSED],
  ],
  "Task: after its loop is closed": [
    `const loop = asyncio.new_event_loop();
    loop.set_exception_handler(handler);
    setTimeout(() => new asyncio.Task(() => console.log("called"), { loop }), 5);
    loop.close();
    await host_sleep(10);`,
    [CLOSED],
  ],
  "wrap_future, next_event, run_in_executor: outcomes after the loop is closed": [
    `const target = new EventTarget();
    const loop = asyncio.new_event_loop();
    loop.set_exception_handler(handler);
    const event = await loop.run_until_complete(async () => {
      asyncio.wrap_future(host_sleep(5), { loop });
      loop.run_in_executor(null, () => 1);
      return [asyncio.next_event(target, "late")];
    });
    loop.close();
    target.dispatchEvent(new Event("late"));
    await host_sleep(10);`,
    [],
  ],
};

for (const [name, [program, expected]] of Object.entries(PROGRAMS)) {
  Deno.test(`${name}: the program goes on`, async () => {
    const { code, stdout, stderr } = await child(`${PRELUDE}${program}\nconsole.log("goes on");`);
    assertEquals([stdout, stderr, code], [
      [...expected.map((line) => line.trimEnd()), "goes on"],
      [],
      0,
    ]);
  });
}

Deno.test("Future.set_result: another error in the same callback still ends the program", async () => {
  const { code, stdout, stderr } = await child(`
    const future = asyncio.get_event_loop().create_future();
    future.cancel();
    setTimeout(() => {
      try {
        future.set_result(1);
      } catch {
        throw new Error("of the program");
      }
    }, 5);
    setTimeout(() => console.log("never printed"), 10_000);`);
  assertEquals([code, stdout], [1, []]);
  assertStringIncludes(stderr.join("\n"), "rror: of the program\n");
});
