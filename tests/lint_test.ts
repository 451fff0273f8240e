/** The rules for linters, in `deno lint` and in ESLint 9 and 10. */

import { assert, assertEquals } from "@std/assert";
import "typescript"; // the version that the parser takes
import * as parser from "@typescript-eslint/parser";
import { Linter } from "eslint";
import { Linter as Linter9 } from "eslint9";
import plugin from "../lint.ts";

const NAMESPACE = 'import * as asyncio from "@pythonic/asyncio";\n';
const NAMED =
  'import { create_task, from_promise, sleep, run, Queue, BaseException, coroutine } from "npm:@pythonic/asyncio@1";\n';

interface Cases {
  readonly right: readonly string[];
  /** What is wrong, and what a fix makes of it; `null` if there is none. */
  readonly wrong: readonly (readonly [code: string, fixed: string | null])[];
}

const CASES: Readonly<Record<string, Cases>> = {
  "no-floating-coroutine": {
    right: [
      `${NAMESPACE}await asyncio.sleep(1);`,
      `${NAMESPACE}const nap = asyncio.sleep(1);`,
      `${NAMESPACE}asyncio.create_task(asyncio.sleep(1));`,
      `${NAMESPACE}asyncio.gather(asyncio.sleep(1));`,
      `import { sleep } from "other";\nsleep(1);`,
      `${NAMESPACE}const queue = new asyncio.Queue();\nqueue.put_nowait(1);`,
      `${NAMESPACE}const map = new Map();\nmap.get(1);`,
    ],
    wrong: [
      [`${NAMESPACE}asyncio.sleep(1);`, `${NAMESPACE}await asyncio.sleep(1);`],
      [
        `${NAMED}async function f() { sleep(1); }`,
        `${NAMED}async function f() { await sleep(1); }`,
      ],
      [
        `${NAMED}const f = coroutine(function* () { sleep(1); });`,
        `${NAMED}const f = coroutine(function* () { yield* sleep(1); });`,
      ],
      [`${NAMED}function f() { sleep(1); }`, null],
      [`${NAMED}void sleep(1);`, null],
      [
        `${NAMED}const work = coroutine(async () => {});\nwork();`,
        `${NAMED}const work = coroutine(async () => {});\nawait work();`,
      ],
      [
        `${NAMESPACE}const queue = new asyncio.Queue<number>();\nasync function f() { queue.put(1); }`,
        `${NAMESPACE}const queue = new asyncio.Queue<number>();\nasync function f() { await queue.put(1); }`,
      ],
    ],
  },
  "no-started-call": {
    right: [
      `${NAMED}async function main() {}\nget_event_loop().run_until_complete(main());`,
      `${NAMED}{ const work = async () => {}; }\n{ const work = () => async () => {};\ncreate_task(work()); }`,
      `${NAMESPACE}async function main() {}\nasyncio.run(main);`,
      `${NAMESPACE}async function main(n: number) {}\nasyncio.run(() => main(1));`,
      `${NAMED}const work = coroutine(async () => {});\ncreate_task(work());`,
      `${NAMED}create_task(sleep(1));`,
      `${NAMESPACE}async function work() {}\nasyncio.gather(work());`,
      `${NAMESPACE}function work() { return asyncio.sleep(1); }\nasyncio.run(work());`,
      `${NAMED}{ async function work() {} work(); }\n{ const work = coroutine(async () => {}); create_task(work()); }`,
      `${NAMED}async function work() {}\nfunction start(work) { create_task(work()); }`,
      `async function main() {}\nfunction run(main: unknown) {}\nrun(main());`,
    ],
    wrong: [
      [
        `${NAMESPACE}async function main() {}\nawait asyncio.run(main());`,
        `${NAMESPACE}async function main() {}\nawait asyncio.run(main);`,
      ],
      [
        `${NAMED}const work = async (n: number) => {};\ncreate_task(work(1));`,
        `${NAMED}const work = async (n: number) => {};\ncreate_task(() => work(1));`,
      ],
      [
        `${NAMED}async function work() {}\nfunction f(group) { group.create_task(work()); }`,
        `${NAMED}async function work() {}\nfunction f(group) { group.create_task(work); }`,
      ],
      [
        `${NAMED}run((async () => {})());`,
        `${NAMED}run(() => (async () => {})());`,
      ],
    ],
  },
  "no-swallowed-cancellation": {
    right: [
      `${NAMED}async function f() { try { await sleep(1); } catch (error) { if (error instanceof BaseException) throw error; } }`,
      `${NAMED}async function f() { try { await sleep(1); } catch (error) { throw new Error("late", { cause: error }); } }`,
      `${NAMED}async function f() { try { await fetch("/"); } catch { console.log("gone"); } }`,
      `${NAMED}async function f() { try { JSON.parse(""); } catch { await sleep(1); } }`,
      `${NAMED}async function f() { try { create_task(async () => { await sleep(1); }); } catch {} }`,
      `${NAMESPACE}async function f() { try { await asyncio.sleep(1); } catch (e) { console.log(e instanceof asyncio.CancelledError); } }`,
      `${NAMED}async function f() { try { await sleep(1); } finally { console.log(); } }`,
      `${NAMED}async function f() { try { await sleep(1); } catch (e) { assertInstanceOf(e, TypeError); } }`,
      `${NAMED}async function f() { try { await sleep(1); } catch (e) { assert.ok(e instanceof TypeError); } }`,
      `${NAMED}async function f() { try { await sleep(1); } catch (e) { if (!(e instanceof TypeError)) { throw e; } } }`,
    ],
    wrong: [
      [
        `${NAMED}async function f() { try { await sleep(1); } catch (error) { console.log(error); } }`,
        `${NAMED}async function f() { try { await sleep(1); } catch (error) { if (error instanceof BaseException) throw error; console.log(error); } }`,
      ],
      [
        `${NAMESPACE}async function f() { while (true) { try { await asyncio.sleep(1); } catch (e) {} } }`,
        `${NAMESPACE}async function f() { while (true) { try { await asyncio.sleep(1); } catch (e) { if (e instanceof asyncio.BaseException) throw e;} } }`,
      ],
      [`${NAMED}async function f() { try { await sleep(1); } catch { console.log(); } }`, null],
      [`${NAMED}async function f() { try { await sleep(1); } catch { assert(true); } }`, null],
      [
        `${NAMED}const f = coroutine(function* () { try { yield* sleep(1); } catch (e) { console.log(e); } });`,
        `${NAMED}const f = coroutine(function* () { try { yield* sleep(1); } catch (e) { if (e instanceof BaseException) throw e; console.log(e); } });`,
      ],
      [
        `${NAMED}async function f() { try { await sleep(1); } catch { [1].map(() => { throw 1; }); } }`,
        null,
      ],
    ],
  },
  "no-native-await": {
    right: [
      `${NAMED}create_task(async () => { await from_promise((signal) => fetch("/", { signal })); });`,
      `${NAMED}async function load() { return await fetch("/"); }`,
      `${NAMED}create_task(async () => { await from_promise(async (signal) => { await fetch("/"); }); });`,
      `import * as other from "other";\nother.create_task(async () => { await fetch("/"); });`,
      `${NAMED}create_task(async (fetch) => { await fetch("/"); });`,
      `${NAMED}create_task(async (Deno) => { await Deno.remove("a"); });`,
      `${NAMED}async function load() { return await Deno.readTextFile("a"); }`,
      `${NAMED}create_task(async () => { await readFile("a"); });`,
      `${NAMED}import { readFile } from "fs/promises";\ncreate_task(async () => { await from_promise(readFile("a")); });`,
      `${NAMED}create_task(async () => { await request.json(); await parsed.text(); });`,
      `${NAMED}create_task(async () => { await new Server(); });`,
      `${NAMED}create_task(async () => { const r = await fetch.get("/"); await r.json(); });`,
    ],
    wrong: [
      [
        `${NAMED}create_task(async () => { await fetch("/"); });`,
        `${NAMED}create_task(async () => { await from_promise((signal) => fetch("/", { signal })); });`,
      ],
      [
        `${NAMESPACE}async function load() { await asyncio.sleep(1); return await fetch(url); }`,
        `${NAMESPACE}async function load() { await asyncio.sleep(1); return await asyncio.from_promise((signal) => fetch(url, { signal })); }`,
      ],
      [`${NAMED}create_task(async () => { await fetch("/", { method: "PUT" }); });`, null],
      [
        `${NAMED}create_task(async () => { const r = await from_promise((signal) => fetch("/", { signal })); return await r.json(); });`,
        `${NAMED}create_task(async () => { const r = await from_promise((signal) => fetch("/", { signal })); return await from_promise(r.json()); });`,
      ],
      [
        `${NAMED}create_task(async () => (await (await from_promise(() => fetch("/"))).text()));`,
        `${NAMED}create_task(async () => (await from_promise((await from_promise(() => fetch("/"))).text())));`,
      ],
      [
        `${NAMED}create_task(async () => { await Deno.readTextFile("a"); });`,
        `${NAMED}create_task(async () => { await from_promise(Deno.readTextFile("a")); });`,
      ],
      [
        `${NAMED}import { readFile as read } from "node:fs/promises";\ncreate_task(async () => { await read("a"); });`,
        `${NAMED}import { readFile as read } from "node:fs/promises";\ncreate_task(async () => { await from_promise(read("a")); });`,
      ],
      [
        `${NAMED}import fs from "node:fs";\ncreate_task(async () => { await fs.promises.rm("a"); });`,
        `${NAMED}import fs from "node:fs";\ncreate_task(async () => { await from_promise(fs.promises.rm("a")); });`,
      ],
      [
        `${NAMESPACE}import * as timers from "timers/promises";\nasyncio.run(async () => { await timers.setTimeout(5); });`,
        `${NAMESPACE}import * as timers from "timers/promises";\nasyncio.run(async () => { await asyncio.from_promise(timers.setTimeout(5)); });`,
      ],
      [
        `${NAMESPACE}import { once } from "node:events";\nasyncio.run(async () => { await once(server, "close"); });`,
        `${NAMESPACE}import { once } from "node:events";\nasyncio.run(async () => { await asyncio.from_promise(once(server, "close")); });`,
      ],
      [
        `${NAMESPACE}asyncio.run(async () => { await new Promise((go) => setTimeout(go, 1500)); });`,
        `${NAMESPACE}asyncio.run(async () => { await asyncio.sleep(1.5); });`,
      ],
      [
        `${NAMESPACE}asyncio.run(async () => { await new Promise((go) => setTimeout(go, pause)); });`,
        null,
      ],
      [
        `${NAMESPACE}asyncio.run(async () => { await new Promise((go) => server.once("open", go)); });`,
        `${NAMESPACE}asyncio.run(async () => { await asyncio.from_promise(new Promise((go) => server.once("open", go))); });`,
      ],
    ],
  },
  "no-unbound-method": {
    right: [
      `${NAMESPACE}asyncio.get_running_loop().call_soon(console.log, 1);`,
      `${NAMESPACE}asyncio.get_running_loop().call_soon(() => server.close());`,
      `${NAMESPACE}asyncio.get_running_loop().call_later(options.delay, work);`,
      `${NAMESPACE}loop.add_signal_handler("SIGUSR2", asyncio.print_all_tasks);`,
      `${NAMESPACE}asyncio.create_task(jobs.first);`,
      `loop.call_soon(server.close);`,
    ],
    wrong: [
      [`${NAMESPACE}asyncio.get_running_loop().call_soon(server.close);`, null],
      [`${NAMESPACE}loop.call_later(1, future.set_result, 1);`, null],
      [`${NAMESPACE}class A { f(task) { task.add_done_callback(this.on_done); } }`, null],
    ],
  },
  "no-promise-combinator": {
    right: [
      `${NAMED}await Promise.all([sleep(1), sleep(2)]);`,
      `${NAMED}await Promise.race([fetch("/"), fetch("/other")]);`,
      `${NAMED}await Promise.race(promises);`,
    ],
    wrong: [
      [`${NAMED}await Promise.race([sleep(1), fetch("/")]);`, null],
      [`${NAMESPACE}await Promise.allSettled([asyncio.gather(a, b)]);`, null],
    ],
  },
  "no-returned-task": {
    right: [
      `${NAMED}function start() { return create_task(work); }`,
      `${NAMED}async function start() { return await create_task(work); }`,
      `${NAMED}const start = () => create_task(work);`,
      `${NAMED}async function start() { const task = create_task(work); return [task]; }`,
    ],
    wrong: [
      [`${NAMED}async function start() { return create_task(work); }`, null],
      [`${NAMED}const start = async () => create_task(work);`, null],
      [`${NAMESPACE}async function start(group) { return group.create_task(work); }`, null],
    ],
  },
};

/** What a linter finds with one rule, and what its fixes make of the code. */
type Lint = (rule: string, code: string) => { readonly found: number; readonly fixed: string };

const LINTERS: Readonly<Record<string, Lint>> = {
  "deno lint"(rule, code) {
    const { [rule]: only } = plugin.rules;
    const found = Deno.lint.runPlugin(
      { name: "asyncio", rules: { [rule]: only } } as never,
      "program.ts",
      code,
    );
    let fixed = code;
    const fixes = found.flatMap(({ fix }) => fix ?? []);
    for (const { range, text } of fixes.toSorted((one, other) => other.range[0] - one.range[0])) {
      fixed = fixed.slice(0, range[0]) + (text ?? "") + fixed.slice(range[1]);
    }
    return { found: found.length, fixed };
  },
  "ESLint 10": eslint(Linter),
  "ESLint 9": eslint(Linter9),
};

function eslint(Class: typeof Linter): Lint {
  return (rule, code) => {
    const config = {
      files: ["**/*.ts"],
      languageOptions: { parser },
      plugins: { asyncio: plugin },
      rules: { [`asyncio/${rule}`]: "error" },
    };
    const linter = new Class();
    const messages = linter.verify(code, [config] as never, "program.ts");
    assert(messages.every(({ fatal }) => !fatal), JSON.stringify(messages));
    const { output } = linter.verifyAndFix(code, [config] as never, "program.ts");
    return { found: messages.length, fixed: output };
  };
}

for (const [linter, lint] of Object.entries(LINTERS)) {
  for (const [rule, { right, wrong }] of Object.entries(CASES)) {
    Deno.test(`${rule}: in ${linter}`, () => {
      for (const code of right) assertEquals(lint(rule, code).found, 0, code);
      for (const [code, fixed] of wrong) {
        const result = lint(rule, code);
        assertEquals(result.found, 1, code);
        assertEquals(result.fixed, fixed ?? code);
        if (fixed !== null) assertEquals(lint(rule, fixed).found, 0, fixed);
      }
    });
  }
}

Deno.test("lint: every rule is tested, described and in the recommended configuration", () => {
  const names = Object.keys(plugin.rules);
  assertEquals(Object.keys(CASES).toSorted(), names.toSorted());
  const { recommended } = plugin.configs;
  assertEquals(Object.keys(recommended.rules), names.map((name) => `asyncio/${name}`));
  const linter = new Linter();
  const config = [recommended, { languageOptions: { parser } }];
  const messages = linter.verify(`${NAMESPACE}asyncio.sleep(1);`, config as never, "program.js");
  assertEquals(messages.map(({ ruleId }) => ruleId), ["asyncio/no-floating-coroutine"]);
});
