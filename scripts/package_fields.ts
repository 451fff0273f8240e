/** What the npm package says of itself, whichever tool makes it. */

import config from "../deno.json" with { type: "json" };

/** The fields of package.json that do not depend on where the files are. */
export async function package_fields() {
  const repository = await origin();
  return {
    name: config.name,
    version: config.version,
    description: "Python's asyncio for TypeScript: the same names, semantics and order of events",
    keywords: ["asyncio", "python", "structured-concurrency", "cancellation", "task", "queue"],
    license: config.license,
    ...(repository === null ? {} : { repository: { type: "git", url: repository } }),
    engines: { node: ">=20" },
  };
}

/**
 * The modules that do something when they are loaded, so that bundlers keep them: that of the loop makes
 * itself known as the default loop's, and the entry loads it.
 */
export function side_effects(folder: string): string[] {
  return [`${folder}/mod.js`, `${folder}/src/loop/base_events.js`];
}

/** What the declarations need that TypeScript's libraries for ES2022 and browsers do not have. */
export const NEEDED_LIBRARY = '/// <reference lib="esnext.disposable" />\n';

/** Where this clone comes from, as npm writes it; `null` if it comes from nowhere. */
async function origin(): Promise<string | null> {
  const { stdout } = await new Deno.Command("git", {
    args: ["remote", "get-url", "origin"],
    cwd: new URL("..", import.meta.url),
    stderr: "null",
  }).output();
  const address = new TextDecoder().decode(stdout).trim();
  const [, host, path] = address.match(/^(?:https:\/\/|git@)([\w.-]+)[:/](.+?)(?:\.git)?$/) ?? [];
  return host === undefined ? null : `git+https://${host}/${path}.git`;
}
