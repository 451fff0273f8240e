/** The playground, in a browser: what programs print and show, and how they end. */

import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FIRST_STEPS, OWN, read_samples } from "../scripts/samples.ts";
import { browser_test } from "./browser.ts";
import { in_main } from "./page.ts";
import { expected_file } from "../../tests/seed/runs.ts";

/** How many tasks each program has; those that are not here have none. */
const TASKS: Readonly<Record<string, number>> = {
  task_group: 5,
  time_limit: 3,
  semaphore: 7,
  native_promise: 3,
  cancellation: 2,
  async_queue: 6,
  awaitables: 2,
  call_at: 1,
  call_later: 1,
  call_soon: 1,
  call_soon_threadsafe: 1,
  chained: 4,
  countasync: 4,
  countdown_async: 3,
  countdown_generators: 3,
  create_task: 2,
  get_running_loop: 2,
  mygen: 1,
  rand: 4,
  run_coroutine_threadsafe: 2,
  two_loops: 8,
  wait_timeout: 21,
};

const VIRTUAL = new URL("../../tests/docs/virtual_import_map.json", import.meta.url);

/** What one of the playground's own programs prints on Deno, on the virtual clock. */
async function printed_by_deno(name: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      `--import-map=${VIRTUAL.pathname}`,
      new URL(`${name}.ts`, OWN).pathname,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout);
}

const { chapters } = await read_samples();
const SAMPLES = chapters.flatMap(({ samples }) => samples);

browser_test(
  "every program prints what Deno prints, and its timeline shows every task",
  async (open, t) => {
    const playground = await open();
    for (const { name, virtual } of SAMPLES) {
      await t.step(name, async () => {
        await playground.pick(name);
        await playground.run();
        const run = { program: name, args: [], virtual, documented: false };
        const comparable = (text: string) => {
          const plain = stripVTControlCharacters(text).replaceAll("True", "true")
            .replaceAll("False", "false");
          return virtual ? plain : plain.replaceAll(/\d+\.\d+(?= seconds)/g, "_");
        };
        const expected = FIRST_STEPS.includes(name)
          ? await printed_by_deno(name)
          : await Deno.readTextFile(expected_file(run));
        assertEquals(comparable(await playground.output()), comparable(expected));
        assertMatch(await playground.status(), /^Finished in /);
        assertEquals(await playground.rows(), TASKS[name] ?? 0);
      });
    }
  },
);

const ERRORS: Readonly<Record<string, { source: string; message: string; line: number | null }>> = {
  "a syntax error": {
    source: "let x = 1;\n\nlet y = = 2;\n",
    message: "SyntaxError: Unexpected token",
    line: 3,
  },
  "a mistake that only the browser sees": {
    source: "const x = 1;\nconsole.log(x);\nconst x = 2;\n",
    message: "SyntaxError: Identifier 'x' has already been declared",
    line: 3,
  },
  "an error at the top level": {
    source: "interface Unused {\n  a: number;\n}\nthrow new RangeError('too far');\n",
    message: "RangeError: too far",
    line: 4,
  },
  "an error in a task, after a wait": {
    source: in_main("  await asyncio.sleep(1);", "  throw new TypeError('what is this?');"),
    message: "TypeError: what is this?",
    line: 4,
  },
  "an error in a task of a group": {
    source: in_main(
      "  await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {",
      "    group.create_task(async () => {",
      "      await asyncio.sleep(1);",
      "      throw new TypeError('what is this?');",
      "    });",
      "  });",
    ),
    message: "ExceptionGroup: unhandled errors in a TaskGroup\n  TypeError: what is this?",
    line: 6,
  },
  "a deadlock": {
    source: in_main("  await new asyncio.Event().wait();"),
    message: "DeadlockError: No task can be resumed and no timer is set:\n" +
      "  Task-1 (<lambda>()) waits on Event.wait()",
    line: null,
  },
  "a module that is not there": {
    source: 'import { x } from "nowhere";\nconsole.log(x);\n',
    message: 'Error: There is no module "nowhere" here',
    line: 1,
  },
  "a rejected promise that nobody waits for": {
    source: "const x = 1;\nPromise.reject(new Error(`lost ${x}`));\nawait new Promise(() => {});\n",
    message: "Error: lost 1",
    line: 2,
  },
  "something that is no error": {
    source: "throw { code: 7 };\n",
    message: "Uncaught { code: 7 }",
    line: null,
  },
};

browser_test("an error is shown with its line, and one can go there", async (open, t) => {
  const playground = await open();
  const { page } = playground;
  for (const [name, { source, message, line }] of Object.entries(ERRORS)) {
    await t.step(name, async () => {
      await playground.write(source);
      await playground.run();
      const text = line === null ? message : `${message} line ${line}`;
      assertEquals(await page.getByRole("log").locator(".error").innerText(), text);
      assertEquals(await playground.status(), "Ended by an error.");
      const marks = page.locator(".cm-lint-marker-error");
      assertEquals(await marks.count(), line === null ? 0 : 1);
      if (line === null) return;
      await page.getByRole("button", { name: `line ${line}` }).click();
      const at = await page.locator(".cm-lineNumbers .cm-activeLineGutter").innerText();
      assertEquals(at, String(line));
    });
  }
});

browser_test("an error in a task is in the timeline, too", async (open) => {
  const playground = await open();
  await playground.write(in_main(
    "  asyncio.create_task(async () => {",
    "    await asyncio.sleep(1);",
    "    throw new RangeError('too far');",
    "  }, { name: 'fails' });",
    "  const task = asyncio.create_task(asyncio.sleep(5), { name: 'cancelled' });",
    "  await asyncio.sleep(2);",
    "  task.cancel();",
  ));
  await playground.run();
  const picture = await playground.page.locator("#timeline svg").innerHTML();
  for (const text of ["RangeError('too far')", "cancel() called", "CancelledError thrown"]) {
    assertStringIncludes(picture, text);
  }
  assertStringIncludes(await playground.output(), "Task exception was never retrieved");
});

browser_test(
  "what never ends can be stopped, and what it did until then stays",
  async (open, t) => {
    const playground = await open();
    const { page } = playground;
    const endless = {
      "a loop that never waits": "console.log('begun');\nfor (;;);\n",
      "tasks that never end": in_main(
        "  console.log('begun');",
        "  for (;;) await asyncio.sleep(1);",
      ),
    };
    for (const [name, source] of Object.entries(endless)) {
      await t.step(name, async () => {
        await playground.write(source);
        await page.getByRole("button", { name: "Run" }).click();
        await page.locator("#output", { hasText: "begun" }).waitFor();
        await page.getByRole("button", { name: "Stop" }).click();
        await playground.ended();
        assertEquals(await playground.status(), "Stopped.");
        assertEquals(await playground.output(), "begun\n");
      });
    }
    await t.step("another program runs after it", async () => {
      await playground.write("console.log('again');\n");
      await playground.run();
      assertEquals(await playground.output(), "again\n");
    });
  },
);

browser_test("tasks of the default loop and real time need no run()", async (open) => {
  const playground = await open();
  await playground.page.getByRole("combobox", { name: "Time" }).selectOption("real");
  await playground.write([
    'import { create_task, sleep } from "@pythonic/asyncio";',
    "create_task(async () => {",
    "  await sleep(0.01);",
    "  console.log({ slept: [1, 'two'] });",
    "}, { name: 'left alone' });",
    "await sleep(0.001);",
  ].join("\n"));
  await playground.run();
  assertEquals(await playground.output(), '{ slept: [ 1, "two" ] }\n');
  assertEquals(await playground.rows(), 2);
});

browser_test("the picture and the trace can be saved", async (open) => {
  const playground = await open();
  const { page } = playground;
  const save = async (button: string) => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: button }).click();
    const file = await download;
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf-8") };
  };
  await playground.pick("chained");
  await playground.run();
  const picture = await save("Save picture");
  assertEquals(picture.name, "chained.svg");
  assertMatch(picture.text, /^<svg /);
  const trace = await save("Save for Perfetto");
  assertEquals(trace.name, "chained.trace.json");
  const { traceEvents } = JSON.parse(trace.text);
  assertEquals(traceEvents[0].args.name, "VirtualClockEventLoop 1");
});

browser_test(
  "20,000 lines do not freeze the page, and all but the last are counted",
  async (open) => {
    const playground = await open();
    const { page } = playground;
    await playground.write("for (let n = 1; n <= 20_000; n++) console.log(`line ${n}`);\n");
    const start = performance.now();
    await playground.run();
    // It took half a minute when each line was put into the page by itself.
    const took = performance.now() - start;
    assertEquals(took < 10_000, true, `${took} ms`);
    const lines = page.locator("#output > div");
    assertEquals(await lines.count(), 2000);
    assertEquals(await lines.first().textContent(), "(18001 lines before these)");
    assertEquals(await lines.last().textContent(), "line 20000\n");
  },
);

const PRINTED_VALUES = new URL("printed_values.ts", import.meta.url);

/** What is printed after each line that begins with `===`. */
function sections(printed: string): ReadonlyMap<string, string> {
  return new Map(
    printed.split(/^=== /m).slice(1).map((part) => {
      const [name = "", ...lines] = part.split("\n");
      return [name, lines.join("\n")];
    }),
  );
}

browser_test(
  "values of every kind, formats, tables and groups print as on Deno",
  async (open, t) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", PRINTED_VALUES.pathname],
      env: { NO_COLOR: "1" },
    }).output();
    const expected = sections(new TextDecoder().decode(stdout));
    const playground = await open();
    await playground.write(await Deno.readTextFile(PRINTED_VALUES));
    await playground.run();
    assertMatch(await playground.status(), /^Finished in /);
    const printed = sections(await playground.output());
    assertEquals([...printed.keys()], [...expected.keys()]);
    assertEquals(expected.size > 100, true);
    for (const [name, text] of expected) {
      await t.step(name, () => assertEquals(printed.get(name), text));
    }
  },
);

browser_test("an error is shown with what led to it", async (open) => {
  const playground = await open();
  await playground.write(
    "throw new Error('outer', { cause: new TypeError('inner') });\n",
  );
  await playground.run();
  const text = await playground.page.getByRole("log").locator(".error").innerText();
  assertEquals(text, "Error: outer\nCaused by: TypeError: inner line 1");
});

browser_test("a program of one's own survives a reload, and is in a link", async (open) => {
  const playground = await open();
  const { page } = playground;
  await playground.pick("rand");
  assertMatch(await page.title(), /^rand – /);
  const source = "console.log('mine: äöü, 🙂');\n";
  await playground.write(source);
  await page.getByRole("combobox", { name: "Time" }).selectOption("real");
  await page.waitForURL(/#program=/);
  assertMatch(await page.title(), /^your program – /);
  await page.waitForFunction(() => new Promise((resolve) => setTimeout(() => resolve(true), 400)));
  for (const address of [null, page.url()]) {
    if (address === null) await page.reload();
    else {
      await page.goto("about:blank");
      await page.goto(address);
    }
    await page.waitForSelector("body.is-ready");
    assertEquals(await page.getByRole("combobox", { name: "Time" }).inputValue(), "real");
    await playground.run();
    assertEquals(await playground.output(), "mine: äöü, 🙂\n");
  }
  await page.evaluate(() => location.hash = "program=cut-off");
  await page.waitForFunction(() => document.title.startsWith("task_group"));
  assertEquals(
    await page.locator("#summary").innerText(),
    "The address holds no whole program, so this is the first sample.",
  );
});

browser_test("a sample that was changed can be chosen again", async (open) => {
  const playground = await open();
  const { page } = playground;
  const picker = page.getByRole("combobox", { name: "Program" });
  await playground.pick("semaphore");
  await playground.write("console.log('mine');\n");
  assertEquals(await picker.locator("option:checked").innerText(), "your program");
  assertMatch(await page.locator("#summary").innerText(), /^Your program/);
  await playground.pick("semaphore");
  assertMatch(await page.locator(".cm-content").innerText(), /Semaphore/);
  assertMatch(await page.title(), /^semaphore – /);
});

browser_test("a run that failed elsewhere is replayed by its schedule", async (open) => {
  const source = await Deno.readTextFile(new URL("find_the_race.ts", OWN));
  const no_replay = "const replay: string | null = null;";
  assertStringIncludes(source, no_replay);
  const schedule = /replay: "(.*)"/.exec(await printed_by_deno("find_the_race"))?.[1];
  const playground = await open();
  await playground.write(source.replace(no_replay, `const replay = ${JSON.stringify(schedule)};`));
  await playground.run();
  assertStringIncludes(
    await playground.output(),
    `The run '${schedule}' fails again: Error: refresh token used twice: the session is over\n`,
  );
});
