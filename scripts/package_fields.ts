/** What the npm package says of itself, whichever tool makes it. */

import config from "../deno.json" with { type: "json" };
import { ENTRY_POINTS } from "./entry_points.ts";

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

/** What package.json says of where the entry points are: the compiled files are in `folder`. */
export function package_exports(folder: string) {
  return Object.fromEntries(ENTRY_POINTS.map(({ name, module }) => {
    const file = `${folder}/${module}`;
    return [name, { types: `${file}.d.ts`, default: `${file}.js` }];
  }));
}

/**
 * The modules that do something when they are loaded, so that bundlers keep them: that of the loop makes
 * itself known as the default loop's, and these entry points load it.
 */
export function side_effects(folder: string): string[] {
  return ["mod", "functools", "itertools", "structured", "src/loop/base_events"].map((module) =>
    `${folder}/${module}.js`
  );
}

/** What the declarations need that TypeScript's libraries for ES2022 and browsers do not have. */
const NEEDED_LIBRARY = '/// <reference lib="esnext.disposable" />\n';

/** Names that in the declarations of all entry points, which are in `folder`. */
export async function name_needed_library(folder: string): Promise<void> {
  for (const { module } of ENTRY_POINTS) {
    const file = `${folder}/${module}.d.ts`;
    await Deno.writeTextFile(file, NEEDED_LIBRARY + await Deno.readTextFile(file));
  }
}

/** Where this clone comes from, as npm writes it; `null` if it comes from nowhere. */
export async function origin(): Promise<string | null> {
  const { stdout } = await new Deno.Command("git", {
    args: ["remote", "get-url", "origin"],
    cwd: new URL("..", import.meta.url),
    stderr: "null",
  }).output();
  return repository_url(new TextDecoder().decode(stdout).trim());
}

/**
 * The address of a repository as package.json has it, without the user, the password or the token with which
 * this clone was made; `null` for a folder or anything else that others cannot reach.
 *
 * @param address what `git remote get-url` prints
 */
export function repository_url(address: string): string | null {
  const [, scp_host, scp_path] = address.match(/^(?:[^@/\\:]+@)?([\w.-]{2,}):(?!\/\/)([^\\]+)$/) ??
    [];
  if (scp_host !== undefined && scp_path !== undefined) {
    return `git+https://${scp_host}/${path_of(scp_path)}`;
  }
  if (!URL.canParse(address)) return null;
  const { protocol, hostname, host, port, pathname } = new URL(address);
  if (hostname === "" || path_of(pathname) === ".git") return null;
  switch (protocol) {
    case "https:":
    case "http:":
      return `git+${protocol}//${host}/${path_of(pathname)}`;
    case "git:":
      return `git://${host}/${path_of(pathname)}`;
    case "ssh:":
    case "git+ssh:":
      // The port of SSH is not that of the web server.
      return port === ""
        ? `git+https://${hostname}/${path_of(pathname)}`
        : `git+ssh://git@${host}/${path_of(pathname)}`;
    default:
      return null;
  }
}

function path_of(path: string): string {
  return `${path.replace(/^\/+/, "").replace(/\/+$/, "").replace(/\.git$/, "")}.git`;
}
