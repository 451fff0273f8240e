// Three nodes of the store in one process, on loopback; the leader is stopped while a client works.
// Run it: deno run -A examples/raft/main.ts [PORT PORT PORT]

import { mkdtemp, open, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as asyncio from "../../mod.ts";
import { RaftClient } from "./client.ts";
import { type Disk, RaftNode } from "./node.ts";

/** Files in a folder, each replaced as a whole. */
class FolderDisk implements Disk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(path: string): Promise<Uint8Array> {
    try {
      return await asyncio.from_promise(readFile(join(this.#folder, path)));
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") throw new asyncio.FileNotFoundError(path);
      throw error;
    }
  }

  async write(path: string, data: string): Promise<void> {
    await asyncio.from_promise(async () => {
      const file = await open(join(this.#folder, `${path}.new`), "w");
      await file.writeFile(data);
      await file.sync();
      await file.close();
      await rename(join(this.#folder, `${path}.new`), join(this.#folder, path));
    });
  }

  async sync(): Promise<void> {} // write() has
}

const NAMES = ["alice", "ben", "cid"];
const PORTS = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [7101, 7102, 7103];
const address_of = (name: string): readonly [string, number] => [
  "127.0.0.1",
  PORTS[NAMES.indexOf(name)]!,
];

async function main(): Promise<void> {
  const folders: string[] = [];
  const nodes: asyncio.Task<void>[] = [];
  for (const name of NAMES) {
    const folder = await asyncio.from_promise(mkdtemp(join(tmpdir(), `raft-${name}-`)));
    folders.push(folder);
    const peers = NAMES.filter((other) => other !== name);
    const disk = new FolderDisk(folder);
    const node = new RaftNode({ name, peers, disk, address_of, random: Math.random });
    nodes.push(asyncio.create_task(() => node.run(), { name }));
  }
  const client = new RaftClient("client", NAMES, address_of);
  await client.put("greeting", "hello");
  console.log("greeting:", await client.get("greeting"));
  nodes[0]!.cancel();
  console.log("alice has stopped");
  await client.put("greeting", "hello again");
  console.log("greeting:", await client.get("greeting"));
  for (const node of nodes) node.cancel();
  await asyncio.wait(nodes);
  for (const folder of folders) await asyncio.from_promise(rm(folder, { recursive: true }));
}

if (import.meta.main) await asyncio.run(main);
