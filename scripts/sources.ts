/** Where the files of this repository are on the web. */

import { origin } from "./package_fields.ts";

/**
 * Where a commit's files are on the web, for the hosts of repositories that have such pages.
 *
 * @param repository the address of a repository, as package.json has it
 * @param commit the commit
 * @returns an address without a slash at the end; `null` if the repository has no pages
 */
export function sources_of(repository: string | null, commit: string): string | null {
  const [, pages] = repository?.match(/^git\+(https?:\/\/.+)\.git$/) ?? [];
  return pages === undefined ? null : `${pages}/blob/${commit}`;
}

/** Where the files of this clone's commit are on the web; `null` if nowhere. */
export async function sources_on_the_web(): Promise<string | null> {
  const { stdout } = await new Deno.Command("git", {
    args: ["rev-parse", "HEAD"],
    cwd: new URL("..", import.meta.url),
    stderr: "null",
  }).output();
  return sources_of(await origin(), new TextDecoder().decode(stdout).trim());
}
