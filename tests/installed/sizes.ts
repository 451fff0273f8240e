/** What a page that uses the package has to load. */

import { build } from "esbuild";

/** A bundle of one small program. */
export interface Size {
  /** In bytes, with short names. */
  minified: number;
  /** In bytes, as a server sends it. */
  compressed: number;
  /** The modules of the library that something of is in it, such as `src/tasks`. */
  modules: string[];
}

async function compress(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).bytes()).length;
}

/** Bundles a program in a folder where the package is installed. */
export async function measure(program: string, folder: string): Promise<Size> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const modules = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path.match(/((?:src|mod)[\w/]*)\.js$/)?.[1])
    .filter((module) => module !== undefined);
  const bytes = new Uint8Array(outputFiles[0].contents);
  return { minified: bytes.length, compressed: await compress(bytes), modules: modules.sort() };
}
