/** Processes of this machine: their streams, signals, ends, and what cannot be started. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import * as asyncio from "../mod.ts";
import type { CreateSubprocessOptions } from "../mod.ts";
import { VirtualClockEventLoop, VirtualNetwork } from "../testing.ts";

const { DEVNULL, PIPE, STDOUT } = asyncio.subprocess;

const PIPES = { stdin: PIPE, stdout: PIPE, stderr: PIPE };

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

function test(name: string, main: () => Promise<void>): void {
  Deno.test(name, () => asyncio.run(main));
}

function shell(
  command: string,
  options: CreateSubprocessOptions = { stdout: PIPE },
): PromiseLike<asyncio.Process> {
  return asyncio.create_subprocess_exec("/bin/sh", "-c", command, options);
}

async function output(process: PromiseLike<asyncio.Process>): Promise<string | null> {
  const [stdout] = await (await process).communicate();
  return text(stdout);
}

async function temporary_folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await realpath(await mkdtemp(`${tmpdir()}/subprocess_`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function seconds_since(start: number): number {
  return asyncio.get_running_loop().time() - start;
}

// communicate, wait, returncode

test("Process.communicate: gives the input, and both outputs", async () => {
  const process = await shell("cat; echo error >&2; exit 3", PIPES);
  assert(process.pid > 0);
  assertEquals(String(process), `<Process ${process.pid}>`);
  assertEquals(process.returncode, null);
  assertEquals((await process.communicate("ä")).map(text), ["ä", "error\n"]);
  assertEquals(process.returncode, 3);
  assertEquals((await process.communicate()).map(text), ["", ""]);
});

test("Process.communicate: the input may be named", async () => {
  const process = await asyncio.create_subprocess_exec("cat", { stdin: PIPE, stdout: PIPE });
  const [stdout] = await process.communicate({ input: "named" });
  assertEquals(text(stdout), "named");
  assertThrows(() => process.communicate({ inptu: "" } as never), TypeError, "option 'inptu'");
});

test("Process.communicate: what is no pipe is null", async () => {
  const options = { stdin: DEVNULL, stdout: DEVNULL, stderr: DEVNULL };
  const process = await shell("echo one; echo two >&2; cat", options);
  assertEquals([process.stdin, process.stdout, process.stderr], [null, null, null]);
  assertEquals(await process.communicate(), [null, null]);
  assertEquals(process.returncode, 0);
});

test("Process.communicate: more input and output than any buffer holds", async () => {
  const process = await asyncio.create_subprocess_exec("cat", PIPES);
  const input = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const [stdout, stderr] = await process.communicate(input);
  assertEquals(stdout?.length, input.length);
  assert(stdout?.every((byte, index) => byte === index % 251));
  assertEquals(stderr?.length, 0);
});

test("Process.communicate: both outputs fill up at the same time", async () => {
  const process = await shell("head -c 500000 /dev/zero; head -c 700000 /dev/zero >&2", PIPES);
  const [stdout, stderr] = await process.communicate();
  assertEquals([stdout?.length, stderr?.length], [500_000, 700_000]);
});

test("Process.communicate: a process that ends before it has read its input is no error", async () => {
  for (const program of ["true", "exec <&-; sleep 0.05; exit 0"]) {
    const process = await shell(program, { stdin: PIPE, stdout: PIPE });
    assertEquals((await process.communicate(new Uint8Array(1_000_000))).map(text), ["", null]);
    assertEquals(process.returncode, 0);
  }
});

test("Process.communicate: refuses what is not bytes, and the process can be used", async () => {
  const process = await asyncio.create_subprocess_exec("cat", PIPES);
  await assertRejects(async () => void await process.communicate(5 as never), TypeError);
  assertEquals((await process.communicate("x")).map(text), ["x", ""]);
});

test("Process.communicate: a second one at the same time is refused, the first is right", async () => {
  const process = await asyncio.create_subprocess_exec("cat", { stdin: PIPE, stdout: PIPE });
  process.stdin!.write("x");
  const first = asyncio.create_task(process.stdout!.read());
  await asyncio.sleep(0);
  await assertRejects(async () => void await process.communicate(), asyncio.RuntimeError);
  process.stdin!.close();
  assertEquals(text(await first), "x");
  assertEquals(await process.wait(), 0);
});

test("Process.communicate: cancelled at any moment, it loses no byte", async () => {
  const script =
    "for i in 1 2 3 4 5 6 7 8; do echo out$i; echo err$i >&2; sleep 0.01; done; exit 5";
  const expected = [1, 2, 3, 4, 5, 6, 7, 8];
  for (let delay = 0; delay < 0.12; delay += 0.012) {
    const process = await shell(script, PIPES);
    const task = asyncio.create_task(() => process.communicate());
    await asyncio.sleep(delay);
    task.cancel();
    const first = await asyncio.gather(task, { return_exceptions: true });
    const whole = first[0] instanceof Error ? await process.communicate() : first[0];
    assertEquals(whole.map(text), [
      expected.map((i) => `out${i}\n`).join(""),
      expected.map((i) => `err${i}\n`).join(""),
    ]);
    assertEquals(process.returncode, 5);
  }
});

test("Process.communicate: cancelled, what has arrived is there for the readers", async () => {
  const process = await shell("head -c 400000 /dev/zero; echo x; sleep 10");
  await assertRejects(
    async () => void await asyncio.wait_for(process.communicate(), 0.2),
    asyncio.TimeoutError,
  );
  assertEquals((await process.stdout!.readexactly(400_000)).length, 400_000);
  assertEquals(text(await process.stdout!.readline()), "x\n");
  process.kill();
  assertEquals(await process.wait(), -9);
});

test("Process.wait: several at once, one is cancelled, one comes late", async () => {
  const process = await shell("read line; exit 7", { stdin: PIPE });
  const tasks = [1, 2, 3].map(() => asyncio.create_task(() => process.wait()));
  await asyncio.sleep(0);
  tasks[1]!.cancel();
  process.stdin!.write("end\n");
  const results = await asyncio.gather(tasks, { return_exceptions: true });
  assertEquals([results[0], results[2], await process.wait()], [7, 7, 7]);
  assertInstanceOf(results[1], asyncio.CancelledError);
});

test("Process.wait: ends with the process though another one holds its pipes", async () => {
  const process = await shell("sleep 60 & echo $!; echo hello; exit 4");
  assertEquals(await process.wait(), 4);
  const sleeper = Number(text(await process.stdout!.readline()));
  const output = asyncio.create_task(process.communicate());
  await asyncio.sleep(0.05);
  assert(!output.done());
  Deno.kill(sleeper, "SIGKILL");
  assertEquals((await output).map(text), ["hello\n", null]);
});

// Output

test("Process.stdout: what is written before anything reads is kept", async () => {
  const process = await shell("echo early; echo error >&2", PIPES);
  assertEquals(await process.wait(), 0);
  await asyncio.sleep(0.05);
  assertEquals(text(await process.stdout!.read()), "early\n");
  assertEquals(text(await process.stderr!.read()), "error\n");
});

test("create_subprocess_exec: 100 processes at once lose nothing", async () => {
  const run = async (i: number) => {
    const process = await shell(`echo out ${i}; echo err ${i} >&2; exit ${i}`, PIPES);
    await asyncio.sleep((i % 5) / 100);
    return [...(await process.communicate()).map(text), process.returncode];
  };
  const results = await asyncio.gather(Array.from({ length: 100 }, (_, i) => run(i)));
  assertEquals(results, results.map((_, i) => [`out ${i}\n`, `err ${i}\n`, i]));
});

test("Process.stdin: drain() waits as long as the process does not read", async () => {
  const script = "trap 'cat >/dev/null; exit' USR1; echo ready; while :; do sleep 0.01; done";
  const process = await shell(script, PIPES);
  const stdin = process.stdin!;
  assertEquals(text(await process.stdout!.readline()), "ready\n");
  stdin.write("few bytes");
  await asyncio.wait_for(stdin.drain(), 5);
  stdin.write(new Uint8Array(1_000_000));
  assert(stdin.transport.get_write_buffer_size() > 0);
  const drained = asyncio.create_task(stdin.drain());
  await asyncio.sleep(0.05);
  assert(!drained.done());
  process.send_signal("SIGUSR1");
  await asyncio.wait_for(drained, 5);
  stdin.close();
  await stdin.wait_closed();
  assertEquals(await process.wait(), 0);
});

test("Process.stdout: lines come while the process runs", async () => {
  await using process = await asyncio.create_subprocess_exec("cat", { stdin: PIPE, stdout: PIPE });
  for (const line of ["one\n", "two\n"]) {
    process.stdin!.write(line);
    await process.stdin!.drain();
    assertEquals(text(await process.stdout!.readline()), line);
  }
  process.stdin!.close();
  await process.stdin!.wait_closed();
  assert(process.stdin!.is_closing());
  assertEquals(text(await process.stdout!.read()), "");
  assertEquals(await process.wait(), 0);
});

test("Process.stdout: a reader that is slow stops the process, and all comes in the end", async () => {
  const process = await shell("head -c 2000000 /dev/zero; echo done >&2", PIPES);
  const ended = asyncio.create_task(() => process.stderr!.readline());
  await asyncio.sleep(0.2);
  assertEquals(ended.done(), false);
  assertEquals((await process.stdout!.readexactly(2_000_000)).length, 2_000_000);
  assertEquals(text(await ended), "done\n");
  assertEquals(text(await process.stdout!.read()), "");
});

test("create_subprocess_exec: limit is that of a line", async () => {
  const process = await shell("echo 123456789; echo 12", { stdout: PIPE, limit: 4 });
  await assertRejects(async () => void await process.stdout!.readline(), asyncio.ValueError);
  await process.communicate();
  await assertRejects(async () => void await shell("true", { limit: 0 }), asyncio.ValueError);
});

test("STDOUT: both outputs in one pipe, in their order", async () => {
  const script = "echo a; echo b >&2; echo c; echo d >&2; exit 3";
  const options = { stdout: PIPE, stderr: STDOUT };
  const process = await shell(script, options);
  assertEquals(process.stderr, null);
  assertEquals((await process.communicate()).map(text), ["a\nb\nc\nd\n", null]);
  assertEquals(process.returncode, 3);
  assertEquals(await output(asyncio.create_subprocess_shell(script, options)), "a\nb\nc\nd\n");
});

test("STDOUT: arguments, environment, signals and number are those of the program", async () => {
  const options = { stdout: PIPE, stderr: STDOUT, stdin: PIPE };
  const args = ["-c", 'echo "$0|$1|$2"', "a b", "$HOME '\"", ""];
  assertEquals(
    await output(asyncio.create_subprocess_exec("/bin/sh", ...args, options)),
    "a b|$HOME '\"|\n",
  );
  const environment = async (env: Record<string, string>) => {
    const process = asyncio.create_subprocess_exec("/usr/bin/env", { ...options, env });
    return (await output(process))?.trimEnd().split("\n").toSorted();
  };
  assertEquals(await environment({ ONE: "1" }), ["ONE=1"]);
  assertEquals(await environment({ ONE: "1", "a.b": "2 3" }), ["ONE=1", "a.b=2 3"]);
  const process = await shell("echo $$; exec cat", options);
  assertEquals(text(await process.stdout!.readline()), `${process.pid}\n`);
  process.terminate();
  assertEquals(await process.wait(), -15);
});

test("STDOUT: with stdout thrown away, so is stderr", async () => {
  const process = await shell("echo a; echo b >&2", { stdout: DEVNULL, stderr: STDOUT });
  assertEquals(await process.communicate(), [null, null]);
});

test("create_subprocess_exec: a file descriptor and an object with one", async () => {
  await using folder = await temporary_folder();
  const path = `${folder.path}/out`;
  const fd = openSync(path, "w");
  await (await shell("echo one", { stdout: fd })).wait();
  await (await shell("echo two; echo three >&2", { stdout: { fd }, stderr: STDOUT })).wait();
  closeSync(fd);
  assertEquals(await readFile(path, "utf8"), "one\ntwo\nthree\n");
});

// Signals and ends

test("Process.stdout: of a process that was killed the pipe is closed, and what it held can be read", async () => {
  const process = await asyncio.create_subprocess_exec("yes", { stdout: PIPE, limit: 100 });
  while (!String(process.stdout).includes("paused")) await asyncio.sleep(0.001);
  process.kill();
  assertEquals(await process.wait(), -9);
  // The reader is at the end before anything is read.
  while (!String(process.stdout).includes(" eof")) await asyncio.sleep(0.001);
  const rest = text(await process.stdout!.read()) as string;
  assert(rest.length > 200);
  assertEquals(rest, "y\n".repeat(rest.length / 2 + 1).slice(0, rest.length));
});

test("Process.stdout: once the process has ended, what others write to its pipe is not all buffered", async () => {
  const leader = await shell("yes & exit", { stdout: PIPE, limit: 100, start_new_session: true });
  assertEquals(await leader.wait(), 0);
  while (!String(leader.stdout).includes("paused")) await asyncio.sleep(0.001);
  const size = Number(/(\d+) bytes/.exec(String(leader.stdout))?.[1]);
  assert(size >= 2 ** 20 && size < 2 ** 22, `${size} bytes`);
  process.kill(-leader.pid, "SIGKILL");
  const rest = text(await leader.stdout!.read()) as string;
  assertEquals(rest, "y\n".repeat(rest.length / 2 + 1).slice(0, rest.length));
});

test("Process.terminate, kill, send_signal: the return code is minus the signal", async () => {
  const ends: [(process: asyncio.Process) => void, number][] = [
    [(process) => process.terminate(), -15],
    [(process) => process.kill(), -9],
    [(process) => process.send_signal("SIGINT"), -2],
    [(process) => process.send_signal("SIGUSR1"), -10],
  ];
  for (const [end, returncode] of ends) {
    const process = await asyncio.create_subprocess_exec("sleep", "10");
    end(process);
    assertEquals(process.returncode, null);
    assertEquals(await process.wait(), returncode);
    assertEquals(process.returncode, returncode);
  }
});

test("Process.terminate: a process may ignore it", async () => {
  const process = await shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
  assertEquals(text(await process.stdout!.readline()), "ready\n");
  process.terminate();
  await assertRejects(
    async () => void await asyncio.wait_for(process.wait(), 0.1),
    asyncio.TimeoutError,
  );
  process.kill();
  assertEquals(await process.wait(), -9);
});

test("Process.stdin: input that was not read is a BrokenPipeError, later input is lost", async () => {
  const process = await asyncio.create_subprocess_exec("sleep", "10", { stdin: PIPE });
  const stdin = process.stdin!;
  stdin.write(new Uint8Array(1_000_000));
  process.kill();
  await assertRejects(async () => void await stdin.drain(), asyncio.BrokenPipeError);
  await assertRejects(async () => void await stdin.wait_closed(), asyncio.BrokenPipeError);
  assertEquals(await process.wait(), -9);
  await asyncio.sleep(0.05);
  stdin.write("more");
  await assertRejects(async () => void await stdin.drain(), asyncio.ConnectionResetError);
});

test("Process.send_signal: after the end it is a ProcessLookupError", async () => {
  const process = await shell("exit 0", {});
  await process.wait();
  for (
    const send of [
      () => process.terminate(),
      () => process.kill(),
      () => process.send_signal("SIGINT"),
    ]
  ) assertThrows(send, asyncio.ProcessLookupError);
});

test("Process.send_signal: what is no signal is an error", async () => {
  await using process = await asyncio.create_subprocess_exec("sleep", "10");
  const error = assertThrows(() => process.send_signal("SIGNONSENSE"), asyncio.ValueError);
  assertStringIncludes(error.message, "'SIGNONSENSE'");
  for (const signal of ["", "TERM", "toString"]) {
    assertThrows(() => process.send_signal(signal), asyncio.ValueError);
  }
  assertThrows(() => process.send_signal(15 as never), TypeError);
  assertEquals(process.returncode, null);
});

test("Process: await using kills it and waits", async () => {
  let process: asyncio.Process;
  {
    await using running = await asyncio.create_subprocess_exec("sleep", "10", PIPES);
    process = running;
  }
  assertEquals(process.returncode, -9);
  assertThrows(() => process.kill(), asyncio.ProcessLookupError);
  {
    await using ended = await shell("exit 3", PIPES);
    await ended.wait();
    process = ended;
  }
  assertEquals(process.returncode, 3);
});

test("Process: await using does not wait for another process that holds the pipes", async () => {
  const start = asyncio.get_running_loop().time();
  {
    await using process = await shell("sleep 2 & exit 0", PIPES);
    await process.wait();
  }
  assert(seconds_since(start) < 1);
});

// What cannot be started

const FAILURES: readonly CreateSubprocessOptions[] = [PIPES, {}, { stdout: PIPE, stderr: STDOUT }];

async function start_error(
  program: string,
  options: CreateSubprocessOptions,
): Promise<asyncio.OSError> {
  return await assertRejects(
    async () => void await asyncio.create_subprocess_exec(program, options),
    asyncio.OSError,
  );
}

test("create_subprocess_exec: a missing program is a FileNotFoundError that names it", async () => {
  for (const options of FAILURES) {
    for (const program of ["no_such_program", "/no/such/program", "./no_such_program"]) {
      const error = await start_error(program, options);
      assertInstanceOf(error, asyncio.FileNotFoundError);
      assertEquals(error.message, `[Errno 2] No such file or directory: '${program}'`);
      assertEquals([error.errno, error.code, error.filename], [2, "ENOENT", program]);
    }
  }
});

test("create_subprocess_exec: a missing folder is a FileNotFoundError that names it", async () => {
  for (const options of FAILURES) {
    for (const program of ["cat", "no_such_program"]) {
      const error = await start_error(program, { ...options, cwd: "/no/such/folder" });
      assertInstanceOf(error, asyncio.FileNotFoundError);
      assertEquals(error.filename, "/no/such/folder");
    }
    const error = await start_error("cat", { ...options, cwd: "/etc/passwd" });
    assertEquals(error.message, "[Errno 20] Not a directory: '/etc/passwd'");
  }
});

test("create_subprocess_exec: a file that may not be run is a PermissionError", async () => {
  await using folder = await temporary_folder();
  const file = `${folder.path}/file`;
  await writeFile(file, "#!/bin/sh\n", { mode: 0o644 });
  for (const options of FAILURES) {
    for (const path of [file, folder.path]) {
      const error = await start_error(path, options);
      assertInstanceOf(error, asyncio.PermissionError);
      assertEquals(error.message, `[Errno 13] Permission denied: '${path}'`);
    }
    const env = { PATH: folder.path };
    const error = await start_error("file", { ...options, env });
    assertInstanceOf(error, asyncio.PermissionError);
    assertEquals(error.filename, "file");
  }
});

test("create_subprocess_exec: what is no argument is refused", async () => {
  const start = asyncio.create_subprocess_exec as (...args: never) => PromiseLike<asyncio.Process>;
  const refused: [unknown[], new (message?: string) => Error, string][] = [
    [[5], TypeError, "the program must be a string: received 5"],
    [["true", 5], TypeError, "an argument must be a string: received 5"],
    [["true", null], TypeError, "an argument must be a string: received null"],
    [["a\0b"], asyncio.ValueError, "embedded null byte"],
    [["true", { cwd: 5 }], TypeError, "cwd must be a string"],
    [["true", { env: 5 }], TypeError, "env must be an object of strings"],
    [["true", { env: { A: 1 } }], TypeError, "env['A'] must be a string: received 1"],
    [["true", { env: { "A=": "" } }], asyncio.ValueError, "illegal environment variable name"],
    [["true", { stdin: "x" }], TypeError, "stdin must be PIPE, DEVNULL, a file descriptor"],
    [["true", { stdout: STDOUT }], asyncio.ValueError, "STDOUT can only be used for stderr"],
    [["true", { stdout: -7 }], asyncio.OSError, "[Errno 9] Bad file descriptor"],
    [["true", { limit: "x" }], TypeError, "limit must be a number of bytes"],
    [["true", { user: "root" }], TypeError, "user must be a whole number from 0"],
    [["true", { text: true }], TypeError, "unexpected option 'text'"],
    [["true", { preexec_fn: () => {} }], TypeError, "unexpected option 'preexec_fn'"],
  ];
  for (const [args, kind, message] of refused) {
    await assertRejects(async () => void await start(...args as never), kind, message);
  }
  await assertRejects(
    async () => void await asyncio.create_subprocess_shell(5 as never),
    asyncio.ValueError,
    "cmd must be a string",
  );
  await assertRejects(
    async () => void await asyncio.create_subprocess_shell("true", { text: true } as never),
    TypeError,
    "unexpected option 'text'",
  );
});

test("create_subprocess_exec: a host without processes is named", async () => {
  const { getBuiltinModule } = process;
  process.getBuiltinModule = (() => undefined) as never;
  try {
    for (
      const start of [
        () => asyncio.create_subprocess_exec("true"),
        () => asyncio.create_subprocess_shell("true"),
      ]
    ) {
      await assertRejects(
        async () => void await start(),
        asyncio.RuntimeError,
        "Cannot start a process: this host has none",
      );
    }
  } finally {
    process.getBuiltinModule = getBuiltinModule;
  }
});

// Options

test("create_subprocess_exec: cwd, env, and where a program is looked for", async () => {
  await using folder = await temporary_folder();
  const file = `${folder.path}/say`;
  await writeFile(file, '#!/bin/sh\necho "said $1 $A"\n', { mode: 0o755 });
  assertEquals(
    await output(shell("pwd -P", { stdout: PIPE, cwd: folder.path })),
    `${folder.path}\n`,
  );
  const cwd = new URL(`file://${folder.path}/`);
  for (const stderr of [null, STDOUT]) {
    const options = { stdout: PIPE, stderr };
    const env = { A: "1" };
    assertEquals(
      await output(asyncio.create_subprocess_exec("/usr/bin/env", { ...options, env })),
      "A=1\n",
    );
    const there = { ...options, env: { ...env, PATH: folder.path } };
    assertEquals(await output(asyncio.create_subprocess_exec("say", "x", there)), "said x 1\n");
    assertEquals(
      await output(asyncio.create_subprocess_exec("./say", "x", { ...options, cwd })),
      "said x \n",
    );
  }
  assertEquals(
    await output(asyncio.create_subprocess_exec(new URL(`file://${file}`), { stdout: PIPE })),
    "said  \n",
  );
});

test("create_subprocess_exec: executable is run under the program's name", async () => {
  const options = { stdout: PIPE, executable: "/bin/sh" };
  assertEquals(
    await output(asyncio.create_subprocess_exec("name", "-c", "echo $0", options)),
    "name\n",
  );
});

test("create_subprocess_exec: start_new_session makes it the leader of its group", async () => {
  const process = await shell("sleep 5 & echo started; wait", {
    stdout: PIPE,
    start_new_session: true,
  });
  assertEquals(text(await process.stdout!.readline()), "started\n");
  Deno.kill(-process.pid, "SIGKILL");
  assertEquals((await process.communicate()).map(text), ["", null]);
  assertEquals(process.returncode, -9);
});

test("create_subprocess_shell: runs a command, by another shell if one is given", async () => {
  assertEquals(
    await output(asyncio.create_subprocess_shell("echo a | tr a b; echo $0", { stdout: PIPE })),
    "b\n/bin/sh\n",
  );
  const process = await asyncio.create_subprocess_shell("no_such_program", PIPES);
  const [, stderr] = await process.communicate();
  assertStringIncludes(text(stderr)!, "no_such_program");
  assertEquals(process.returncode, 127);
  await using folder = await temporary_folder();
  const executable = `${folder.path}/shell`;
  await writeFile(executable, '#!/bin/sh\necho "$1 $2"\n', { mode: 0o755 });
  assertEquals(
    await output(asyncio.create_subprocess_shell("some words", { stdout: PIPE, executable })),
    "-c some words\n",
  );
  const error = await assertRejects(
    async () =>
      void await asyncio.create_subprocess_shell("true", { executable: "/no/such/shell" }),
    asyncio.FileNotFoundError,
  );
  assertEquals(error.filename, "/no/such/shell");
});

// Cancellation of the start, the end of run(), the loop's methods

test("create_subprocess_exec: cancelled, it kills the process", async () => {
  await using folder = await temporary_folder();
  const file = `${folder.path}/pid`;
  const task = asyncio.create_task(() => shell(`echo $$ > ${file}; exec sleep 10`, PIPES));
  await asyncio.sleep(0);
  task.cancel();
  await assertRejects(async () => void await task, asyncio.CancelledError);
  const pid = await readFile(file, "utf8").catch(() => "");
  if (pid !== "") assertThrows(() => Deno.kill(Number(pid), "SIGCONT"));
});

class Recorder extends asyncio.SubprocessProtocol {
  readonly events: string[] = [];
  readonly lost = asyncio.get_running_loop().create_future<void>();

  override connection_made(): void {
    this.events.push("connection_made");
  }
  override pipe_data_received(fd: number, data: Uint8Array): void {
    this.events.push(`pipe_data_received ${fd} ${text(data)}`);
  }
  override pipe_connection_lost(fd: number, error: unknown): void {
    this.events.push(`pipe_connection_lost ${fd} ${error}`);
  }
  override process_exited(): void {
    this.events.push("process_exited");
  }
  override connection_lost(error: unknown): void {
    this.events.push(`connection_lost ${error}`);
    this.lost.set_result();
  }
}

test("loop.subprocess_exec: the calls of a protocol", async () => {
  const loop = asyncio.get_running_loop();
  const [transport, protocol] = await loop.subprocess_exec(
    () => new Recorder(),
    "/bin/sh",
    "-c",
    "read line; printf $line; printf err >&2; exit 6",
  );
  assertInstanceOf(transport, asyncio.SubprocessTransport);
  assertEquals(transport.get_returncode(), null);
  assertEquals(transport.get_pipe_transport(3), null);
  assertEquals(transport.get_protocol(), protocol);
  const stdin = transport.get_pipe_transport(0) as asyncio.WriteTransport;
  stdin.write("hello\n");
  await protocol.lost;
  const { events } = protocol;
  assertEquals(events[0], "connection_made");
  assertEquals(events.at(-1), "connection_lost null");
  assertEquals(events.toSorted(), [
    "connection_lost null",
    "connection_made",
    "pipe_connection_lost 0 null",
    "pipe_connection_lost 1 null",
    "pipe_connection_lost 2 null",
    "pipe_data_received 1 hello",
    "pipe_data_received 2 err",
    "process_exited",
  ]);
  assertEquals(transport.get_returncode(), 6);
  assertThrows(() => transport.kill(), asyncio.ProcessLookupError);
  transport.close();
});

test("loop.subprocess_shell: close() kills the process", async () => {
  const loop = asyncio.get_running_loop();
  const [transport, protocol] = await loop.subprocess_shell(() => new Recorder(), "exec sleep 10", {
    stdin: null,
    stderr: DEVNULL,
  });
  assertEquals([0, 1, 2].map((fd) => transport.get_pipe_transport(fd) !== null), [
    false,
    true,
    false,
  ]);
  transport.close();
  assert(transport.is_closing());
  await protocol.lost;
  assertEquals(transport.get_returncode(), -9);
  assertStringIncludes(String(transport), "closed pid=");
});

Deno.test("create_subprocess_exec: on a virtual clock, with and without a network in memory", async () => {
  for (const network of [null, new VirtualNetwork()]) {
    const loop_factory = () => new VirtualClockEventLoop(network === null ? {} : { network });
    await asyncio.run(async () => {
      const process = await shell("sleep 0.05; echo hello; exit 2");
      assertEquals((await process.communicate()).map(text), ["hello\n", null]);
      assertEquals(process.returncode, 2);
    }, { loop_factory });
  }
});

test("create_subprocess_exec: descriptors are flat over many processes", async () => {
  const count = async () => (await readdir("/proc/self/fd")).length;
  const run = async () => {
    await output(shell("echo x", PIPES));
    await start_error("no_such_program", PIPES);
    await using _left = await asyncio.create_subprocess_exec("sleep", "10", PIPES);
  };
  await run();
  const before = await count();
  for (let i = 0; i < 20; i++) await run();
  // Tests of other files have descriptors of their own for a while.
  await asyncio.wait_for(async () => {
    while (await asyncio.from_promise(count()) > before + 3) await asyncio.sleep(0.05);
  }, 120);
});
