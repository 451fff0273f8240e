// A client of the store: asks one node after the other until one that leads has done the command.

import * as asyncio from "../../mod.ts";
import { call } from "./messages.ts";

const CALL_LIMIT = 1;
const PAUSE = 0.1;

export class RaftClient {
  readonly #name: string;
  readonly #nodes: readonly string[];
  readonly #address_of: (name: string) => readonly [host: string, port: number];
  #next = 0;
  #commands = 0;

  constructor(
    name: string,
    nodes: readonly string[],
    address_of: (name: string) => readonly [host: string, port: number],
  ) {
    this.#name = name;
    this.#nodes = nodes;
    this.#address_of = address_of;
  }

  /** Gets the value of a key; `null` if it has none. */
  async get(key: string): Promise<string | null> {
    return await this.#do(key, null);
  }

  /** Puts the value of a key. */
  async put(key: string, value: string): Promise<void> {
    await this.#do(key, value);
  }

  async #do(key: string, put: string | null): Promise<string | null> {
    const number = ++this.#commands;
    while (true) {
      const [host, port] = this.#address_of(this.#nodes[this.#next]!);
      const message = { kind: "command", client: this.#name, number, key, put };
      const answer = await call(host, port, message, CALL_LIMIT);
      if (answer?.["done"] === true) return answer["value"] as string | null;
      const leader = this.#nodes.indexOf(String(answer?.["leader"]));
      const other = (this.#next + 1) % this.#nodes.length;
      this.#next = leader >= 0 && leader !== this.#next ? leader : other;
      await asyncio.sleep(PAUSE);
    }
  }
}
