/** What the pools call in their workers. */

export function nothing(): void {}

/** Keeps a processor busy for so many rounds. */
export function count(rounds: number): number {
  let state = 1;
  for (let n = 0; n < rounds; n++) state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
  return state;
}

export function size(bytes: Uint8Array): number {
  return bytes.length;
}
