/** CPython's traces of the first programs, in short. */

/** Where they are kept. */
export const GOLDENS = new URL("goldens.json", import.meta.url);

/** A number for a trace (FNV-1a). */
export function hash_trace(trace: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify(trace)) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return (hash >>> 0).toString(36);
}
