/**
 * The command lines of the programs that are run by hand.
 *
 * @module
 */

import process from "node:process";

/** Signals that the command line is wrong. */
export class UsageError extends Error {}

/** Returns what a function reads from the command line; if that is wrong, says why and ends the program with code 2. */
export function read_command_line<T>(program: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    // parseArgs() throws a TypeError, whose message explains positional arguments from the second line on.
    if (!(error instanceof UsageError || error instanceof TypeError)) throw error;
    console.error(`${program}: ${error.message.split("\n")[0]}`);
    process.exit(2);
  }
}

/** Returns the value of an option that takes a whole number. */
export function whole_number(name: string, text: string, least = 0): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${name} takes a whole number from ${least} on: received '${text}'`);
}

/** Returns the entries of an option that takes a list, separated by commas, of at least so many that are known. */
export function entries_of<T extends string>(
  name: string,
  list: string,
  known: readonly T[],
  least = 1,
): T[] {
  const entries = list.split(",").filter((entry) => entry !== "");
  const unknown = entries.find((entry) => !known.includes(entry as T));
  if (unknown === undefined && entries.length >= least) return entries as T[];
  throw new UsageError(
    `--${name} takes a list of ${known.join(", ")}: received '${unknown ?? list}'`,
  );
}
