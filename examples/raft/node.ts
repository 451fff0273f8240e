// A node of a small replicated key-value store: Raft (Ongaro and Ousterhout, 2014) without snapshots and
// changes of membership. Reads go through the log, too, so what clients see is linearisable.
// It was developed under explore(): see tests/explore/raft/.

import * as asyncio from "../../mod.ts";
import { call, type Message, serve_messages } from "./messages.ts";

/** A command of a client; one that is sent again has the same number and is done once. */
export interface Command {
  readonly client: string;
  readonly number: number;
  readonly key: string;
  /** The value to put; `null` to get. */
  readonly put: string | null;
}

interface Entry {
  readonly term: number;
  /** `null` in the entry with which a leader begins. */
  readonly command: Command | null;
}

/** Where a node keeps its state. */
export interface Disk {
  read(path: string): Promise<Uint8Array>;
  write(path: string, data: string): Promise<void>;
  sync(): Promise<void>;
}

export interface NodeOptions {
  readonly name: string;
  /** The names of the other nodes. */
  readonly peers: readonly string[];
  readonly disk: Disk;
  /** The address of a node. */
  address_of(name: string): readonly [host: string, port: number];
  /** A number from 0 to 1, for the time until an election. */
  random(): number;
}

// In seconds.
const HEARTBEAT = 0.1;
const ELECTION_TIMEOUT = 0.4;
const CALL_LIMIT = 0.3;
const COMMIT_LIMIT = 2;

export class RaftNode {
  readonly options: NodeOptions;
  protected term = 0;
  protected voted_for: string | null = null;
  protected log: Entry[] = [{ term: 0, command: null }];
  #role: "follower" | "candidate" | "leader" = "follower";
  #leader: string | null = null;
  #heard = -Infinity;
  #committed = 0;
  #applied = 0;
  readonly #matches = new Map<string, number>();
  readonly #values = new Map<string, string>();
  readonly #last_results = new Map<string, { number: number; result: string | null }>();
  /** The requests of clients that wait until their entry is applied, by its index. */
  readonly #waiting = new Map<number, asyncio.Future<string | null>>();
  readonly #saving = new asyncio.Lock();
  #group: asyncio.TaskGroup | null = null;

  constructor(options: NodeOptions) {
    this.options = options;
  }

  /** Runs the node until it is cancelled. */
  async run(): Promise<void> {
    await this.#load();
    const [host, port] = this.options.address_of(this.options.name);
    await using _server = await serve_messages(host, port, (message) => this.#answer(message));
    await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      this.#group = group;
      await this.#stand_when_there_is_no_leader();
    });
  }

  async #load(): Promise<void> {
    try {
      const text = new TextDecoder().decode(await this.options.disk.read("state"));
      ({ term: this.term, voted_for: this.voted_for, log: this.log } = JSON.parse(text));
    } catch (error) {
      if (!(error instanceof asyncio.FileNotFoundError)) throw error;
    }
  }

  /** Makes term, vote and log last over a crash; to be awaited before anybody is told of them. */
  protected async save(): Promise<void> {
    using _ = await this.#saving.acquire();
    const { term, voted_for, log } = this;
    await this.options.disk.write("state", JSON.stringify({ term, voted_for, log }));
    await this.options.disk.sync();
  }

  /** How many nodes must agree. */
  protected get majority(): number {
    return Math.floor((this.options.peers.length + 1) / 2) + 1;
  }

  get #last(): number {
    return this.log.length - 1;
  }

  #term_at(index: number): number {
    return this.log[index]?.term ?? -1;
  }

  #follow(term: number): void {
    if (term > this.term) {
      this.term = term;
      this.voted_for = null;
    }
    this.#role = "follower";
  }

  async #stand_when_there_is_no_leader(): Promise<never> {
    const loop = asyncio.get_running_loop();
    while (true) {
      const timeout = ELECTION_TIMEOUT * (1 + this.options.random());
      await asyncio.sleep(timeout);
      if (this.#role !== "leader" && loop.time() - this.#heard >= timeout) await this.#stand();
    }
  }

  async #stand(): Promise<void> {
    this.#role = "candidate";
    const term = ++this.term;
    this.voted_for = this.options.name;
    await this.save();
    const request = {
      kind: "vote",
      term,
      candidate: this.options.name,
      last: this.#last,
      last_term: this.#term_at(this.#last),
    };
    let votes = 1;
    await asyncio.gather(this.options.peers.map((peer) => async () => {
      const answer = await this.#call(peer, request);
      if (answer?.["granted"] === true) votes++;
    }));
    if (this.term === term && this.#role === "candidate" && votes >= this.majority) this.#lead();
  }

  #lead(): void {
    this.#role = "leader";
    this.#leader = this.options.name;
    this.log.push({ term: this.term, command: null });
    for (const peer of this.options.peers) {
      this.#matches.set(peer, 0);
      const { term } = this;
      this.#group!.create_task(() => this.#replicate(peer, term));
    }
  }

  /** Sends a peer what it has not got, as long as this node leads. */
  async #replicate(peer: string, term: number): Promise<void> {
    let next = this.#last;
    while (this.#role === "leader" && this.term === term) {
      await this.save();
      const entries = this.log.slice(next);
      const answer = await this.#call(peer, {
        kind: "append",
        term,
        leader: this.options.name,
        before: next - 1,
        before_term: this.#term_at(next - 1),
        entries,
        committed: this.#committed,
      });
      if (this.#role !== "leader" || this.term !== term) return;
      if (answer?.["ok"] === true) {
        next += entries.length;
        this.#matches.set(peer, next - 1);
        this.#commit();
      } else if (answer?.["ok"] === false) next = Math.max(1, next - 1);
      if (answer?.["ok"] !== false && next > this.#last) await asyncio.sleep(HEARTBEAT);
    }
  }

  /** Commits what a majority has, if it ends in an entry of this term. */
  #commit(): void {
    const matches = [...this.#matches.values(), this.#last].sort((a, b) => b - a);
    const index = matches[this.majority - 1]!;
    if (index > this.#committed && this.#term_at(index) === this.term) {
      this.#committed = index;
      this.#apply();
    }
  }

  #apply(): void {
    while (this.#applied < this.#committed) {
      const { command, term } = this.log[++this.#applied]!;
      const result = command === null ? null : this.#do(command);
      const waiting = this.#waiting.get(this.#applied);
      this.#waiting.delete(this.#applied);
      if (waiting === undefined || waiting.done()) continue;
      if (term === this.term && this.#role === "leader") waiting.set_result(result);
      else waiting.cancel();
    }
  }

  #do({ client, number, key, put }: Command): string | null {
    const last = this.#last_results.get(client);
    if (last !== undefined && last.number >= number) return last.result;
    if (put !== null) this.#values.set(key, put);
    const result = this.#values.get(key) ?? null;
    this.#last_results.set(client, { number, result });
    return result;
  }

  async #call(peer: string, message: Message): Promise<Message | null> {
    const [host, port] = this.options.address_of(peer);
    const answer = await call(host, port, message, CALL_LIMIT);
    if (answer !== null && Number(answer["term"]) > this.term) {
      this.#follow(Number(answer["term"]));
      await this.save();
    }
    return answer;
  }

  async #answer(message: Message): Promise<Message> {
    if (message["kind"] === "command") return await this.#take(message as unknown as Command);
    if (Number(message["term"]) > this.term) this.#follow(Number(message["term"]));
    return message["kind"] === "vote" ? await this.#vote(message) : await this.#append(message);
  }

  /** Returns whether a candidate may have this node's vote. */
  protected grants(candidate: string, last: number, last_term: number): boolean {
    if (this.voted_for !== null && this.voted_for !== candidate) return false;
    const own = this.#term_at(this.#last);
    return last_term > own || (last_term === own && last >= this.#last);
  }

  async #vote({ term, candidate, last, last_term }: Message): Promise<Message> {
    const granted = term === this.term &&
      this.grants(String(candidate), Number(last), Number(last_term));
    if (granted) {
      this.voted_for = String(candidate);
      this.#heard = asyncio.get_running_loop().time();
    }
    const answer = { term: this.term, granted };
    await this.save();
    return answer;
  }

  async #append(message: Message): Promise<Message> {
    const { term, leader } = message;
    if (Number(term) < this.term) return { term: this.term, ok: false };
    this.#role = "follower";
    this.#leader = String(leader);
    this.#heard = asyncio.get_running_loop().time();
    const before = Number(message["before"]);
    const entries = message["entries"] as Entry[];
    const fits = this.#term_at(before) === message["before_term"];
    if (fits) {
      entries.forEach((entry, index) => {
        const place = before + 1 + index;
        if (this.#term_at(place) === entry.term) return;
        this.log.length = place;
        this.log.push(entry);
      });
    }
    await this.save();
    if (fits) {
      const known = Math.min(Number(message["committed"]), before + entries.length);
      this.#committed = Math.max(this.#committed, known);
      this.#apply();
    }
    return { term: Number(term), ok: fits };
  }

  /** Takes a command of a client: it is done when it is applied. */
  async #take({ client, number, key, put }: Command): Promise<Message> {
    if (this.#role !== "leader") return { done: false, leader: this.#leader };
    this.log.push({ term: this.term, command: { client, number, key, put } });
    const applied = asyncio.get_running_loop().create_future<string | null>();
    this.#waiting.get(this.#last)?.cancel();
    this.#waiting.set(this.#last, applied);
    await asyncio.wait([applied], { timeout: COMMIT_LIMIT });
    if (!applied.done() || applied.cancelled()) return { done: false, leader: this.#leader };
    return { done: true, value: applied.result() };
  }
}
