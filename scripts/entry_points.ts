/** The modules that a program can import: those that deno.json exports. */

import config from "../deno.json" with { type: "json" };

/** A module that a program can import. */
export interface EntryPoint {
  /** As in `exports`: `.`, `./testing`. */
  readonly name: string;
  /** What a program imports it by: `@pythonic/asyncio/testing`. */
  readonly specifier: string;
  /** Its file without the ending, from the top folder: `mod`, `testing`. */
  readonly module: string;
  /** Its source. */
  readonly file: URL;
}

export const ENTRY_POINTS: readonly EntryPoint[] = Object.entries(config.exports).map(
  ([name, path]) => ({
    name,
    specifier: config.name + name.slice(1),
    module: path.slice(2, -".ts".length),
    file: new URL(path, new URL("../", import.meta.url)),
  }),
);
