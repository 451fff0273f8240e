/** Histories of operations on a register, and whether they are linearisable (Wing and Gong, 1993). */

/** An operation of a client. */
export interface Operation {
  readonly client: string;
  /** What was put; `null` for a get. */
  readonly put: string | null;
  readonly called: number;
  /** `Infinity` if no answer came. */
  returned: number;
  /** What a get has given. */
  result: string | null;
}

/**
 * Returns whether there is an order in which each operation takes effect between its call and its return, such
 * that each get gives what was put last.
 */
export function is_linearisable(history: readonly Operation[]): boolean {
  const seen = new Set<string>();
  const search = (left: readonly Operation[], value: string | null): boolean => {
    if (left.every(({ returned }) => returned === Infinity)) return true;
    const state = `${left.map((operation) => history.indexOf(operation))} ${value}`;
    if (seen.has(state)) return false;
    seen.add(state);
    const first_return = Math.min(...left.map(({ returned }) => returned));
    return left.some((operation) => {
      if (operation.called > first_return) return false;
      if (operation.put === null && operation.returned < Infinity && operation.result !== value) {
        return false;
      }
      const rest = left.filter((other) => other !== operation);
      return search(rest, operation.put ?? value);
    });
  };
  return search(history, null);
}

/** Writes a history. */
export function format_history(history: readonly Operation[]): string {
  return history.map(({ client, put, called, returned, result }) => {
    const what = put === null ? `get() = ${result}` : `put(${put})`;
    return `  ${called.toFixed(3)} to ${returned.toFixed(3)}  ${client}  ${what}`;
  }).join("\n");
}
