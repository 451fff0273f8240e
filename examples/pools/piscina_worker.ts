/** What the workers of piscina and tinypool run: they hand over one argument, so it names the export. */

/** Makes the function that a worker's file exports as its default, for the exports of a module. */
export function serve(work: object) {
  return ({ name, args }: { name: string; args: unknown[] }): unknown => {
    const fn: unknown = Object.hasOwn(work, name) && Reflect.get(work, name);
    if (typeof fn !== "function") throw new TypeError(`Cannot call ${name}(): it is not exported`);
    return fn(...args);
  };
}
