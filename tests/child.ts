/** Programs of their own, with Deno. */

/** A program that does not end by itself is ended after this many milliseconds. */
const TIME_LIMIT = 30_000;

/** How a program has ended, and what it has written. */
export interface Ended {
  code: number;
  stdout: string[];
  stderr: string[];
}

/**
 * Runs a program that has the library as `asyncio`.
 *
 * @param before what runs before the library is loaded
 */
export async function child(program: string, flags: string[] = [], before = ""): Promise<Ended> {
  const library = JSON.stringify(import.meta.resolve("../mod.ts"));
  const source = `${before}\nconst asyncio = await import(${library});\n${program}`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      ...flags,
      `data:text/javascript,${encodeURIComponent(source)}`,
    ],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(TIME_LIMIT),
  }).output();
  const lines = (bytes: Uint8Array) => {
    const text = new TextDecoder().decode(bytes).trimEnd();
    return text === "" ? [] : text.split("\n");
  };
  return { code, stdout: lines(stdout), stderr: lines(stderr) };
}
