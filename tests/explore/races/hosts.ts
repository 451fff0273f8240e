/** Races between hosts: messages, crashes, clocks. */

import * as asyncio from "../../../mod.ts";
import type { World } from "../../../testing.ts";
import { expect, outside, type Race } from "./race.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const lease: Race = {
  name: "lease that expires under a pause",
  about:
    "A writer is paused longer than its lease and writes all the same; mended by a fencing token.",
  broken: () => write_under_lease(false),
  fixed: () => write_under_lease(true),
  options: { faults: { slow: 1 } },
};

async function write_under_lease(is_fenced: boolean): Promise<void> {
  const loop = asyncio.get_running_loop();
  let token = 0;
  let expires = 0;
  let newest = 0;
  const written: number[] = [];
  const acquire = async () => {
    while (loop.time() < expires) await asyncio.sleep(1);
    expires = loop.time() + 10;
    return ++token;
  };
  const write = async () => {
    const mine = await acquire();
    await outside(null); // computes what it writes
    if (is_fenced && mine < newest) return;
    newest = Math.max(newest, mine);
    written.push(mine);
    await asyncio.sleep(1);
  };
  await asyncio.gather(write, write);
  const in_order = written.every((mine, index) => index === 0 || mine > written[index - 1]!);
  expect(in_order, `written in the order ${written}`);
}

const election: Race = {
  name: "leader election with clocks",
  about:
    "The leader's clock goes slow, so it believes in a lease that is over; mended by its sleep.",
  broken: (world) => elect(world, true),
  fixed: (world) => elect(world, false),
};

async function elect(world: World, by_clock: boolean): Promise<void> {
  const { network } = world;
  network.set_clock("a", { rate: world.choose([1, 0.5]) });
  const leaders = new Set<string>();
  const loop = asyncio.get_running_loop();
  let granted = -Infinity;
  const lead = async () => {
    const name = network.host.get();
    while (loop.time() < granted + 10) await asyncio.sleep(1);
    granted = loop.time();
    const start = by_clock ? network.clock() : loop.time();
    const now = () => by_clock ? network.clock() : loop.time();
    leaders.add(name);
    expect(leaders.size === 1, `${[...leaders].join(" and ")} lead`);
    while (now() - start < 8) await asyncio.sleep(0.5);
    leaders.delete(name);
  };
  await asyncio.gather(network.start_host("a", lead), network.start_host("b", lead));
}

const two_connections: Race = {
  name: "two connections, one order",
  about: "Two commands travel on two connections; mended by one.",
  broken: () => send_commands(false),
  fixed: () => send_commands(true),
  options: { network: { latency: [0.01, 0.05] } },
};

async function send_commands(by_one: boolean): Promise<void> {
  let value = "";
  const server = await asyncio.start_server(
    async (reader, writer) => {
      for await (const line of reader) value = text(line).trim();
      writer.close();
    },
    "server",
    80,
  );
  const [[, first], [, second]] = await asyncio.gather(
    asyncio.open_connection("server", 80),
    asyncio.open_connection("server", 80),
  );
  first.write("old\n");
  (by_one ? first : second).write("new\n");
  await asyncio.sleep(1);
  first.close();
  second.close();
  server.close();
  await server.wait_closed();
  expect(value === "new", `the value is ${value}`);
}

const acknowledged_early: Race = {
  name: "acknowledged before it is synced",
  about: "A write is acknowledged, then the host crashes; mended by sync().",
  broken: (world) => store_and_crash(world, false),
  fixed: (world) => store_and_crash(world, true),
};

async function store_and_crash(world: World, syncs: boolean): Promise<void> {
  const { network } = world;
  let acknowledged = false;
  const store = async () => {
    await network.disk().write("value", "1");
    if (syncs) await network.disk().sync();
    acknowledged = true;
    await outside(null); // answers
    await network.disk().sync();
  };
  const ended = network.start_host("store", store);
  await asyncio.sleep(0.05);
  network.crash("store");
  await asyncio.wait([ended]);
  expect(
    !acknowledged || network.disk("store").paths.includes("value"),
    "what was acknowledged is lost",
  );
}

const replica: Race = {
  name: "read from a replica that lags",
  about:
    "A write is read from a replica that has not got it; mended by reading where it was written.",
  broken: () => read_own_write("replica"),
  fixed: () => read_own_write("primary"),
  options: { network: { latency: [0.01, 0.05] } },
};

async function read_own_write(from: string): Promise<void> {
  const values = new Map<string, string>();
  const serve = (name: string) =>
    asyncio.start_server(
      async (reader, writer) => {
        for await (const line of reader) {
          const request = text(line).trim();
          if (request === "get") {
            writer.write(`${values.get(name) ?? ""}\n`);
            continue;
          }
          values.set(name, request);
          if (name === "primary") replicate.write(line);
          writer.write("ok\n");
        }
        writer.close();
      },
      name,
      80,
    );
  const servers = [await serve("replica"), await serve("primary")];
  const [, replicate] = await asyncio.open_connection("replica", 80);
  const [reader, writer] = await asyncio.open_connection("primary", 80);
  writer.write("1\n");
  await reader.readline();
  const [its_reader, its_writer] = await asyncio.open_connection(from, 80);
  its_writer.write("get\n");
  const read = text(await its_reader.readline()).trim();
  for (const each of [replicate, writer, its_writer]) each.close();
  for (const server of servers) server.close();
  expect(read === "1", `read ${JSON.stringify(read)} after 1 was written`);
}

export const HOST_RACES: readonly Race[] = [
  lease,
  election,
  two_connections,
  acknowledged_early,
  replica,
];
