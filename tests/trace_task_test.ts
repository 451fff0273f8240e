/** `deno task trace`: what it writes, what it says of a wrong command line; and who carries the recorder. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const SCRIPT = new URL("../scripts/trace.ts", import.meta.url);
const SEED = new URL("../examples/seed/", import.meta.url);
const LIBRARY = import.meta.resolve("../mod.ts");

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the script in a folder. */
async function trace(folder: string, ...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", "--no-lock", SCRIPT.href, ...args],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function in_folder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function files(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("a program runs with its arguments, and its trace is written", () =>
  in_folder(async (folder) => {
    const program = new URL("chained.ts", SEED).pathname;
    const { code, stdout, stderr } = await trace(
      folder,
      "--virtual",
      "--output=chained",
      program,
      "--seed",
      "7",
      "4",
    );
    assertEquals(code, 0);
    assertMatch(stdout, /^part1\(4\) sleeping for /);
    assertEquals(stderr, "Wrote chained.trace.json and chained.svg.\n");
    assertEquals(files(folder), ["chained.svg", "chained.trace.json"]);
    const { traceEvents } = JSON.parse(await Deno.readTextFile(`${folder}/chained.trace.json`));
    assertEquals(traceEvents[0].args.name, "VirtualClockEventLoop 1");
    const svg = await Deno.readTextFile(`${folder}/chained.svg`);
    assertStringIncludes(svg, "2 tasks in 1.1 s");
  }));

Deno.test("a program on real time that brings its own loops is recorded, under a name of choice", () =>
  in_folder(async (folder) => {
    const program = new URL("two_loops.ts", SEED).pathname;
    const { code } = await trace(folder, "--output", "both", "--title", "Both", program);
    assertEquals(code, 0);
    assertEquals(files(folder), ["both.svg", "both.trace.json"]);
    const svg = await Deno.readTextFile(`${folder}/both.svg`);
    for (const text of [">Both<", ">EventLoop 1<", ">VirtualClockEventLoop 2<"]) {
      assertStringIncludes(svg, text);
    }
  }));

Deno.test("a program that fails is shown up to there, and its exit code is kept", () =>
  in_folder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/fails.ts`,
      `import * as asyncio from "${LIBRARY}";
       await asyncio.run(async () => {
         await asyncio.sleep(0.001);
         throw new RangeError("too far");
       });`,
    );
    const { code, stderr } = await trace(folder, "fails.ts");
    assertEquals(code, 1);
    assertMatch(stderr, /RangeError: too far/);
    assertStringIncludes(await Deno.readTextFile(`${folder}/fails.svg`), "RangeError('too far')");
  }));

Deno.test("the files are written beside the program, wherever it is run from", () =>
  in_folder(async (folder) => {
    await Deno.mkdir(`${folder}/programs`);
    await Deno.writeTextFile(
      `${folder}/programs/nap.ts`,
      `import * as asyncio from "${LIBRARY}";\nawait asyncio.run(() => asyncio.sleep(0.001));`,
    );
    const { code, stderr } = await trace(folder, "programs/nap.ts");
    assertEquals([code, stderr], [0, "Wrote programs/nap.trace.json and programs/nap.svg.\n"]);
    assertEquals(files(`${folder}/programs`), ["nap.svg", "nap.trace.json", "nap.ts"]);
  }));

Deno.test("a program that imports the library from npm, by URL or by a map of its own is recorded", () =>
  in_folder(async (folder) => {
    const copy = `${folder}/copy`;
    await Deno.mkdir(copy);
    for (const name of ["mod.ts", "testing.ts", "src"]) {
      const source = new URL(`../${name}`, import.meta.url).pathname;
      await new Deno.Command("cp", { args: ["-r", source, copy] }).output();
    }
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({ imports: { aio: "./copy/mod.ts", other: "./other.ts" } }),
    );
    await Deno.writeTextFile(`${folder}/other.ts`, "export const delay = 0.001;");
    const specifiers = [
      "npm:@pythonic/asyncio@^0.1",
      `file://${copy}/mod.ts`,
      "./copy/mod.ts",
      "aio",
    ];
    for (const specifier of specifiers) {
      await Deno.writeTextFile(
        `${folder}/nap.ts`,
        `import * as asyncio from "${specifier}";\nimport { delay } from "other";\n` +
          "await asyncio.run(() => asyncio.sleep(delay));",
      );
      const { code, stderr } = await trace(folder, "nap.ts");
      assertEquals([code, stderr], [0, "Wrote nap.trace.json and nap.svg.\n"], specifier);
    }
  }));

Deno.test("--help says how it is used", () =>
  in_folder(async (folder) => {
    const { code, stdout } = await trace(folder, "--help");
    assertEquals(code, 0);
    assertMatch(stdout, /^usage: deno task trace .*\n/);
    for (const option of ["--virtual", "--output", "--title", "--help"]) {
      assertStringIncludes(stdout, option);
    }
  }));

Deno.test("a program that runs no task leaves no files", () =>
  in_folder(async (folder) => {
    await Deno.writeTextFile(`${folder}/none.ts`, "Deno.exit(3)");
    const { code, stderr } = await trace(folder, "none.ts");
    assertEquals(code, 3);
    assertEquals(stderr, "Nothing is written, as none.ts ran no task of this library\n");
    assertEquals(files(folder), ["none.ts"]);
  }));

Deno.test("a bad command line is answered by what is wrong and how it is used", () =>
  in_folder(async (folder) => {
    for (
      const [args, message] of [
        [[], /^A program must be given\nusage: /],
        [["--virtaul", "x.ts"], /^Unknown option '--virtaul'/],
        [["--output"], /--output/],
      ] as const
    ) {
      const { code, stderr } = await trace(folder, ...args);
      assertEquals(code, 2);
      assertMatch(stderr, message);
    }
  }));

Deno.test("files that cannot be written are one line", () =>
  in_folder(async (folder) => {
    const program = new URL("countasync.ts", SEED).pathname;
    const { code, stderr } = await trace(folder, "--virtual", "-o", "missing/x", program);
    assertEquals(code, 1);
    assert(stderr.startsWith("The trace cannot be written: "), stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }));

Deno.test("a bundle of a program that does not record does not carry the recorder", async () => {
  const bundle = async (program: string) => {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, program);
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["bundle", "--quiet", "--platform=browser", "--no-lock", file],
      }).output();
      return new TextDecoder().decode(stdout);
    } finally {
      await Deno.remove(file);
    }
  };
  const plain = await bundle(
    `import { run, sleep } from "${LIBRARY}"; await run(() => sleep(1));`,
  );
  const recording = await bundle(
    `import { TraceRecorder } from "${
      import.meta.resolve("../trace.ts")
    }"; console.log(new TraceRecorder());`,
  );
  const marks = ["cancel delivered", "traceEvents", "asyncio-trace"];
  assertEquals(marks.filter((mark) => plain.includes(mark)), []);
  assertEquals(marks.filter((mark) => recording.includes(mark)), ["cancel delivered"]);
  assert(plain.includes("call_later"));
});
