/** A storage that somebody watches, or that fails. */

import type { Storage } from "../storage.ts";

export class WatchedStorage implements Storage {
  readonly #storage: Storage;
  readonly #on_save: () => void;

  /** A storage that tells of each transaction as soon as it has begun. */
  constructor(storage: Storage, on_save: () => void) {
    this.#storage = storage;
    this.#on_save = on_save;
  }

  save(...args: Parameters<Storage["save"]>): Promise<void> {
    const saved = this.#storage.save(...args);
    this.#on_save();
    return saved;
  }

  claim() {
    return this.#storage.claim();
  }

  load() {
    return this.#storage.load();
  }

  prepare() {
    return this.#storage.prepare();
  }

  first_rows(count: number) {
    return this.#storage.first_rows(count);
  }

  [Symbol.asyncDispose]() {
    return this.#storage[Symbol.asyncDispose]();
  }
}

/** A storage whose disk is full after so many pages. */
export class FullStorage extends WatchedStorage {
  #left: number;

  constructor(storage: Storage, pages: number) {
    super(storage, () => {});
    this.#left = pages;
  }

  override save(...args: Parameters<Storage["save"]>): Promise<void> {
    return this.#left-- > 0 ? super.save(...args) : Promise.reject(new Error("the disk is full"));
  }
}
