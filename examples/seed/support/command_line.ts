/** What the programs with options do about a command line that makes no sense. */

import process from "node:process";

/** The result of `parse`; if it throws, one line that says why, and the program ends with code 2. */
export function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`Bad command line: ${reason.replaceAll("\n", " ")}`);
    process.exit(2);
  }
}

/** The whole number from `least` to `most` that `text` stands for; `name` is how an error calls it. */
export function whole_number(name: string, text: string, least = 0, most = Infinity): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least || value > most) {
    const range = most === Infinity ? `from ${least} on` : `from ${least} to ${most}`;
    throw new RangeError(`${name} must be a whole number ${range}: received '${text}'`);
  }
  return value;
}
