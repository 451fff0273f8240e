/** The tasks of a program as a tree: in the program, and from outside by its inspector. */

import { assert, assertEquals } from "@std/assert";
import * as esbuild from "esbuild";
import * as asyncio from "../mod.ts";
import { main } from "../cli.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { free_port } from "./free_port.ts";

const { create_task, sleep } = asyncio;

const virtual = { loop_factory: () => new VirtualClockEventLoop() };

/** The tree without times. */
const without_times = (tree: string) => tree.replaceAll(/ for [\d.]+ (s|min|h)$/gm, "");

let end_native = () => {};

/** Tasks that wait in all ways. */
async function busy(ready: () => void) {
  await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
    const queue = new asyncio.Queue();
    const worker = group.create_task(async function worker() {
      await queue.get();
    }, { name: "worker" });
    group.create_task(async function native() {
      await new Promise<void>((resolve) => end_native = resolve);
    }, { name: "native" });
    group.create_task(async function both() {
      await asyncio.gather(worker, create_task(sleep(60), { name: "nap" }));
    }, { name: "both" });
    await new Promise((resolve) => setTimeout(resolve, 100));
    ready();
    await sleep(0);
  });
}

const TREE = [
  "└── (T) main",
  "    └── busy",
  "        └── async_with",
  "            └── TaskGroup.__aexit__",
  "                ├── (T) worker",
  "                │   └── worker",
  "                │       └── Queue.get",
  "                │           └── waits on Queue.get",
  "                ├── (T) native",
  "                │   └── native",
  "                │       └── waits on a native promise",
  "                └── (T) both",
  "                    └── both",
  "                        ├── (T) worker",
  "                        │   └── worker",
  "                        │       └── Queue.get",
  "                        │           └── waits on Queue.get",
  "                        └── (T) nap",
  "                            └── sleep",
  "                                └── waits on sleep(60)",
];

Deno.test("format_all_tasks: what a task runs and waits on, and the tasks that it awaits", async () => {
  let tree = "";
  await asyncio.run(async () => {
    const looking = create_task(busy_then(() => {}), { name: "main" });
    const loop = asyncio.get_running_loop();
    await sleep(0.3);
    await new Promise<void>((resolve) =>
      loop.call_soon(() => {
        tree = asyncio.format_all_tasks();
        resolve();
      })
    );
    looking.cancel();
    end_native();
    await looking.catch(() => {});
  }).catch(() => {});
  const lines = without_times(tree).split("\n");
  assertEquals(lines.slice(-TREE.length), TREE);
  assertEquals(tree.includes("worker\n"), true);
});

function busy_then(ready: () => void) {
  return asyncio.coroutine(busy)(ready);
}

Deno.test("format_all_tasks: how long a task has waited", async () => {
  await asyncio.run(async () => {
    create_task(() => new asyncio.Queue().get(), { name: "getter" });
    await sleep(0.4);
    const [, seconds] = asyncio.format_all_tasks().match(/Queue\.get for ([\d.]+) s/) ?? [];
    assert(Number(seconds) >= 0.3 && Number(seconds) < 5, seconds);
  });
});

Deno.test("format_all_tasks: tasks that wait for each other are shown, and end the tree", async () => {
  await asyncio.run(async () => {
    const tasks: asyncio.Task<void>[] = [];
    const wait_for_other = (index: number) => async () => {
      await tasks[index];
    };
    tasks.push(
      create_task(wait_for_other(1), { name: "a" }),
      create_task(wait_for_other(0), { name: "b" }),
    );
    await sleep(0);
    const lines = asyncio.format_all_tasks().split("\n").slice(-5);
    assertEquals(lines, [
      "└── (T) a",
      "    └── <lambda>",
      "        └── (T) b",
      "            └── <lambda>",
      "                └── (T) a, which waits for itself",
    ]);
    for (const task of tasks) task.cancel();
  }, virtual);
});

Deno.test("print_all_tasks: writes to a file, by default to the console's error stream, and can be a callback", async () => {
  const printed: unknown[] = [];
  const { error } = console;
  console.error = (...args: unknown[]) => printed.push(...args);
  try {
    await asyncio.run(async function shown() {
      let written = "";
      asyncio.print_all_tasks({ file: { write: (text) => written += text } });
      assert(written.includes("shown") && written.endsWith("\n"));
      asyncio.get_running_loop().call_soon(asyncio.print_all_tasks);
      await sleep(0);
    }, virtual);
  } finally {
    console.error = error;
  }
  assert(String(printed[0]).includes("shown"), String(printed));
});

/** Runs the command line and gives what it prints. */
async function printed_by(args: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const { log, error } = console;
  console.log = console.error = (line: string) => lines.push(line);
  try {
    return { code: await main(args), text: lines.join("\n") };
  } finally {
    Object.assign(console, { log, error });
  }
}

const PROGRAM = `
  import * as asyncio from ${JSON.stringify(new URL("../mod.ts", import.meta.url).pathname)};
  const { create_task, sleep } = asyncio;
  let end_native;
  setInterval(() => {}, 1000);
  const busy = ${busy};
  asyncio.run(() => asyncio.current_task().set_name("main") ?? busy(() => console.log("ready")));
`;

/** Runs the program of all waits while a function looks at it. */
async function while_busy(command: string, args: string[], look: (pid: number) => Promise<void>) {
  const child = new Deno.Command(command, { args, stdout: "piped", stderr: "null" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let text = "";
    while (!text.includes("ready")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`It has ended: ${text}`);
      text += value;
    }
    await look(child.pid);
  } finally {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  }
}

const HOSTS: Readonly<
  Record<string, (folder: string) => Promise<[command: string, args: string[]]>>
> = {
  async "Node.js"(folder) {
    const outfile = `${folder}/program.mjs`;
    await esbuild.build({
      stdin: { contents: PROGRAM, resolveDir: folder, loader: "ts" },
      bundle: true,
      format: "esm",
      platform: "node",
      keepNames: true,
      outfile,
    });
    await esbuild.stop();
    // Its inspector is opened by a signal; the port is given, since another program may have the usual one.
    return ["node", [`--inspect-port=127.0.0.1:${PORT}`, outfile]];
  },
  async Deno(folder) {
    const file = `${folder}/program.ts`;
    await Deno.writeTextFile(file, PROGRAM);
    return [Deno.execPath(), ["run", "-A", "--no-check", `--inspect=127.0.0.1:${PORT}`, file]];
  },
};

const PORT = free_port();

for (const [host, prepare] of Object.entries(HOSTS)) {
  Deno.test({
    name: `pstree, ps: show the tasks of a program on ${host}`,
    sanitizeResources: false, // esbuild's process, connections of fetch that are kept
    sanitizeOps: false,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await while_busy(...await prepare(folder), async (pid) => {
          const port = ["--port", String(PORT)];
          const tree = await printed_by(["pstree", ...port, String(pid)]);
          assertEquals(tree.code, 0, tree.text);
          const lines = without_times(tree.text).split("\n");
          // Its function is called by a lambda, which is not in the tree.
          assertEquals(
            lines.filter((line) => !/^ {4}└── (busy|<lambda>)$/.test(line)),
            TREE.filter((line) => !line.endsWith("busy")),
          );
          const table = await printed_by(["ps", ...port, String(pid)]);
          assertEquals(table.code, 0);
          assert(
            /^worker +Queue\.get -> worker +Queue\.get +[\d.]+ s +main, both$/m.test(table.text),
            table.text,
          );
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("pstree: says what is wrong with what was asked for", async () => {
  assertEquals((await printed_by([])).code, 2);
  assert((await printed_by(["pstree", "x"])).text.startsWith("usage: asyncio"));
  assertEquals((await printed_by(["--help"])).code, 0);
  const none = await printed_by(["pstree", "999999999"]);
  assertEquals(none, { code: 2, text: "Cannot attach to process 999999999: there is none" });
  await while_busy("sh", ["-c", "echo ready; sleep 10"], async (pid) => {
    const { text } = await printed_by(["ps", String(pid)]);
    assert(text.startsWith(`Cannot attach to process ${pid}: it is no Node.js, Deno or Bun`), text);
  });
  await while_busy(
    Deno.execPath(),
    ["eval", "console.log('ready'); setTimeout(() => {}, 9999)"],
    async (pid) => {
      const { text } = await printed_by(["ps", String(pid)]);
      assertEquals(
        text,
        "Cannot attach to a Deno program without an inspector: start it with deno run --inspect",
      );
    },
  );
});
