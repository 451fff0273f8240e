/** The npm package, however it was made, has the public surface of the sources. */

import { assert, assertEquals } from "@std/assert";
import { build, stop } from "esbuild";
import { join } from "node:path";
import { ENTRY_POINTS } from "../scripts/entry_points.ts";
import { loaded_by, pack } from "../scripts/pack.ts";
import { addresses_of, origin, repository_url } from "../scripts/package_fields.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const DNT = `${ROOT}npm`;

const has_dnt = await Deno.stat(`${DNT}/package.json`).then(() => true, () => false);

/** What a module or its declarations export, types included; both do nothing but export again. */
async function surface_of(file: string): Promise<string[]> {
  const text = await Deno.readTextFile(file);
  return [...text.matchAll(/(?:^|\*\/ )export (type )?\{([^}]*)\}/gm)]
    .flatMap(([, all_types = "", names = ""]) =>
      names.split(",").map((name) => name.trim()).filter((name) => name !== "")
        .map((name) => name.startsWith("type ") ? name : all_types + name)
    ).sort();
}

/** Calls a function with the folder of the package that `deno task pack` makes. */
async function with_packed(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const { success } = await new Deno.Command("tar", {
      args: ["xzf", await pack(folder)],
      cwd: folder,
    })
      .output();
    assert(success);
    await body(`${folder}/package`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The names of what a module exports, with those of its functions and classes. */
const names_of = (module: Record<string, unknown>): [string, unknown][] =>
  Object.entries(module).map(([name, value]): [string, unknown] => [
    name,
    typeof value === "function" ? value.name : null,
  ]).sort();

Deno.test("the packed package", (test) =>
  with_packed(async (folder) => {
    const { exports } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));

    await test.step("has the public surface of the sources", async () => {
      assertEquals(Object.keys(exports), ENTRY_POINTS.map(({ name }) => name));
      for (const { name, file } of ENTRY_POINTS) {
        const surface = await surface_of(file.pathname);
        if (name === ".") assert(surface.includes("type EventLoopOptions"), surface.join());
        const { types, default: script } = exports[name];
        assertEquals(await surface_of(`${folder}/${types}`), surface);
        const packed = await import(`file://${folder}/${script}`);
        assertEquals(Object.keys(packed).sort(), Object.keys(await import(file.href)).sort());
      }
      // No folder of this machine is named.
      const { stdout } = await new Deno.Command("grep", { args: ["-rlE", "file://|/tmp/", folder] })
        .output();
      const files = new TextDecoder().decode(stdout).split("\n").filter(Boolean);
      assertEquals(files, []);
    });

    const bundled = (name: string) => import(`file://${folder}/${exports[name].node}`);

    await test.step("bundles: few files for an entry point, with the names of its modules", async () => {
      for (const { name } of ENTRY_POINTS) {
        const { node, module } = exports[name];
        assertEquals(
          names_of(await bundled(name)),
          names_of(await import(`file://${folder}/${module}`)),
        );
        const files = await loaded_by(join(folder, node));
        assert(files.size <= 20, [...files].join());
      }
    });

    const { run, sleep, wait_for, EventLoop } = await bundled(".");
    const { VirtualClockEventLoop } = await bundled("./testing");
    const loop_factory = () => new VirtualClockEventLoop();

    await test.step("bundles: entry points share their classes", async () => {
      assert(loop_factory() instanceof EventLoop);
      assertEquals(await run(sleep(3600, "done"), { loop_factory }), "done");
    });

    await test.step("bundles: in debug mode the stack of an error has no frames of them", async () => {
      const wait = async () => await wait_for(sleep(20), 10);
      const error: Error = await run(wait, { debug: true, loop_factory }).catch((error: Error) =>
        error
      );
      assert(error.stack?.includes("package_test.ts"), error.stack);
      assert(!error.stack?.includes(folder), error.stack);
    });
  }));

Deno.test({
  name: has_dnt
    ? "dnt's package and the packed one say and have the same"
    : "dnt's package is not there to be compared: deno task build:npm makes it in npm/, from JSR",
  ignore: !has_dnt,
  fn: () =>
    with_packed(async (folder) => {
      const fields_of = async (package_folder: string) => {
        const fields = JSON.parse(await Deno.readTextFile(`${package_folder}/package.json`));
        const { name, version, license, description, keywords, engines, type } = fields;
        const { repository, homepage, bugs } = fields;
        return [name, version, license, description, keywords, engines, type].concat(
          [repository, homepage, bugs],
        );
      };
      assertEquals(await fields_of(DNT), await fields_of(folder));
      for (const { module } of ENTRY_POINTS) {
        const dnt = await surface_of(`${DNT}/esm/${module}.d.ts`);
        assertEquals(dnt, await surface_of(`${folder}/${module}.d.ts`));
      }
    }),
});

Deno.test("errors: their names survive a minifier, as does one that a subclass sets", async () => {
  const entry = `
    import * as asyncio from "./mod.ts";
    class Mine extends asyncio.TimeoutError { override name = "Mine"; }
    class Theirs extends asyncio.ExceptionGroup {
      constructor(message, errors) { super(message, errors); this.name = "Theirs"; }
    }
    const errors = [new Mine(), new Theirs("t", [new Mine()]), new asyncio.QueueFull(),
      new asyncio.CancelledError(), new asyncio.ExceptionGroup("g", [new Mine()])];
    export const names = errors.map((error) => [error.name, String(error).split(":")[0]]);
    export const classes = [asyncio.QueueFull, asyncio.CancelledError].map(({ name }) => name);`;
  const { outputFiles } = await build({
    stdin: { contents: entry, loader: "ts", resolveDir: ROOT },
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    write: false,
  }).finally(stop);
  const { names, classes } = await import(
    `data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? "")}`
  );
  const expected = ["Mine", "Theirs", "QueueFull", "CancelledError", "ExceptionGroup"];
  assertEquals(names, expected.map((name) => [name, name]));
  assertEquals(classes, ["QueueFull", "CancelledError"]);
});

Deno.test("the repository is published without a user, a password or a token", () => {
  const expected: Record<string, string | null> = {
    "https://host.example/group/name.git": "git+https://host.example/group/name.git",
    "https://host.example/group/name": "git+https://host.example/group/name.git",
    "https://host.example/group/name/": "git+https://host.example/group/name.git",
    "https://gitlab-ci-token:SECRET@host.example/group/name.git":
      "git+https://host.example/group/name.git",
    "https://SECRET@host.example:8443/group/name.git?token=SECRET#SECRET":
      "git+https://host.example:8443/group/name.git",
    "http://user:SECRET@host.example/name.git": "git+http://host.example/name.git",
    "git@host.example:group/name.git": "git+https://host.example/group/name.git",
    "host.example:group/name": "git+https://host.example/group/name.git",
    "ssh://git@host.example/group/name.git": "git+https://host.example/group/name.git",
    "ssh://user:SECRET@host.example:2222/group/name.git":
      "git+ssh://git@host.example:2222/group/name.git",
    "ssh://git@host.example:22/group/name.git": "git+https://host.example/group/name.git",
    "user:SECRET@host.example:group/name.git": null,
    "helper::https://host.example/group/name.git": null,
    "git://host.example:9418/group/name.git": "git://host.example:9418/group/name.git",
    "git://host.example/group/name": "git://host.example/group/name.git",
    "/srv/git/name.git": null,
    "../name": null,
    "C:\\git\\name": null,
    "file:///srv/git/name.git": null,
    "https://host.example/": null,
    "": null,
  };
  const found = Object.keys(expected).map((address) => [address, repository_url(address)]);
  assertEquals(Object.fromEntries(found), expected);
});

Deno.test("the repository of a clone of a clone is where the first one comes from", async () => {
  const folder = await Deno.makeTempDir();
  const git = async (...args: string[]) => {
    const { success } = await new Deno.Command("git", { args, cwd: folder }).output();
    assert(success, args.join(" "));
  };
  try {
    await git("init", "first");
    assertEquals(await origin(`${folder}/first`), null);
    await git("clone", "first", "second");
    await git("clone", `file://${folder}/second`, "third");
    assertEquals(await origin(`${folder}/third`), null);
    await git("-C", "first", "remote", "add", "origin", "https://SECRET@host.example/name.git");
    assertEquals(await origin(`${folder}/third`), "git+https://host.example/name.git");
    // Two that come from each other come from nowhere.
    await git("-C", "first", "remote", "set-url", "origin", "../second");
    assertEquals(await origin(`${folder}/third`), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the home page and the address for bugs follow from the repository", () => {
  const expected: Record<string, string> = {
    "git+https://host.example/group/name.git": "https://host.example/group/name",
    "git+https://host.example:8443/name.git": "https://host.example:8443/name",
    "git+http://host.example/name.git": "http://host.example/name",
    "git+ssh://git@host.example:2222/group/name.git": "https://host.example/group/name",
    "git://host.example:9418/name.git": "https://host.example/name",
  };
  for (const [repository, page] of Object.entries(expected)) {
    assertEquals(addresses_of(repository), {
      repository: { type: "git", url: repository },
      homepage: `${page}#readme`,
      bugs: { url: `${page}/issues` },
    });
  }
});
