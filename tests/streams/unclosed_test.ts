/** What a loop says of what was left open, and what a bundle says of what it has left out. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop, VirtualNetwork } from "../../testing.ts";
import { console_of } from "../console.ts";

function warnings_of(main: () => Promise<void>, debug: boolean): Promise<string[]> {
  const network = new VirtualNetwork();
  const loop_factory = () => new VirtualClockEventLoop({ network });
  return console_of("warn", () => asyncio.run(main, { debug, loop_factory }));
}

async function leave_open(): Promise<void> {
  await asyncio.start_server(() => {}, "server", 7);
  const [, writer] = await asyncio.open_connection("server", 7);
  writer.write("there");
  const loop = asyncio.get_running_loop();
  await loop.create_datagram_endpoint(() => new asyncio.DatagramProtocol(), {
    local_addr: ["server", 8],
  });
}

Deno.test("run: in debug mode, what is left open is a ResourceWarning each", async () => {
  const warnings = await warnings_of(leave_open, true);
  assertEquals(warnings.map((warning) => warning.replace(/<(\w+).*>/, "$1")), [
    "ResourceWarning: unclosed server Server",
    "ResourceWarning: unclosed transport SocketTransport",
    "ResourceWarning: unclosed transport SocketTransport",
    "ResourceWarning: unclosed transport DatagramTransport",
  ]);
  assertEquals(await warnings_of(leave_open, false), []);
});

Deno.test("run: in debug mode, nothing is said of what was closed", async () => {
  const close = async () => {
    await using _server = await asyncio.start_server((_, writer) => writer.close(), "server", 7);
    const [reader, writer] = await asyncio.open_connection("server", 7);
    await reader.read();
    writer.close();
  };
  assertEquals(await warnings_of(close, true), []);
});

Deno.test("run: in debug mode, a process that is left running is a ResourceWarning", async () => {
  let left: asyncio.subprocess.Process | null = null;
  const warnings = await warnings_of(async () => {
    left = await asyncio.create_subprocess_exec("sleep", "60");
  }, true);
  const { pid } = left!;
  Deno.kill(pid, "SIGKILL");
  assertEquals(warnings, [
    `ResourceWarning: unclosed transport <SubprocessTransport pid=${pid} running>`,
  ]);
});

Deno.test("loop.create_connection: what a bundler has left out says what brings it in", async () => {
  // The loop's module alone, as a bundle of a program that uses no protocol has it.
  const loop = new URL("../../src/loop/base_events.ts", import.meta.url).href;
  const program = `
    const { EventLoop } = await import(${JSON.stringify(loop)});
    const loop = new EventLoop();
    for (const name of ["create_connection", "getaddrinfo", "subprocess_exec"]) {
      try { loop[name](); } catch (error) { console.log(String(error)); }
    }`;
  const command = new Deno.Command(Deno.execPath(), { args: ["eval", program] });
  const { stdout } = await command.output();
  assertStringIncludes(
    new TextDecoder().decode(stdout),
    "RuntimeError: Cannot create_connection(): the bundler has left it out: " +
      "use Protocol or BaseProtocol of this package\n" +
      "RuntimeError: Cannot getaddrinfo(): the bundler has left it out: " +
      "use Protocol or BaseProtocol of this package\n" +
      "RuntimeError: Cannot subprocess_exec(): the bundler has left it out: " +
      "use SubprocessProtocol of this package\n",
  );
});
