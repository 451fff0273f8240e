/** A cluster of the replicated store under exploration: partitions and crashes by seed, its history checked. */

import { RaftClient } from "../../../examples/raft/client.ts";
import type { RaftNode } from "../../../examples/raft/node.ts";
import * as asyncio from "../../../mod.ts";
import type { ExploreOptions, World } from "../../../testing.ts";
import { format_history, is_linearisable, type Operation } from "./history.ts";

const NODES = ["alice", "ben", "cid"];
const address_of = (name: string): readonly [string, number] => [name, 7000];

export const RAFT_OPTIONS: ExploreOptions = { network: { latency: [0.005, 0.05] } };

/** The program: a cluster of nodes of a class, clients, and what happens to hosts and cables. */
export function run_cluster(node_class: typeof RaftNode): (world: World) => Promise<void> {
  return async function raft(world: World) {
    const { network } = world;
    const start = (name: string) => {
      const peers = NODES.filter((other) => other !== name);
      network.start_host(name, () =>
        new node_class({
          name,
          peers,
          disk: network.disk(),
          address_of,
          random: () => world.random(),
        }).run());
    };
    for (const name of NODES) start(name);
    const history: Operation[] = [];
    const loop = asyncio.get_running_loop();
    const work = (client: string) => async () => {
      const store = new RaftClient(client, NODES, address_of);
      for (let i = 0; i < 3; i++) {
        const put = i % 2 === 0 ? `${client}${i}` : null;
        const operation = { client, put, called: loop.time(), returned: Infinity, result: "" };
        history.push(operation);
        if (put === null) Object.assign(operation, { result: await store.get("x") });
        else await store.put("x", put);
        operation.returned = loop.time();
        await asyncio.sleep(world.random() * 0.3);
      }
    };
    const clients = ["p", "q"].map((client) => asyncio.create_task(work(client), { name: client }));
    const trouble = asyncio.create_task(() => make_trouble(world, start), { name: "trouble" });
    await asyncio.wait(clients, { timeout: 60 });
    trouble.cancel();
    if (clients.some((client) => !client.done())) throw new Error("the store makes no progress");
    if (!is_linearisable(history)) {
      throw new Error(`the history is not linearisable:\n${format_history(history)}`);
    }
  };
}

async function make_trouble(world: World, start: (name: string) => void): Promise<void> {
  const { network } = world;
  const of = <T>(options: readonly T[]): T => options[Math.floor(world.random() * options.length)]!;
  for (let i = 0; i < 4; i++) {
    await asyncio.sleep(0.2 + world.random());
    const node = of(NODES);
    switch (world.choose(["nothing", "crash", "part", "crash all"])) {
      case "crash":
        network.crash(node);
        await asyncio.sleep(world.random());
        start(node);
        break;
      case "crash all":
        for (const name of NODES) network.crash(name);
        for (const name of NODES) start(name);
        break;
      case "part":
        for (const other of NODES.filter((name) => name !== node)) network.partition(node, other);
        await asyncio.sleep(2 * world.random());
        network.heal();
        break;
      default:
    }
  }
}
