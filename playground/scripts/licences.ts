/** The licences of the packages that are bundled with the playground, as they ask to be passed on. */

interface Package {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
}

interface Info {
  /** All packages of the lock file. */
  readonly npmPackages: Readonly<Record<string, Package>>;
  readonly modules: readonly { npmPackage?: string }[];
  readonly npmCache?: string;
}

async function info(...args: string[]): Promise<Info> {
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", ...args] });
  const { stdout } = await command.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The text of a package's licence; packages lie in the cache in a folder for each registry. */
function read_licence(cache: string, name: string, version: string): string | null {
  for (const registry of Deno.readDirSync(cache)) {
    const folder = `${cache}/${registry.name}/${name}/${version}`;
    try {
      const file = [...Deno.readDirSync(folder)].find((file) => /^licen[cs]e/i.test(file.name));
      if (file !== undefined) return Deno.readTextFileSync(`${folder}/${file.name}`).trim();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

/** The packages that a module imports, with those that they need. */
function packages_of({ npmPackages, modules }: Info): Package[] {
  const ids = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  for (const id of ids) npmPackages[id]!.dependencies.forEach((needed) => ids.add(needed));
  return [...ids].map((id) => npmPackages[id]!);
}

/** All licences of what modules import. */
export async function licences_of(modules: readonly URL[]): Promise<string> {
  const { npmCache: cache = "" } = await info();
  const texts = new Map<string, string>();
  for (const module of modules) {
    for (const { name, version } of packages_of(await info(module.href))) {
      const text = read_licence(cache, name, version) ?? "Its package has no file of its licence.";
      texts.set(`${name} ${version}`, text);
    }
  }
  return [...texts].sort().map(([name, text]) => `${name}\n\n${text}\n`).join(
    `\n${"-".repeat(72)}\n\n`,
  );
}
