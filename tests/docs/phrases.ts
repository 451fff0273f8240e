/**
 * The phrase book, `docs/for_python_programmers.md`: under each heading a program in Python, the same in
 * TypeScript, and what both print.
 */

import { type Block, type Document, read } from "./document.ts";

/** One entry of the book. */
export interface Phrase {
  readonly title: string;
  readonly python: Block;
  readonly typescript: Block;
  readonly output: Block;
}

/** What CPython printed, when it was last asked. */
export interface Recording {
  /** The version of CPython. */
  python: string;
  /** The version of the CPython that ran what needs sockets or processes. */
  python_on_host: string;
  /** For each title, the hash of the program and of its output. */
  hashes: { [title: string]: string };
}

/** The book, as a path from the top folder. */
export const BOOK = "docs/for_python_programmers.md";

/** Where the record is kept. */
export const RECORD_FILE = new URL("./phrases.json", import.meta.url);

/** The entries of the book; throws if one is not a program, its translation and an output. */
export function phrases_of({ path, blocks }: Document): Phrase[] {
  const by_title = Map.groupBy(blocks, ({ heading }) => heading);
  return [...by_title].map(([title, [python, typescript, output, ...more]]) => {
    const languages = [python, typescript, output, ...more].map((block) => block?.language);
    if (languages.join() !== "python,ts,text") {
      throw new Error(
        `Cannot read '${title}' in ${path} as it must have the blocks python, ts and text: ` +
          `has ${languages.join(", ")}`,
      );
    }
    return { title, python: python!, typescript: typescript!, output: output! };
  });
}

/** Returns whether a phrase needs sockets or processes, which the WebAssembly build of CPython does not have. */
export function needs_host({ python }: Phrase): boolean {
  return /\b(start_server|create_server|create_subprocess_\w+)\(/.test(python.code);
}

export async function read_phrases(): Promise<Phrase[]> {
  return phrases_of(await read(BOOK));
}

/** The hash by which a program and an output are known to belong together. */
export async function hash(program: string, output: string): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([program, output]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
