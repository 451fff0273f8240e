/** Hosts of a network in memory: crashes, disks, clocks, half-open connections. */

// deno-lint-ignore-file require-await -- callbacks whose parameter is async

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop, VirtualNetwork } from "../../testing.ts";

function run<T>(network: VirtualNetwork, main: () => Promise<T>): Promise<T> {
  return asyncio.run(main, { loop_factory: () => new VirtualClockEventLoop({ network }) });
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

Deno.test("VirtualNetwork.start_host: gives what the program returns, throws what it throws", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    assertEquals(await network.start_host("a", async () => network.host.get()), "a");
    network.crash("a");
    await assertRejects(
      async () => {
        await network.start_host("a", async () => {
          throw new Error("no");
        });
      },
      Error,
      "no",
    );
  });
});

Deno.test("VirtualNetwork.crash: tasks of the host never run again, nor do callbacks and timers", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    const log: string[] = [];
    const loop = asyncio.get_running_loop();
    const ended = network.start_host("a", async () => {
      loop.call_later(2, () => log.push("callback"));
      asyncio.create_task(async () => {
        await asyncio.sleep(3);
        log.push("child");
      });
      try {
        await asyncio.async_with(asyncio.timeout(4), () => new asyncio.Event().wait());
      } finally {
        log.push("finally");
      }
    });
    await asyncio.sleep(1);
    assertEquals(asyncio.all_tasks().size, 3);
    assertEquals(network.is_up("a"), true);
    network.crash("a");
    assertEquals(network.is_up("a"), false);
    assertEquals(asyncio.all_tasks().size, 1);
    assert(ended.cancelled());
    await asyncio.sleep(10);
    assertEquals(log, []);
  });
});

Deno.test("VirtualNetwork.crash: code that a native promise resumes gets no further than its next await", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let went_on = false;
    network.start_host("a", async () => {
      await promise;
      await asyncio.sleep(1);
      went_on = true;
    });
    await asyncio.sleep(1);
    network.crash("a");
    resolve();
    await asyncio.sleep(10);
    assertEquals(went_on, false);
  });
});

Deno.test("VirtualNetwork.crash: peers learn of it when they send after the host is back", () => {
  const network = new VirtualNetwork({ latency: 0.01 });
  return run(network, async () => {
    const serve = async () => {
      const server = await asyncio.start_server(
        async (reader, writer) => {
          for await (const line of reader) writer.write(line);
          writer.close();
        },
        null,
        80,
      );
      await server.serve_forever();
    };
    network.start_host("a", serve);
    await asyncio.sleep(1);
    const [reader, writer] = await asyncio.open_connection("a", 80);
    network.crash("a");
    writer.write("lost\n");
    const reading = asyncio.create_task(reader.readline());
    await asyncio.sleep(100);
    assertEquals(reading.done(), false);
    await assertRejects(
      async () => await asyncio.wait_for(asyncio.open_connection("a", 80), 5),
      asyncio.TimeoutError,
    );
    network.start_host("a", serve);
    await assertRejects(async () => await reading, asyncio.ConnectionResetError);
    const [again, there] = await asyncio.open_connection("a", 80);
    there.write("hello\n");
    assertEquals(decode(await again.readline()), "hello\n");
    there.close();
    writer.close();
    network.crash("a");
  });
});

Deno.test("VirtualNetwork.crash: a connection that was being made is no unretrieved error", () => {
  const network = new VirtualNetwork({ latency: 0.5 });
  return run(network, async () => {
    const reported: unknown[] = [];
    asyncio.get_running_loop().set_exception_handler((_, context) => reported.push(context));
    for (const time of [0.2, 0.7, 1]) {
      network.start_host("a", () => asyncio.open_connection("nowhere", 80));
      await asyncio.sleep(time);
      if (network.is_up("a")) network.crash("a");
    }
    await asyncio.sleep(10);
    assertEquals(reported, []);
  });
});

Deno.test("VirtualNetwork.start_host: a host that is up is not started, one that is down not crashed", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    assertThrows(() => network.crash("a"), asyncio.RuntimeError, "it is not up");
    const ended = network.start_host("a", () => asyncio.sleep(1));
    assertThrows(
      () => network.start_host("a", () => asyncio.sleep(1)),
      asyncio.RuntimeError,
      "it is up already",
    );
    await ended;
  });
});

Deno.test("VirtualNetwork: arguments of a wrong type are refused, and change nothing", () => {
  for (const options of [{ latency: "1" }, { latency: [1] }, { bandwidth: "1" }, { seed: "a" }]) {
    const [name] = Object.keys(options);
    assertThrows(() => new VirtualNetwork(options as never), TypeError, name);
  }
  assertThrows(() => new VirtualNetwork({ latency: [0, Infinity] }), asyncio.ValueError);
  const network = new VirtualNetwork();
  return run(network, async () => {
    assertThrows(() => network.start_host("a", undefined as never), TypeError, "program");
    assertEquals(network.is_up("a"), false);
    assertThrows(() => network.start_host(1 as never, async () => {}), TypeError, "name");
    assertThrows(() => network.partition("a", undefined as never), TypeError, "name");
    assertThrows(() => network.heal("a"), TypeError, "name");
    assertThrows(() => network.drop("0.5" as never), TypeError, "rate");
    assertThrows(() => network.set_clock("a", { rate: "2" } as never), TypeError, "rate");
    assertThrows(() => network.lose(undefined as never), TypeError, "Cannot lose a connection");
    assertThrows(() => network.reset({} as never), TypeError, "Cannot reset a connection");
    const disk = network.disk("a");
    for (const data of [5, null, [1]]) {
      await assertRejects(() => disk.write("x", data as never), TypeError, "a Uint8Array");
      await assertRejects(() => disk.append("x", data as never), TypeError, "a Uint8Array");
    }
    assertEquals(disk.paths, []);
  });
});

Deno.test("VirtualDisk: loses what was not synced when its host crashes, the latest first", async () => {
  const kept = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const network = new VirtualNetwork({ seed });
    await run(network, async () => {
      await network.start_host("a", async () => {
        const disk = network.disk();
        await disk.write("log", "a");
        await disk.sync();
        await disk.append("log", "b");
        await disk.append("log", "c");
        await disk.write("other", "d");
        await disk.remove("other");
      });
      network.crash("a");
      const log = decode(await network.disk("a").read("log"));
      kept.add(`${log} ${network.disk("a").paths.length}`);
    });
  }
  assertEquals([...kept].sort(), ["a 1", "ab 1", "abc 1", "abc 2"]);
});

Deno.test("VirtualDisk: what is not there is a FileNotFoundError; what is read is a copy", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    const disk = network.disk("a");
    await assertRejects(() => disk.read("x"), asyncio.FileNotFoundError, "'x'");
    await assertRejects(() => disk.remove("x"), asyncio.FileNotFoundError, "'x'");
    await disk.write("x", "a");
    (await disk.read("x"))[0] = 0;
    assertEquals(decode(await disk.read("x")), "a");
    assertEquals(String(disk), "<VirtualDisk files=1 unsynced=1>");
  });
});

Deno.test("VirtualNetwork.clock: the clocks of hosts disagree as they are set", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    network.set_clock("a", { offset: 100 });
    network.set_clock("b", { rate: 2 });
    await asyncio.sleep(10);
    assertEquals(["a", "b", "c"].map((host) => network.clock(host)), [110, 20, 10]);
    assertEquals(await network.start_host("b", async () => network.clock()), 20);
  });
});

Deno.test("VirtualNetwork.lose: the other end is reset when it sends something", () => {
  const network = new VirtualNetwork({ latency: 0.01 });
  return run(network, async () => {
    const lost = asyncio.get_running_loop().create_future<void>();
    const server = await asyncio.start_server(
      async (reader, writer) => {
        network.lose(writer);
        lost.set_result();
        await reader.read();
      },
      "server",
      80,
    );
    const [reader, writer] = await asyncio.open_connection("server", 80);
    await lost;
    const reading = asyncio.create_task(reader.read());
    await asyncio.sleep(100);
    assertEquals(reading.done(), false);
    writer.write("x");
    await assertRejects(async () => await reading, asyncio.ConnectionResetError);
    server.close();
    assertThrows(() => network.lose({ get_extra_info: () => null }), TypeError);
  });
});

Deno.test("VirtualNetwork: tasks of a server are on its host, whoever connects", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    const hosts: string[] = [];
    network.start_host("server", async () => {
      const server = await asyncio.start_server(
        async (reader, writer) => {
          hosts.push(network.host.get());
          await reader.read();
          hosts.push(network.host.get());
          writer.close();
        },
        null,
        80,
      );
      await server.serve_forever();
    });
    await asyncio.sleep(1);
    await network.start_host("client", async () => {
      const [, writer] = await asyncio.open_connection("server", 80);
      writer.close();
      await writer.wait_closed();
    });
    await asyncio.sleep(1);
    assertEquals(hosts, ["server", "server"]);
    network.crash("server");
  });
});

Deno.test("open_connection: a connection that the host gives up is a TimeoutError with the host's number, as in CPython", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    await network.start_host("a", async () => {});
    network.crash("a");
    const error = await assertRejects(
      async () => await asyncio.open_connection("a", 80),
      asyncio.TimeoutError,
      "[Errno 110] Connect call failed ('a', 80)",
    );
    assert(error instanceof asyncio.OSError);
    assertEquals([error.errno, error.code, error.syscall], [110, "ETIMEDOUT", "connect"]);
    assert(error.cause instanceof Error);
    assertEquals(asyncio.get_running_loop().time(), 60);
  });
});
