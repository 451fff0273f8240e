/** The network in memory. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { DeadlockError, VirtualClockEventLoop, VirtualNetwork } from "../../testing.ts";
import { text } from "./places.ts";
import { now } from "../virtual_time.ts";

function run<T>(network: VirtualNetwork, main: () => Promise<T>): Promise<T> {
  return asyncio.run(main, {
    loop_factory: () => new VirtualClockEventLoop({ network }),
  });
}

const echo = async (reader: asyncio.StreamReader, writer: asyncio.StreamWriter) => {
  for await (const line of reader) writer.write(line);
  writer.close();
};

async function there_and_back(
  [reader, writer]: [asyncio.StreamReader, asyncio.StreamWriter],
): Promise<number> {
  const start = now();
  writer.write("x\n");
  assertEquals(text(await reader.readline()), "x\n");
  return Math.round((now() - start) * 1e9) / 1e9;
}

Deno.test("VirtualNetwork: latency and bandwidth are kept", () =>
  run(new VirtualNetwork({ latency: 0.1, bandwidth: 1000 }), async () => {
    const server = await asyncio.start_server(echo, "server", 80);
    const [reader, writer] = await asyncio.open_connection("server", 80);
    assertEquals(now(), 0.2);
    assertEquals(writer.get_extra_info("peername"), ["server", 80]);
    assertEquals(writer.get_extra_info("sockname"), ["localhost", 49152]);
    assertEquals(await there_and_back([reader, writer]), 0.204);
    const start = now();
    writer.write("y".repeat(999) + "\n");
    await reader.readline();
    assertEquals(Math.round((now() - start) * 1000), 2200);
    writer.close();
    server.close();
    await server.wait_closed();
  }));

Deno.test("VirtualNetwork: a partition holds back what is sent until it heals", () => {
  const network = new VirtualNetwork({ latency: 0.01 });
  return run(network, async () => {
    const server = await asyncio.start_server(echo, "server", 80);
    const streams = await asyncio.open_connection("server", 80, { local_addr: ["client", 0] });
    assertEquals(streams[1].get_extra_info("sockname"), ["client", 49152]);
    assertEquals(await there_and_back(streams), 0.02);
    network.partition("client", "server");
    asyncio.get_running_loop().call_later(5, () => network.heal("server", "client"));
    assertEquals(await there_and_back(streams), 5.02);
    network.partition("server", "client");
    await assertRejects(
      async () => await asyncio.open_connection("server", 80, { local_addr: ["client", 0] }),
      asyncio.OSError,
    );
    // Another host is not concerned.
    const others = await asyncio.open_connection("server", 80, { local_addr: ["other", 0] });
    assertEquals(await there_and_back(others), 0.02);
    network.heal();
    assertEquals(await there_and_back(streams), 0.02);
    streams[1].close();
    others[1].close();
    server.close();
    await server.wait_closed();
  });
});

Deno.test("VirtualNetwork.host: the current host is a context variable", () => {
  const network = new VirtualNetwork();
  return run(network, async () => {
    const peers: unknown[] = [];
    const server = await asyncio.create_task(async () => {
      network.host.set("alice");
      return await asyncio.start_server(
        (_, writer) => {
          peers.push((writer.get_extra_info("peername") as [string])[0]);
          writer.close();
        },
        null,
        80,
      );
    });
    assertEquals(server.sockets[0]!.getsockname(), ["alice", 80]);
    await asyncio.create_task(async () => {
      network.host.set("bob");
      const [reader, writer] = await asyncio.open_connection("alice", 80);
      await reader.read();
      writer.close();
      await assertRejects(
        async () => await asyncio.open_connection("localhost", 80),
        asyncio.ConnectionRefusedError,
      );
    });
    assertEquals(peers, ["bob"]);
    server.close();
  });
});

Deno.test("VirtualNetwork.reset: both ends lose the connection", () => {
  const network = new VirtualNetwork({ latency: 0.01 });
  return run(network, async () => {
    const seen = asyncio.get_running_loop().create_future<unknown>();
    const server = await asyncio.start_server(
      async (reader, writer) => {
        await reader.read().catch((error) => seen.set_result(error));
        writer.close();
      },
      "server",
      80,
    );
    const [reader, writer] = await asyncio.open_connection("server", 80);
    const task = asyncio.create_task(reader.readline());
    await asyncio.sleep(1.5);
    network.reset(writer);
    await assertRejects(async () => await task, asyncio.ConnectionResetError);
    assert(await seen instanceof asyncio.ConnectionResetError);
    await assertRejects(async () => await writer.wait_closed(), asyncio.ConnectionResetError);
    server.close();
    await server.wait_closed();
    assertThrows(
      () => network.reset(new asyncio.StreamReader() as never),
      TypeError,
    );
  });
});

Deno.test("VirtualNetwork.drop: what is lost comes later, in order, as the seed says", async () => {
  const measure = (seed: number) => {
    const network = new VirtualNetwork({ latency: [0.01, 0.05], seed });
    network.drop(0.3);
    return run(network, async () => {
      const server = await asyncio.start_server(echo, "server", 80);
      const [reader, writer] = await asyncio.open_connection("server", 80);
      const times: number[] = [];
      for (let i = 0; i < 20; i++) writer.write(`${i}\n`);
      for (let i = 0; i < 20; i++) {
        assertEquals(text(await reader.readline()), `${i}\n`);
        times.push(now());
      }
      writer.close();
      server.close();
      return times;
    });
  };
  const times = await measure(1);
  assertEquals(await measure(1), times);
  assert(times.at(-1)! > 0.5);
  assert(JSON.stringify(await measure(2)) !== JSON.stringify(times));
  assertThrows(() => new VirtualNetwork().drop(1), asyncio.ValueError, "received 1");
});

Deno.test("VirtualNetwork: a program that waits for what never comes is a deadlock", () =>
  assertRejects(
    () =>
      run(new VirtualNetwork(), async () => {
        await asyncio.start_server(echo, "server", 80);
        const [reader] = await asyncio.open_connection("server", 80);
        await reader.readline();
      }),
    DeadlockError,
  ).then(() => {}));

Deno.test("VirtualNetwork: two loops talk", async () => {
  const network = new VirtualNetwork({ latency: 0.01 });
  const loops = [0, 1].map(() => new VirtualClockEventLoop({ network }));
  const serve = async () => {
    const done = asyncio.get_running_loop().create_future<string>();
    const server = await asyncio.start_server(
      async (reader, writer) => {
        const line = await reader.readline();
        writer.write(line);
        writer.close();
        await writer.wait_closed();
        done.set_result(text(line));
      },
      "server",
      80,
    );
    const line = await done;
    server.close();
    return line;
  };
  const connect = async () => {
    await asyncio.sleep(0);
    const [reader, writer] = await asyncio.open_connection("server", 80);
    writer.write("between loops\n");
    const line = text(await reader.readline());
    writer.close();
    return line;
  };
  const lines = await Promise.all(
    [serve, connect].map((main, i) => asyncio.run(main, { loop_factory: () => loops[i]! })),
  );
  assertEquals(lines, ["between loops\n", "between loops\n"]);
});

Deno.test("VirtualNetwork: an address in use, and wrong options", () =>
  run(new VirtualNetwork(), async () => {
    const server = await asyncio.start_server(echo, "server", 80);
    await assertRejects(
      async () => await asyncio.start_server(echo, "server", 80),
      asyncio.OSError,
      "address already in use",
    );
    server.close();
    const again = await asyncio.start_server(echo, "server", 80);
    again.close();
    const unix = await asyncio.start_unix_server(echo, "/in/memory");
    const streams = await asyncio.open_unix_connection("/in/memory");
    assertEquals(await there_and_back(streams), 0);
    streams[1].close();
    unix.close();
    assertThrows(() => new VirtualNetwork({ latency: -1 }), asyncio.ValueError);
    assertThrows(() => new VirtualNetwork({ bandwidth: 0 }), asyncio.ValueError);
    assertThrows(() => new VirtualNetwork({ delay: 1 } as never), TypeError, "'delay'");
  }));

/** Answers each datagram with itself, and notes what it has received. */
class Datagrams extends asyncio.DatagramProtocol {
  readonly calls: unknown[] = [];
  readonly #answers: boolean;
  #transport: asyncio.DatagramTransport | null = null;

  constructor(answers = false) {
    super();
    this.#answers = answers;
  }

  override connection_made(transport: asyncio.DatagramTransport): void {
    this.#transport = transport;
  }

  override datagram_received(data: Uint8Array, address: asyncio.Address): void {
    this.calls.push([new TextDecoder().decode(data), address]);
    if (this.#answers) this.#transport?.sendto(data, address);
  }

  override error_received(error: unknown): void {
    this.calls.push((error as Error).name);
  }
}

Deno.test("VirtualNetwork: datagrams travel, get lost and are refused", () => {
  const network = new VirtualNetwork({ latency: 0.5 });
  return asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    const [server, served] = await loop.create_datagram_endpoint(() => new Datagrams(true), {
      local_addr: ["server", 53],
    });
    const [client, received] = await loop.create_datagram_endpoint(() => new Datagrams(), {
      remote_addr: ["server", 53],
    });
    const own = client.get_extra_info("sockname") as asyncio.Address;
    const data = new TextEncoder().encode("first");
    client.sendto(data);
    data.fill(0); // the caller's own again
    await asyncio.sleep(1.5);
    assertEquals([served.calls, received.calls], [[["first", own]], [["first", ["server", 53]]]]);

    network.partition("server", "localhost");
    client.sendto("lost");
    network.heal();
    client.sendto("second");
    await asyncio.sleep(1.5);
    assertEquals(served.calls.length, 2);

    network.drop(0.5);
    for (let i = 0; i < 100; i++) client.sendto("a part of them");
    await asyncio.sleep(1.5);
    const lost = 102 - served.calls.length;
    assert(lost > 30 && lost < 70, `${lost} of 100 were lost`);
    network.drop(0);

    const [wrong, errors] = await loop.create_datagram_endpoint(() => new Datagrams(), {
      remote_addr: ["server", 54],
    });
    wrong.sendto("nobody listens");
    wrong.sendto(new Uint8Array(70_000));
    await asyncio.sleep(1.5);
    assertEquals(errors.calls, ["OSError", "ConnectionRefusedError"]);

    // One that is connected receives from there alone.
    const [other] = await loop.create_datagram_endpoint(() => new Datagrams(), {
      local_addr: ["other", 1],
    });
    const before = received.calls.length;
    other.sendto("not from there", own);
    await asyncio.sleep(1.5);
    assertEquals(received.calls.length, before);

    const [all] = await loop.create_datagram_endpoint(() => new Datagrams(), {
      allow_broadcast: true,
      remote_addr: ["255.255.255.255", 53],
    });
    all.sendto("to all");
    await asyncio.sleep(1.5);
    assertEquals((served.calls.at(-1) as unknown[])[0], "to all");
    await assertRejects(
      async () =>
        await loop.create_datagram_endpoint(() => new Datagrams(), { local_addr: ["server", 53] }),
      asyncio.OSError,
      "Address already in use",
    );
    for (const transport of [server, client, wrong, other, all]) transport.close();
    await asyncio.sleep(0);
    const [again] = await loop.create_datagram_endpoint(() => new Datagrams(), {
      local_addr: ["server", 53],
    });
    again.close();
    await asyncio.sleep(0);
  }, { loop_factory: () => new VirtualClockEventLoop({ network }) });
});
