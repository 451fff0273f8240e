/** Programs whose main waits for what nothing settles any more, and programs that only seem to. */

import { assert, assertEquals } from "@std/assert";
import * as esbuild from "esbuild";

const LIBRARY = JSON.stringify(new URL("../mod.ts", import.meta.url).pathname);

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(command: string, args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdin: "null",
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(30_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const HOSTS: Readonly<Record<string, (program: string, folder: string) => Promise<Ended>>> = {
  async Deno(program, folder) {
    const file = `${folder}/program.ts`;
    await Deno.writeTextFile(file, program);
    return await run(Deno.execPath(), ["run", "-A", "--no-check", "--no-config", file]);
  },
  async "Node.js"(program, folder) {
    const outfile = `${folder}/program.mjs`;
    await esbuild.build({
      stdin: { contents: program, resolveDir: folder, loader: "ts" },
      bundle: true,
      format: "esm",
      platform: "node",
      outfile,
      logLevel: "error",
    });
    await esbuild.stop();
    return await run("node", [outfile]);
  },
};

async function ended(host: string, program: string): Promise<Ended> {
  const folder = await Deno.makeTempDir();
  try {
    return await HOSTS[host]!(`import * as asyncio from ${LIBRARY};\n${program}`, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const STUCK: Readonly<Record<string, string>> = {
  "a future": `
    await asyncio.run(async function main() {
      asyncio.create_task(new asyncio.Queue().get(), { name: "getter" });
      await new asyncio.Future();
    });`,
  "a native promise": `
    await asyncio.run(async function main() {
      await asyncio.sleep(0.001);
      await new Promise(() => {});
    });`,
  "a future, in a run that is not awaited": `
    asyncio.run(async function main() {
      await new asyncio.Future();
    });`,
  "a future, after a time limit that was kept": `
    await asyncio.run(async function main() {
      await asyncio.wait_for(asyncio.sleep(0.01), 3600);
      await new asyncio.Future();
    });`,
  "a future, in a run that is not awaited, after many operations of the host": `
    const { stat } = process.getBuiltinModule("node:fs/promises");
    for (let times = 0; times < 5000; times++) await stat("/");
    asyncio.run(async function main() {
      await new asyncio.Future();
    });`,
};

const WAITS: Readonly<Record<string, string>> = {
  "a future": "main()) waits on <Future pending",
  "a native promise": "main()) waits on a native promise",
  "a future, in a run that is not awaited": "main()) waits on <Future pending",
  "a future, after a time limit that was kept": "main()) waits on <Future pending",
  "a future, in a run that is not awaited, after many operations of the host":
    "main()) waits on <Future pending",
};

for (const host of Object.keys(HOSTS)) {
  for (const [name, program] of Object.entries(STUCK)) {
    Deno.test({
      name:
        `run: a main that waits for ${name}, which nothing settles, ends the program on ${host}`,
      sanitizeResources: false, // esbuild's process
      sanitizeOps: false,
      async fn() {
        const { code, stderr } = await ended(host, program);
        assert(
          stderr.includes("Cannot run main to its end: nothing is left that could wake its tasks"),
          stderr,
        );
        assert(stderr.includes(WAITS[name]!), stderr);
        assertEquals(stderr.split("Cannot run main").length, 2, stderr);
        if (name === "a future") {
          assert(
            stderr.includes("getter (get()) waits on Queue.get()") ||
              stderr.includes("getter (Queue.get()) waits on Queue.get()"),
            stderr,
          );
        }
        const is_awaited_on_deno = host === "Deno" && program.includes("await asyncio.run");
        assertEquals(code, is_awaited_on_deno ? 1 : 13, stderr);
      },
    });
  }
}

const NOT_STUCK: Readonly<Record<string, string>> = {
  "a timer of the host": "setTimeout(() => future.set_result(), 300);",
  "a server of the host": `
    const server = Deno.serve({ port: 0, onListen() {} }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return new Response("done");
    });
    await (await fetch("http://127.0.0.1:" + server.addr.port)).text();
    await server.shutdown();
    future.set_result();`,
  "a process": `
    await new Deno.Command("sleep", { args: ["0.3"] }).output();
    future.set_result();`,
  "a worker": `
    const source = "setTimeout(() => postMessage(1), 300)";
    const worker = new Worker("data:text/javascript," + source, { type: "module" });
    worker.onmessage = () => {
      worker.terminate();
      future.set_result();
    };`,
  "a signal of the program": `
    Deno.addSignalListener("SIGUSR2", function listener() {
      Deno.removeSignalListener("SIGUSR2", listener);
      future.set_result();
    });
    new Deno.Command("sh", { args: ["-c", "sleep 0.3; kill -USR2 " + Deno.pid] }).spawn();`,
  "a handler of the loop": `
    asyncio.get_running_loop().add_signal_handler("SIGUSR2", () => future.set_result());
    new Deno.Command("sh", { args: ["-c", "sleep 0.3; kill -USR2 " + Deno.pid] }).spawn().unref();`,
};

for (const [name, work] of Object.entries(NOT_STUCK)) {
  Deno.test(`run: a main that is woken by ${name} does not end the program before`, async () => {
    const { code, stdout, stderr } = await ended(
      "Deno",
      `
      await asyncio.run(async () => {
        const future = new asyncio.Future();
        (async () => { ${work} })();
        await future;
      });
      console.log("done");`,
    );
    assertEquals([code, stdout, stderr], [0, "done\n", ""]);
  });
}

const SENDS_INTERRUPT =
  'new Deno.Command("sh", { args: ["-c", "sleep 0.3; kill -INT " + Deno.pid] }).spawn().unref();';

const LISTENERS: Readonly<Record<string, string>> = {
  "process.once()": 'process.once("SIGINT", () => future.set_result())',
  "Deno.addSignalListener()": `Deno.addSignalListener("SIGINT", function listener() {
    Deno.removeSignalListener("SIGINT", listener);
  })`,
};

for (const [name, listener] of Object.entries(LISTENERS)) {
  for (const awaited of ["await ", ""]) {
    Deno.test(`run: ${awaited && "awaited, "}a main that only a listener of ${name} can wake stays alive`, async () => {
      const { code, stdout, stderr } = await ended(
        "Deno",
        `
        ${awaited}asyncio.run(async () => {
          const future = new asyncio.Future();
          ${listener};
          ${SENDS_INTERRUPT}
          await future;
        }).then(() => console.log("done"));`,
      );
      // run() does not see the other one, and ends the program, too.
      const hidden = name === "Deno.addSignalListener()";
      assertEquals(
        [code, stdout, stderr],
        hidden ? [130, "", "KeyboardInterrupt\n"] : [0, "done\n", ""],
      );
    });
  }
}

Deno.test("run: a main that has refused Ctrl-C and cannot go on ends the program", async () => {
  for (const awaited of ["await ", ""]) {
    const { code, stdout, stderr } = await ended(
      "Deno",
      `
      ${awaited}asyncio.run(async function main() {
        ${SENDS_INTERRUPT}
        await asyncio.sleep(60).catch(() => console.log("refused"));
        await new asyncio.Future();
      });`,
    );
    assertEquals([code, stdout], [awaited ? 1 : 13, "refused\n"]);
    assert(stderr.includes("main()) waits on <Future pending"), stderr);
  }
});

Deno.test("run: Ctrl-C is listened to at every moment that a main waits for the host", async () => {
  const { stdout } = await ended(
    "Deno",
    `
    const { off } = process;
    let removals = 0;
    process.off = function (event, ...rest) {
      if (event === "SIGINT") removals++;
      return off.call(this, event, ...rest);
    };
    const server = Deno.listen({ port: 0 });
    server.accept().catch(() => {});
    await asyncio.run(async () => {
      const future = new asyncio.Future();
      setTimeout(() => future.set_result(), 500);
      await future;
      console.log(removals);
    });
    server.close();`,
  );
  assertEquals(stdout, "0\n");
});

Deno.test("run: a program that a listener of beforeExit gives work to is not said to be stuck", async () => {
  for (const host of Object.keys(HOSTS)) {
    const { code, stdout, stderr } = await ended(
      host,
      `
      asyncio.run(async () => {
        const future = new asyncio.Future();
        process.once("beforeExit", () => setTimeout(() => future.set_result(), 10));
        await future;
        console.log("woken");
        setTimeout(() => process.exit(3), 10);
        await new asyncio.Future();
      });`,
    );
    assertEquals([code, stdout, stderr], [3, "woken\n", ""], host);
  }
});

Deno.test("run: Ctrl-C reaches a main on Deno that only a signal can end", async () => {
  const { code, stdout, stderr } = await ended(
    "Deno",
    `
    const server = Deno.listen({ port: 0 });
    server.accept().catch(() => {});
    new Deno.Command("sh", { args: ["-c", "sleep 0.5; kill -INT " + Deno.pid] }).spawn().unref();
    await asyncio.run(async () => {
      try {
        await new asyncio.Future();
      } finally {
        console.log("cleaned up");
        server.close();
      }
    });`,
  );
  assertEquals([code, stdout, stderr], [130, "cleaned up\n", "KeyboardInterrupt\n"]);
});

Deno.test("run: signals, those that end the run as Ctrl-C does", async () => {
  const { code, stdout, stderr } = await ended(
    "Deno",
    `
    await asyncio.run(async () => {
      try {
        setTimeout(() => Deno.kill(Deno.pid, "SIGTERM"), 50);
        await asyncio.sleep(60);
      } finally {
        console.log("cleaned up");
      }
    }, { signals: ["SIGINT", "SIGTERM"] });`,
  );
  assertEquals([code, stdout, stderr], [143, "cleaned up\n", "KeyboardInterrupt: SIGTERM\n"]);
  const without = await ended(
    "Deno",
    `
    await asyncio.run(async () => {
      setTimeout(() => Deno.kill(Deno.pid, "SIGINT"), 50);
      await asyncio.sleep(60);
    }, { signals: [] });`,
  );
  assertEquals([without.code, without.stderr], [130, ""]);
});

for (const host of Object.keys(HOSTS)) {
  Deno.test(`run: what goes on after it was cancelled at the end is named, and does not keep ${host} from ending`, async () => {
    const { code, stderr } = await ended(
      host,
      `await asyncio.run(async () => {
        asyncio.create_task(async function accept() {
          await asyncio.sleep(60).catch(() => {});
          await new asyncio.Event().wait();
        }, { name: "acceptor" });
        await asyncio.sleep(0.01);
      });`,
    );
    assert(code !== 0);
    assert(/acceptor.* waits on Event\.wait\(\)/.test(stderr), stderr);
  });
}
