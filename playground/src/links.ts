/** Programs in the address of the page, so that they survive a reload and can be sent as a link. */

/** A program of one's own. */
export interface Shared {
  readonly source: string;
  readonly virtual: boolean;
}

const PREFIX = "program=";

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

/** Returns the part of an address after `#` that has a program in it. */
export async function to_fragment({ source, virtual }: Shared): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify({ source, virtual }));
  const bytes = await through(text, new CompressionStream("deflate-raw"));
  const code = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return PREFIX + code.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Returns the program in that part of an address; `null` if there is none, or it has been cut off. */
export async function from_fragment(fragment: string): Promise<Shared | null> {
  if (!fragment.startsWith(PREFIX)) return null;
  try {
    const code = fragment.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(code), (character) => character.charCodeAt(0));
    const text = await through(bytes, new DecompressionStream("deflate-raw"));
    const { source, virtual } = JSON.parse(new TextDecoder().decode(text));
    return typeof source === "string" ? { source, virtual: virtual !== false } : null;
  } catch {
    return null;
  }
}
