/** What the npm package says of itself, whichever tool makes it. */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { ENTRY_POINTS } from "./entry_points.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** The fields of package.json that do not depend on where the files are. */
export async function package_fields() {
  const repository = await origin();
  return {
    name: config.name,
    version: config.version,
    description: "Python's asyncio for TypeScript: the same names, semantics and order of events",
    keywords: ["asyncio", "python", "structured-concurrency", "cancellation", "task", "queue"],
    license: config.license,
    ...(repository === null ? {} : addresses_of(repository)),
    engines: { node: "^20.19 || ^22.12 || >=24" },
  };
}

/** The folder of what runtimes load, beside the modules; the library knows its frames in a stack by this name. */
export const BUNDLES = "bundled";

/**
 * Returns the field `exports` of package.json; the compiled files are in `folder`.
 *
 * Bundlers, which alone ask for `module`, and browsers get the modules, of which a bundler drops what is not used;
 * Node.js, Bun and Deno, by `import` and by `require()`, the files that are quicker to load.
 */
export function package_exports(folder: string) {
  return Object.fromEntries(ENTRY_POINTS.map(({ name, module }) => {
    const script = `${folder}/${module}.js`;
    return [name, {
      types: `${folder}/${module}.d.ts`,
      module: script,
      node: `${folder}/${BUNDLES}/${module}.js`,
      default: script,
    }];
  }));
}

/**
 * The modules that do something when they are loaded, so that bundlers keep them: that of the loop makes
 * itself known as the default loop's, and these entry points load it.
 */
export function side_effects(folder: string): string[] {
  const modules = ["mod", "functools", "itertools", "structured", "src/loop/base_events"];
  return [...modules, `${BUNDLES}/*`].map((module) => `${folder}/${module}.js`);
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

/**
 * Where a clone comes from, as npm writes it; `null` if it comes from nowhere that others can reach. The clone of a
 * clone comes from where that one does.
 */
export async function origin(folder = ROOT, seen: readonly string[] = []): Promise<string | null> {
  const { success, stdout } = await new Deno.Command("git", {
    args: ["-C", folder, "remote", "get-url", "origin"],
    stderr: "null",
  }).output();
  const address = new TextDecoder().decode(stdout).trim();
  if (!success) return null;
  const repository = repository_url(address);
  if (repository !== null) return repository;
  const next = address.startsWith("file://") ? fileURLToPath(address) : resolve(folder, address);
  return seen.includes(next) ? null : await origin(next, [...seen, next]);
}

/** The fields that follow from the address of the repository. */
export function addresses_of(repository: string) {
  const { protocol, host, hostname, pathname } = new URL(repository.replace(/^git\+/, ""));
  const is_web = protocol === "https:" || protocol === "http:";
  const web = `${is_web ? `${protocol}//${host}` : `https://${hostname}`}${
    pathname.replace(/\.git$/, "")
  }`;
  return {
    repository: { type: "git", url: repository },
    homepage: `${web}#readme`,
    bugs: { url: `${web}/issues` },
  };
}

/**
 * The address of a repository as package.json has it, without the user, the password or the token with which
 * this clone was made; `null` for a folder or anything else that others cannot reach.
 *
 * @param address what `git remote get-url` prints
 */
export function repository_url(address: string): string | null {
  // A second @ would be that of a password, a second colon that of a helper's address.
  const [, scp_host, scp_path] =
    address.match(/^(?:[^@/\\:]+@)?([\w.-]{2,}):(?!\/\/|:)([^\\@]+)$/) ?? [];
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
      return port === "" || port === "22"
        ? `git+https://${hostname}/${path_of(pathname)}`
        : `git+ssh://git@${host}/${path_of(pathname)}`;
    default:
      return null;
  }
}

function path_of(path: string): string {
  return `${path.replace(/^\/+/, "").replace(/\/+$/, "").replace(/\.git$/, "")}.git`;
}
