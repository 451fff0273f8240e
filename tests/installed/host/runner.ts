/** Runs, on whatever host it is bundled for, what a test file has given to `Deno.test`. */

/** How the tests of one file went. */
export interface Report {
  passed: number;
  left_out: number;
  failed: { name: string; error: string }[];
}

/** What stands before a report in a host's output. */
export const MARK = "report of the tests: ";

/** A test that hangs fails after this many milliseconds. */
const TIME_LIMIT = 120_000;

interface Definition {
  name: string;
  ignore?: boolean;
  fn(): unknown;
}

const definitions: Definition[] = [];

type Body = () => unknown;

/** The forms of `Deno.test` that the tests here use: a name or a definition, options, the function. */
export function test(
  test: string | Definition,
  options: Body | Partial<Definition> = {},
  body: Body = () => {},
): void {
  const fn = typeof options === "function" ? options : body;
  definitions.push(typeof test === "string" ? { ...options, name: test, fn } : test);
}

// The host's own: a test may put others in their place.
const { setTimeout, clearTimeout } = globalThis;

async function run_one({ name, fn }: Definition): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`"${name}" hangs`)), TIME_LIMIT);
  });
  try {
    await Promise.race([fn(), hang]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs the tests one after the other, without those that are left out, and writes the report. */
export async function run(left_out: (name: string) => boolean): Promise<void> {
  const report: Report = { passed: 0, left_out: 0, failed: [] };
  for (const definition of definitions) {
    if (definition.ignore || left_out(definition.name)) {
      report.left_out++;
      continue;
    }
    try {
      await run_one(definition);
      report.passed++;
    } catch (error) {
      const text = error instanceof Error ? `${error.stack ?? error}` : String(error);
      report.failed.push({ name: definition.name, error: text });
    }
  }
  console.log(MARK + JSON.stringify(report));
}
