/** The command lines of the programs that compare random programs. */

/** Signals that the command line is wrong. */
export class UsageError extends Error {}

/** Returns the value of an option that takes a whole number. */
export function whole_number(name: string, text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new UsageError(`--${name} takes a whole number: received '${text}'`);
}
