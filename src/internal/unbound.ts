/**
 * Methods that are given as callbacks without their object: `call_later(1, event.set)`, as Python writes it.
 *
 * @module
 */

const methods = new WeakSet<object>();
const noted = new WeakSet<object>();

/** Notes the methods of a class, and of those that it extends. */
export function note_methods(prototype: object): void {
  for (
    let at: object | null = prototype;
    at !== null && at !== Object.prototype && !noted.has(at);
    at = Object.getPrototypeOf(at)
  ) {
    noted.add(at);
    for (const key of Reflect.ownKeys(at)) {
      const value: unknown = Object.getOwnPropertyDescriptor(at, key)?.value;
      if (typeof value === "function" && key !== "constructor") methods.add(value);
    }
  }
}

/** Throws a `TypeError` if a callback is a method of the library without its object. */
export function check_bound(where: string, callback: object): void {
  if (!methods.has(callback)) return;
  const { name } = callback as { name: string };
  throw new TypeError(
    `Cannot call ${where}(): a method loses its object when it is given as a callback; instead of ` +
      `x.${name} write () => x.${name}(): received ${name}`,
  );
}
