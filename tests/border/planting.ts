/** Faults planted in a copy of the library. */

import type { Fault } from "./faults.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

/** Copies files and folders of the library to a temporary folder, which is removed when `use` has ended. */
export async function with_copy(
  paths: readonly string[],
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "planted_" });
  try {
    for (const path of paths) {
      const to = `${folder}/${path}`;
      await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
      await copy(ROOT + path, to);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Plants a fault in a copy while `use` runs; throws if its text does not occur once. */
export async function with_fault<T>(
  folder: string,
  { name, file, search, replacement }: Fault,
  use: () => Promise<T>,
): Promise<T> {
  const path = `${folder}/${file}`;
  const text = await Deno.readTextFile(path);
  if (text.split(search).length !== 2) throw new Error(`${name}: not once in ${file}: ${search}`);
  await Deno.writeTextFile(path, text.replace(search, () => replacement));
  const result = await use();
  await Deno.writeTextFile(path, text);
  return result;
}
