/** Work for a processor, in the words of the guide to scaling: what its pools call in their workers. */

import * as asyncio from "../../mod.ts";

/** Counts the primes below a number. */
export function count_primes(below: number): number {
  let found = 0;
  for (let n = 2; n < below; n++) if (is_prime(n)) found++;
  return found;
}

function is_prime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}

/** Inverts an image in place, and moves it back. */
export function invert(pixels: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let n = 0; n < pixels.length; n++) pixels[n] = 255 - (pixels[n] ?? 0);
  return asyncio.transfer(pixels);
}

/** Reads a number, or throws. */
export function parse(text: string): number {
  const number = Number(text);
  if (Number.isNaN(number)) throw new SyntaxError(`no number: ${text}`);
  return number;
}

/** Ends its worker. */
export function crash(): Promise<never> {
  setTimeout(() => {
    throw new Error("the native module failed");
  }, 0);
  return new Promise(() => {});
}

/** Never ends. */
export function loop_forever(): never {
  for (;;);
}

/** Renders a film, and says after each part how far it is. */
export function* render(frames: number): Generator<{ done: number; of: number }> {
  for (let done = 1; done <= frames; done++) {
    count_primes(1000);
    yield { done, of: frames };
  }
}

/** Known to both sides by its name. */
export const request = new asyncio.ContextVar("request", { default: "none" });

/** Returns the request in which the caller is. */
export function current_request(): string {
  return request.get();
}
