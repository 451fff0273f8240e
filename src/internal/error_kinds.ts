/**
 * Classes of errors whose instances have the class's name on each host, and are recognised by other copies
 * of the library in the same process.
 *
 * Such a class defines its name by a static getter and has no statement of its own, so that a bundler which
 * shortens names leaves its name and drops the class if it is not used.
 *
 * @module
 */

/** A class of errors. */
export interface ErrorKind {
  readonly name: string;
  readonly prototype: object;
}

/** The part of the registered symbols' names by which copies of this library find each other's things. */
export const REGISTERED = "@pythonic/asyncio:";

/** Returns the registered symbol by which all copies of the library recognise errors of a class of this name. */
export function brand_of(name: string): symbol {
  return Symbol.for(REGISTERED + name);
}

/** Returns whether a thrown value is of the class that has the brand, in any copy of the library. */
export function has_brand(thrown: unknown, brand: symbol): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  try {
    return brand in thrown;
  } catch {
    return false; // a proxy's handler has thrown, or it is revoked
  }
}

/** As `instanceof`, for what user code has thrown or given: false if it is a proxy that throws when asked. */
export function is_a<T>(thrown: unknown, kind: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}

/** Returns whether a value is an error, of this realm or of another one: under Jest those of the host are. */
export function is_error(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
  } catch {
    return false;
  }
}

/** Returns the lines of an error's stack that are frames. */
export function frames_of({ stack }: { readonly stack?: unknown }): string[] {
  return String(stack).split("\n").filter((line) => /^\s+at /.test(line));
}

// Errors of any class of any copy of the library.
const ANY_KIND = brand_of("");
// Errors of this copy, for which the prototype chain alone decides.
const OWN_KIND = Symbol("prepared");

function is_library_class(kind: ErrorKind): boolean {
  return Object.getOwnPropertyDescriptor(kind, "name")?.get !== undefined;
}

function define(prototype: object, key: PropertyKey, value: unknown): void {
  if (Object.hasOwn(prototype, key)) return;
  // A frozen prototype stays as it is.
  Reflect.defineProperty(prototype, key, { value, writable: true, configurable: true });
}

/**
 * Prepares a class before its first instance is made: gives its prototype the name, and a brand if it is a
 * class of the library.
 *
 * Bun shows a name only if it is a value of the error or of its class's prototype, and V8 writes it in the
 * stack when the error is made. It can be assigned to, as that of `Error`.
 *
 * @param kind `new.target` of the constructor
 */
export function prepare(kind: ErrorKind): void {
  if (Object.hasOwn(kind.prototype, OWN_KIND)) return;
  for (let type = kind; type.prototype instanceof Error; type = Object.getPrototypeOf(type)) {
    const { name, prototype } = type;
    if (typeof name === "string" && name !== "") define(prototype, "name", name);
    if (is_library_class(type)) {
      define(prototype, brand_of(name), true);
      define(prototype, ANY_KIND, true);
    }
  }
  define(kind.prototype, OWN_KIND, true);
}

const ordinary = Function.prototype[Symbol.hasInstance];

/**
 * Returns whether a value is an instance of a class: by its prototype chain, and of a class of the library
 * also if it comes from another copy.
 */
export function is_instance(kind: ErrorKind, value: unknown): boolean {
  try {
    if (ordinary.call(kind as never, value)) return true;
  } catch {
    // A proxy, of which has_brand() is false.
  }
  return has_brand(value, ANY_KIND) && !has_brand(value, OWN_KIND) && is_library_class(kind) &&
    has_brand(value, brand_of(kind.name));
}

/**
 * The root of the library's errors that are not of one of JavaScript's narrower classes.
 *
 * @category Errors
 */
export abstract class NamedError extends Error {
  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return is_instance(this, value);
  }

  /**
   * Makes the error.
   *
   * @param message what happened
   * @param options `cause`: the error that led to it
   */
  constructor(message?: string, options?: ErrorOptions) {
    prepare(new.target);
    super(message, options);
  }
}
