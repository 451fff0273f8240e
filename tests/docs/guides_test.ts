/** The programs in the guides print what stands below them, those that hang and leak too. */

import { assertEquals } from "@std/assert";
import { type Block, type Document, find_documents, read } from "./document.ts";
import { execute, map_few, type Outcome, without_slow_steps } from "./execute.ts";
import { BOOK } from "./phrases.ts";
import { recording_of } from "./recorded.ts";

/** A program of a guide. */
interface Sample {
  readonly path: string;
  readonly block: Block;
  /** What stands below it, if that is an output. */
  readonly output: string | null;
}

function samples_of({ path, blocks }: Document): Sample[] {
  return blocks.flatMap((block, index) => {
    if (block.language !== "ts") return [];
    const next = blocks.at(index + 1);
    if (recording_of(next) !== null) return []; // debugging_test.ts runs it
    return [{ path, block, output: next?.language === "text" ? next.code : null }];
  });
}

const PATHS = (await find_documents()).filter((path) => path !== BOOK);
const SAMPLES = (await Promise.all(PATHS.map(read))).flatMap(samples_of);

/** What takes away from Deno what browsers do not have. */
const AS_BROWSER = new URL("../no_async_context/preload.ts", import.meta.url);

function options_for({ path, block }: Sample): string[] {
  return [
    // What `deno test --doc` leaves out is not checked for its types there.
    ...(block.meta === "ignore" ? ["--check"] : []),
    ...(path === "docs/browser.md" ? [`--preload=${AS_BROWSER.pathname}`] : []),
  ];
}

/** What a reader sees: what the program printed, and the first line of the error that ended it. */
function seen({ code, stdout, stderr }: Outcome): string {
  const error = code === 0 ? "" : stderr.split("\n")[0];
  return without_slow_steps(`${stdout}${error}`).trimEnd();
}

Deno.test("each program prints what stands below it", async (t) => {
  const shown = SAMPLES.filter(({ output }) => output !== null);
  const run = (sample: Sample) => execute(sample.block.code, options_for(sample));
  for (const [{ path, block, output }, outcome] of await map_few(shown, run)) {
    await t.step(`${path}:${block.line} ${block.heading}`, () => {
      assertEquals(seen(outcome), output);
    });
  }
});

Deno.test("no program is left out by everybody", () => {
  const left_out = SAMPLES.filter(({ block, output }) => block.meta !== "" && output === null);
  assertEquals(left_out.map(({ path, block }) => `${path}:${block.line}`), []);
});
