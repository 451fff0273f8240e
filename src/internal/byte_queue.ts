/**
 * A queue of bytes: chunks go in at the end, any number of bytes comes out at the front.
 *
 * @module
 */

import { NO_BYTES } from "./bytes.ts";

// Chunks below this size are copied together into blocks; larger ones are kept as they came.
const SMALL = 4096;
const BLOCK = 16384;

/** One stretch of bytes; those of a block that grows are `start` to `end`. */
class Stretch {
  bytes = NO_BYTES;
  start = 0;
  end = 0;

  hold(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.start = 0;
    this.end = bytes.length;
  }
}

// An array that was longer once is replaced when it is empty.
const MAX_IDLE_SLOTS = 64;

/**
 * Bytes in blocks. Many small chunks cost no more than a few large ones, and a large chunk that is
 * taken whole is never copied.
 *
 * Hot path: the slots of an empty queue are used again.
 */
export class ByteQueue {
  // In use are those from `#first` to before `#end`.
  #stretches: Stretch[] = [];
  #first = 0;
  #end = 0;
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a chunk, which is kept and must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    const size = chunk.length;
    if (size === 0) return;
    this.#length += size;
    if (size >= SMALL || this.#first === this.#end) {
      this.#append(chunk);
      return;
    }
    const last = this.#stretches[this.#end - 1]!;
    if (last.bytes.length === BLOCK && last.end + size <= BLOCK) {
      last.bytes.set(chunk, last.end);
      last.end += size;
      return;
    }
    // A first small chunk costs no block: most are taken before another comes.
    if (last.end < SMALL) {
      const block = new Uint8Array(BLOCK);
      block.set(last.bytes.subarray(last.start, last.end));
      block.set(chunk, last.end - last.start);
      last.bytes = block;
      last.end += size - last.start;
      last.start = 0;
      return;
    }
    this.#append(chunk);
  }

  #append(chunk: Uint8Array): void {
    if (this.#end === this.#stretches.length) this.#stretches.push(new Stretch());
    this.#stretches[this.#end++]!.hold(chunk);
  }

  /** Adds a chunk at the front, which is kept and must not be changed afterwards. */
  put_back(chunk: Uint8Array): void {
    const size = chunk.length;
    if (size === 0) return;
    this.#length += size;
    if (this.#first > 0) this.#first--;
    else {
      this.#stretches.unshift(new Stretch());
      this.#end++;
    }
    this.#stretches[this.#first]!.hold(chunk);
  }

  /** Takes `count` bytes out, all that there are if there are fewer, as an array of its own buffer. */
  take(count: number): Uint8Array {
    count = Math.min(count, this.#length);
    if (count === 0) return NO_BYTES.slice();
    const { bytes, start, end } = this.#stretches[this.#first]!;
    if (start + count <= end) {
      const is_whole = count === bytes.length && count === bytes.buffer.byteLength;
      const taken = is_whole ? bytes : bytes.slice(start, start + count);
      this.#drop(count);
      return taken;
    }
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const { bytes, start, end } = this.#stretches[this.#first]!;
      const size = Math.min(end - start, count - filled);
      taken.set(bytes.subarray(start, start + size), filled);
      filled += size;
      this.#drop(size);
    }
    return taken;
  }

  /**
   * Takes the bytes through the first that is `byte`, which has at most `most` before it; `null` if it is not in the
   * first chunk, or has more before it.
   */
  take_through(byte: number, most: number): Uint8Array | null {
    if (this.#length === 0) return null;
    const { bytes, start, end } = this.#stretches[this.#first]!;
    const at = bytes.indexOf(byte, start);
    return at === -1 || at >= end || at - start > most ? null : this.take(at + 1 - start);
  }

  /** Takes `count` bytes out, and forgets them. */
  discard(count: number): void {
    count = Math.min(count, this.#length);
    while (count > 0) {
      const { start, end } = this.#stretches[this.#first]!;
      const size = Math.min(end - start, count);
      this.#drop(size);
      count -= size;
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#stretches = [];
    this.#first = 0;
    this.#end = 0;
    this.#length = 0;
  }

  // Takes bytes out of the first stretch.
  #drop(size: number): void {
    const head = this.#stretches[this.#first]!;
    head.start += size;
    this.#length -= size;
    if (head.start < head.end) return;
    head.hold(NO_BYTES);
    this.#first++;
    if (this.#first === this.#end) {
      if (this.#stretches.length > MAX_IDLE_SLOTS) this.#stretches = [];
      this.#first = 0;
      this.#end = 0;
    } else if (this.#first > 32 && this.#first * 2 > this.#end) {
      this.#stretches.splice(0, this.#first);
      this.#end -= this.#first;
      this.#first = 0;
    }
  }

  /** Returns whether the bytes from `position` on begin with a sequence. */
  starts_with(sequence: Uint8Array, position: number): boolean {
    if (position + sequence.length > this.#length) return false;
    const [index, offset] = this.#locate(position);
    return this.#matches(sequence, index, offset);
  }

  /** Where a sequence begins, at `from` or later; -1 if it is not there. */
  find(sequence: Uint8Array, from: number): number {
    const last = this.#length - sequence.length;
    if (from > last) return -1;
    const first_byte = sequence[0]!;
    const stretches = this.#stretches;
    let [index, offset, position] = from === 0 ? [this.#first, 0, 0] : this.#locate(from);
    for (; index < this.#end; index++) {
      const { bytes, start, end } = stretches[index]!;
      let at = bytes.indexOf(first_byte, start + offset);
      while (at !== -1 && at < end) {
        const found = position + (at - start);
        if (found > last) return -1;
        if (sequence.length === 1 || this.#matches(sequence, index, at - start)) return found;
        at = bytes.indexOf(first_byte, at + 1);
      }
      position += end - start;
      offset = 0;
    }
    return -1;
  }

  // The stretch in which a position is, the offset in it, and the position of its first byte. What is
  // searched is mostly near one of the ends.
  #locate(position: number): [index: number, offset: number, start: number] {
    const stretches = this.#stretches;
    if (position * 2 < this.#length) {
      let start = 0;
      for (let index = this.#first;; index++) {
        const stretch = stretches[index]!;
        const size = stretch.end - stretch.start;
        if (position < start + size) return [index, position - start, start];
        start += size;
      }
    }
    let start = this.#length;
    for (let index = this.#end - 1;; index--) {
      const stretch = stretches[index]!;
      start -= stretch.end - stretch.start;
      if (position >= start) return [index, position - start, start];
    }
  }

  // There are enough bytes.
  #matches(sequence: Uint8Array, index: number, offset: number): boolean {
    let stretch = this.#stretches[index]!;
    let at = stretch.start + offset;
    for (let i = 0; i < sequence.length; i++) {
      while (at === stretch.end) {
        stretch = this.#stretches[++index]!;
        at = stretch.start;
      }
      if (stretch.bytes[at] !== sequence[i]) return false;
      at++;
    }
    return true;
  }
}
