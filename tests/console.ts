/** What programs write to the console. */

/** Calls `body` and returns what it writes by a method of the console, one text for each call. */
export async function console_of(
  method: "error" | "warn",
  body: () => PromiseLike<unknown>,
): Promise<string[]> {
  const original = console[method];
  const lines: string[] = [];
  console[method] = (...args: unknown[]) => lines.push(args.map(String).join(" "));
  try {
    await body();
  } finally {
    console[method] = original;
  }
  return lines;
}
