/**
 * Whether anything of the host will notice that an `AbortSignal` is aborted.
 *
 * There is no such question in the standard. What hosts attach to a signal shows in its own
 * properties, though: Deno and Node.js keep listeners and dependent signals in sets under symbols.
 *
 * @module
 */

const fresh_keys = Reflect.ownKeys(new AbortController().signal).length;

/** False if certainly nobody listens to the signal; true if somebody does, or this host does not show it. */
export function may_be_listened_to(signal: AbortSignal): boolean {
  const keys = Reflect.ownKeys(signal);
  if (fresh_keys === 0 || keys.length > fresh_keys) return true;
  const properties = signal as unknown as Record<PropertyKey, { size?: number } | null | undefined>;
  return keys.some((key) => (properties[key]?.size ?? 0) > 0);
}
