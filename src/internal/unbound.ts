/**
 * Methods that are given as callbacks without their object: `call_later(1, event.set)`, as Python writes it.
 *
 * @module
 */

const methods = new WeakSet<object>();
const noted = new WeakSet<object>();
// Objects are mostly made of one class many times in a row.
let latest: object | null = null;

/** Notes the methods of a class, and of those that it extends. */
export function note_methods(prototype: object): void {
  if (prototype === latest) return;
  latest = prototype;
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
  if (methods.has(callback)) throw unbound(where, (callback as { name: string }).name);
}

/**
 * Throws a `TypeError` if a method was called without its object, by what takes any callback: `promise.then(event.set)`.
 *
 * @param has_object whether `this` is an object of the method's class
 */
export function check_object(has_object: boolean, name: string): void {
  if (!has_object) throw unbound(name, name);
}

function unbound(where: string, name: string): TypeError {
  return new TypeError(
    `Cannot call ${where}(): a method loses its object when it is given as a callback; instead of ` +
      `x.${name} write () => x.${name}(): received ${name}`,
  );
}
