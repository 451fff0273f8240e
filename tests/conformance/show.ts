/** What the trace says of a value, the same text in both languages. */

import * as asyncio from "../../mod.ts";

/** The text of a value. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (value instanceof asyncio.BaseExceptionGroup) {
    return `${value.constructor.name}(${value.message}: ${show(value.exceptions)})`;
  }
  if (value instanceof Error) {
    // The repr of a task or a token in a message is not compared.
    const message = value.message.replace(/<(Task|Token|Future).*>/s, "...")
      // CPython's message of a time limit that is over is empty.
      .replace(/^timed out (after|at) .*/s, "");
    return `${value.constructor.name}(${message})`;
  }
  if (value instanceof asyncio.Task) {
    // A task that never ran a body has a name from a counter that counts over all programs.
    return value.get_name().replace(/^Task-\d+$/, "task");
  }
  if (value instanceof asyncio.Future) return "future";
  return String(value);
}
