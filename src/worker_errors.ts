/**
 * The errors of workers: what a worker's program describes, as an error of the class that it had there.
 *
 * @module
 */

import { BrokenExecutor } from "./core/concurrent_futures.ts";
import * as exceptions from "./core/exceptions.ts";
import { brand_of, type ErrorKind, prepare } from "./internal/error_kinds.ts";

/** An error as a worker's program describes it. */
interface DescribedError {
  /** The library's classes that it is of, the narrowest first. */
  readonly kinds: readonly string[];
  /** The narrowest of the standard classes that it is of. */
  readonly base: string;
  /** The name of its own class. */
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly cause?: Described;
  /** The errors that it groups. */
  readonly errors?: readonly Described[];
  /** The arguments of a `BaseException`. */
  readonly args?: readonly unknown[];
  /** Its other properties. */
  readonly own: readonly (readonly [key: string, value: Described])[];
}

/** Anything that a worker can throw, or the text of what cannot be cloned. */
export type Described = DescribedError | { readonly value: unknown } | {
  readonly unsendable: string;
};

type Seen = Map<Described, unknown>;

/** Makes the thrown value anew. */
export function revive(described: Described, seen: Seen = new Map()): unknown {
  if ("value" in described) return described.value;
  if ("unsendable" in described) return described.unsendable;
  if (seen.has(described)) return seen.get(described);
  const error = make_error(described);
  seen.set(described, error);
  if (error.name !== described.name) define(error, "name", described.name);
  define(error, "stack", described.stack);
  if (described.cause !== undefined) define(error, "cause", revive(described.cause, seen));
  if (described.errors !== undefined) {
    define(error, "errors", described.errors.map((member) => revive(member, seen)));
  }
  for (const [key, value] of described.own) {
    define(error, key, revive(value, seen), true);
  }
  return error;
}

function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Reflect.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}

type Constructor = new (...args: never[]) => Error;

// An export of that name which is no class of errors is none that a worker can name.
function library_class(name: string): Constructor | null {
  const found = (exceptions as Readonly<Record<string, unknown>>)[name] ??
    (name === "BrokenExecutor" ? BrokenExecutor : null);
  return exceptions.is_error_class(found) ? found as unknown as Constructor : null;
}

function make_error({ kinds, base, name, message, args, errors }: DescribedError): Error {
  const [kind] = kinds;
  if (kind === undefined) return make_standard_error(base, name, message);
  const known = library_class(kind);
  if (known !== null) {
    if (args !== undefined) return Reflect.construct(known, args);
    prepare(known as unknown as ErrorKind);
    return errors !== undefined
      ? Reflect.construct(AggregateError, [[], message], known)
      : Reflect.construct(Error, [message], known);
  }
  return Object.setPrototypeOf(new Error(message), stand_in(kinds));
}

function make_standard_error(base: string, name: string, message: string): Error {
  const standard = (globalThis as unknown as Record<string, Constructor | undefined>)[base];
  if (standard === undefined) return new Error(message);
  if (base === "DOMException") return new DOMException(message, name);
  return base === "AggregateError"
    ? new AggregateError([], message)
    : Reflect.construct(Error, [message], standard);
}

/**
 * A prototype by which an error is an instance of classes of the library that this program may not have
 * loaded, as one of another copy is.
 */
function stand_in(kinds: readonly string[]): object {
  const prototype = Object.create(Error.prototype, { name: { value: kinds[0], writable: true } });
  for (const kind of ["", ...kinds]) {
    Object.defineProperty(prototype, brand_of(kind), { value: true });
  }
  return prototype;
}
