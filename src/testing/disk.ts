/**
 * A disk in memory that loses at a crash what was not synced.
 *
 * @module
 */

import { FileNotFoundError } from "../os_errors.ts";
import { type Bytes, NO_BYTES, to_bytes } from "../internal/bytes.ts";
import { Inspectable } from "../internal/format_helpers.ts";
import { sleep } from "../waiting.ts";
import type { Draws } from "./random.ts";

/** A change of a file that was not synced: the contents before it, `null` if there was no such file. */
interface Change {
  readonly path: string;
  readonly before: Uint8Array | null;
}

/**
 * The disk of a host of a {@linkcode VirtualNetwork}: `network.disk()`.
 *
 * Files have paths without folders. What was not synced when the host crashes is lost, or a part of it, the
 * latest first: how much comes from the seed. Reading and writing let other tasks run.
 *
 * @category Testing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop, VirtualNetwork } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new VirtualNetwork();
 * await asyncio.run(async () => {
 *   await network.start_host("alice", async () => {
 *     await network.disk().write("log", "kept");
 *     await network.disk().sync();
 *   });
 *   network.crash("alice");
 *   const kept = await network.start_host("alice", () => network.disk().read("log"));
 *   assertEquals(new TextDecoder().decode(kept), "kept");
 * }, { loop_factory: () => new VirtualClockEventLoop({ network }) });
 * ```
 */
export class VirtualDisk extends Inspectable {
  readonly #files = new Map<string, Uint8Array>();
  #unsynced: Change[] = [];
  readonly #draws: Draws;

  /** @internal Made by a network. */
  constructor(draws: Draws) {
    super();
    this.#draws = draws;
  }

  /** The paths of the files, in the order in which they were made. */
  get paths(): string[] {
    return [...this.#files.keys()];
  }

  /**
   * Reads a file.
   *
   * @param path its path
   * @returns a copy of its contents
   * @throws {FileNotFoundError} if there is none
   */
  async read(path: string): Promise<Uint8Array> {
    await sleep(0);
    const contents = this.#files.get(path);
    if (contents === undefined) {
      throw new FileNotFoundError(`Cannot read a file: it does not exist: received '${path}'`);
    }
    return new Uint8Array(contents);
  }

  /**
   * Writes a file, in place of one that is there.
   *
   * @param path its path
   * @param data the contents, which are copied; a string stands for its UTF-8
   * @throws {TypeError} if they are neither bytes nor a string
   */
  async write(path: string, data: Bytes): Promise<void> {
    const contents = new Uint8Array(to_bytes(data, "write a file"));
    await sleep(0);
    this.#change(path, contents);
  }

  /**
   * Adds to the end of a file, which is made if there is none.
   *
   * @param path its path
   * @param data what is added, which is copied; a string stands for its UTF-8
   * @throws {TypeError} if it is neither bytes nor a string
   */
  async append(path: string, data: Bytes): Promise<void> {
    const added = new Uint8Array(to_bytes(data, "append to a file"));
    await sleep(0);
    const before = this.#files.get(path) ?? NO_BYTES;
    const contents = new Uint8Array(before.length + added.length);
    contents.set(before);
    contents.set(added, before.length);
    this.#change(path, contents);
  }

  /**
   * Removes a file.
   *
   * @param path its path
   * @throws {FileNotFoundError} if there is none
   */
  async remove(path: string): Promise<void> {
    await sleep(0);
    if (!this.#files.has(path)) {
      throw new FileNotFoundError(`Cannot remove a file: it does not exist: received '${path}'`);
    }
    this.#change(path, null);
  }

  /** Makes all changes so far last over a crash. */
  async sync(): Promise<void> {
    await sleep(0);
    this.#unsynced = [];
  }

  #change(path: string, contents: Uint8Array | null): void {
    this.#unsynced.push({ path, before: this.#files.get(path) ?? null });
    this.#put(path, contents);
  }

  #put(path: string, contents: Uint8Array | null): void {
    if (contents === null) this.#files.delete(path);
    else this.#files.set(path, contents);
  }

  /** @internal Loses what was not synced. */
  protected _crash(): void {
    const kept = this.#draws.below(this.#unsynced.length + 1);
    for (const { path, before } of this.#unsynced.slice(kept).reverse()) this.#put(path, before);
    this.#unsynced = [];
  }

  /** In short. */
  override toString(): string {
    return `<VirtualDisk files=${this.#files.size} unsynced=${this.#unsynced.length}>`;
  }
}
