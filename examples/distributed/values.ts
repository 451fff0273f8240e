/**
 * Arguments, results and errors as text, by [devalue](https://github.com/sveltejs/devalue): with `Map`, `Set`, `Date`,
 * `bigint`, typed arrays, `undefined` and errors in any place.
 */

import { parse, stringify } from "devalue";
import * as asyncio from "../../mod.ts";

/** A class of errors. */
export type ErrorClass = new (...args: never[]) => Error;

/** An error as it is sent. */
interface SentError {
  /** The names of its classes, the narrowest first. */
  readonly classes: readonly string[];
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly cause?: unknown;
  /** The errors that it groups. */
  readonly errors?: readonly unknown[];
  /** The arguments with which Python's exceptions are made. */
  readonly args?: readonly unknown[];
  /** Its own properties. */
  readonly own: Readonly<Record<string, unknown>>;
}

const STANDARD: readonly ErrorClass[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

/** Encodes a value; throws a `TypeError` that names the part which cannot be sent. */
export function encode(value: unknown, what: string): string {
  try {
    return stringify(value, { Error: (part: unknown) => part instanceof Error && describe(part) });
  } catch (error) {
    const { message, path = "" } = error as Error & { path?: string };
    throw new TypeError(`Cannot send ${what}${path}: ${message}`, { cause: error });
  }
}

/** Decodes a value; errors are instances of the standard classes, the library's, and those given. */
export function decode(text: string, classes: readonly ErrorClass[] = []): unknown {
  return parse(text, { Error: (sent: SentError) => revive(sent, classes) });
}

/** Encodes an error; if not all of it can be sent, without its own properties and with the text of its cause. */
export function encode_error(error: unknown): string {
  try {
    return encode(error, "the error");
  } catch {
    if (!(error instanceof Error)) return encode(String(error), "the error");
    const { classes, name, message, stack } = describe(error);
    const cause = error.cause === undefined ? {} : { cause: String(error.cause) };
    const sent: SentError = { classes, name, message, stack, ...cause, own: {} };
    return stringify(error, { Error: (part: unknown) => part === error && sent });
  }
}

function describe(error: Error): SentError {
  const { name, message, stack = "" } = error;
  const own = Object.entries(error).filter(([key]) => !NOT_OWN.includes(key));
  return {
    classes: class_names(error),
    name,
    message,
    stack,
    ...(error.cause === undefined ? {} : { cause: error.cause }),
    ...("errors" in error && Array.isArray(error.errors) ? { errors: error.errors } : {}),
    ...("args" in error && Array.isArray(error.args) ? { args: error.args } : {}),
    own: Object.fromEntries(own),
  };
}

/** Properties that are sent by themselves. */
const NOT_OWN = ["name", "message", "stack", "cause", "errors", "args"];

function class_names(error: Error): string[] {
  const names: string[] = [];
  for (let at = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    const name: unknown = Object.hasOwn(at, "constructor") && at.constructor.name;
    if (typeof name === "string" && name !== "Object") names.push(name);
  }
  return names;
}

function revive(sent: SentError, classes: readonly ErrorClass[]): Error {
  const error = make(sent, classes);
  const hidden = { ...sent.own, stack: sent.stack };
  for (const [key, value] of Object.entries(hidden)) define(error, key, value, key !== "stack");
  if (error.name !== sent.name) define(error, "name", sent.name, false);
  if (error.message !== sent.message) define(error, "message", sent.message, false);
  if ("cause" in sent) define(error, "cause", sent.cause, false);
  return error;
}

function make({ classes: names, message, errors, args }: SentError, own: readonly ErrorClass[]) {
  for (const name of names) {
    const given = own.find((one) => one.name === name);
    // The constructor of somebody's class may want anything: it is not called.
    if (given !== undefined) return Reflect.construct(Error, [message], given) as Error;
    const exported: unknown = Reflect.get(asyncio, name);
    if (is_error_class(exported)) {
      const group = errors === undefined ? null : [message, errors];
      return Reflect.construct(exported, group ?? args ?? [message]) as Error;
    }
    if (name === "AggregateError") return new AggregateError(errors ?? [], message);
    if (name === "DOMException") return new DOMException(message, names[0]);
    const standard = STANDARD.find((one) => one.name === name);
    if (standard !== undefined) return Reflect.construct(standard, [message]) as Error;
  }
  return new Error(message);
}

function is_error_class(value: unknown): value is ErrorClass {
  return typeof value === "function" && value.prototype instanceof Error;
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
