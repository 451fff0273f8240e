/**
 * Texts of values, functions and library objects: Python's `repr`, without addresses.
 *
 * A class of which the text contains the name has it as a static getter: a bundler that shortens names
 * does not change it, and can drop the class if it is not used, which a statement would prevent.
 *
 * @module
 */

import { brand_of, has_brand, is_error } from "./error_kinds.ts";

/** The key of the method that returns an object's text for Deno's console. */
export const deno_inspect: unique symbol = Symbol.for("Deno.customInspect") as never;

/** The key of the method that returns an object's text for Node.js's and Bun's consoles. */
export const node_inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/**
 * An object that consoles and `JSON.stringify()` show as its `toString()`.
 *
 * The methods are here and in no other class, since a bundler keeps each class with such keys, used or not.
 *
 * @category Host
 */
export abstract class Inspectable {
  /** Returns the `repr` for Deno's console. */
  [deno_inspect](): string {
    return this.toString();
  }

  /** Returns the `repr` for Node.js's and Bun's consoles. */
  [node_inspect](): string {
    return this.toString();
  }

  /** Returns the `repr`, as what `JSON.stringify()` writes. */
  toJSON(): string {
    return this.toString();
  }
}

/** Adds the methods of {@linkcode Inspectable} to a class, if a base class would slow its constructor down. */
export function make_inspectable({ prototype }: { readonly prototype: object }): void {
  for (const key of [deno_inspect, node_inspect, "toJSON"] as const) {
    const value = Inspectable.prototype[key];
    Object.defineProperty(prototype, key, { value, writable: true, configurable: true });
  }
}

// The limits of Python's reprlib.
const MAX_LEVEL = 6;
const MAX_ITEMS = 6;
const MAX_ENTRIES = 4;
const MAX_STRING = 30;
const MAX_BIGINT = 40;
const MAX_OTHER = 30;

function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = [...text];
  if (characters.length <= most) return text;
  return first_and_last(characters, most).join("...");
}

function first_and_last(characters: readonly string[], most: number): [string, string] {
  const head = (most - 3) >> 1;
  const tail = most - 3 - head;
  return [characters.slice(0, head).join(""), characters.slice(-tail).join("")];
}

// Those that Python's isprintable() refuses: controls, formats, surrogates, separators but the space.
const NOT_PRINTABLE = /(?! )[\p{C}\p{Z}]/u;

function escape_code(code: number): string {
  if (code < 0x100) return "\\x" + code.toString(16).padStart(2, "0");
  if (code < 0x10000) return "\\u" + code.toString(16).padStart(4, "0");
  return "\\U" + code.toString(16).padStart(8, "0");
}

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  let quoted = "";
  for (const char of text) {
    if (char === mark || char === "\\") quoted += "\\" + char;
    else if (char === "\n") quoted += "\\n";
    else if (char === "\r") quoted += "\\r";
    else if (char === "\t") quoted += "\\t";
    else quoted += NOT_PRINTABLE.test(char) ? escape_code(char.codePointAt(0) as number) : char;
  }
  return mark + quoted + mark;
}

// As reprlib, which leaves the middle out before it quotes and after.
function quote_limited(text: string): string {
  const characters = [...text];
  const quoted = quote(characters.slice(0, MAX_STRING).join(""));
  if ([...quoted].length <= MAX_STRING) return quoted;
  const rest = quote(first_and_last(characters, MAX_STRING).join(""));
  return first_and_last([...rest], MAX_STRING).join("...");
}

const BASE_EXCEPTION = brand_of("BaseException");

/** Returns an error's class and arguments, as in Python; errors of JavaScript have their message alone. */
function repr_error(error: Error): string {
  const name = error.constructor?.name || error.name;
  if (error instanceof AggregateError) {
    return `${name}(${quote(error.message)}, ${repr(error.errors)})`;
  }
  if (has_brand(error, BASE_EXCEPTION)) {
    return `${name}(${repr((error as { args?: unknown }).args).slice(1, -1)})`;
  }
  return error.message === "" ? `${name}()` : `${name}(${quote(error.message)})`;
}

// The containers whose text is being made: one that contains itself is not shown again inside.
const being_shown = new Set<object>();

/**
 * Returns Python's `repr` of a value, spelled with JavaScript's constants.
 *
 * @param limited whether to shorten it, as `reprlib.repr` does; no by default
 */
export function repr(value: unknown, limited = false): string {
  return repr_inside(value, limited ? MAX_LEVEL : Infinity);
}

// `levels` is how deep containers are shown; Infinity if nothing is shortened.
function repr_inside(value: unknown, levels: number): string {
  const is_limited = levels !== Infinity;
  try {
    switch (typeof value) {
      case "string":
        return is_limited ? quote_limited(value) : quote(value);
      case "bigint":
        return `${is_limited ? shorten(String(value), MAX_BIGINT) : value}n`;
      case "object":
        if (value === null) return "null";
        if (!is_error(value) && !(deno_inspect in value)) {
          return repr_container(value, levels);
        }
    }
    const text = repr_other(value);
    // Other than in reprlib, errors are shown in full: a trace of a program shows them so.
    return is_limited && !is_error(value) ? shorten(text, MAX_OTHER) : text;
  } catch {
    return "<object>"; // an accessor, a method or a proxy of the user's has thrown
  }
}

function repr_other(value: unknown): string {
  if (typeof value === "symbol") return value.toString();
  if (typeof value === "function") {
    const name = String(value.name || "<lambda>");
    return is_class(value) ? `<class '${name}'>` : `<function ${name}>`;
  }
  if (is_error(value)) return repr_error(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

function repr_container(value: object, levels: number): string {
  if (being_shown.has(value)) return Array.isArray(value) ? "[...]" : "{...}";
  being_shown.add(value);
  const list = <T>(all: Iterable<T>, most: number, show: (item: T) => string): string => {
    const texts: string[] = [];
    for (const item of all) {
      if (levels <= 0) return "...";
      if (levels !== Infinity && texts.length === most) {
        texts.push("...");
        break;
      }
      texts.push(show(item));
    }
    return texts.join(", ");
  };
  const show = (item: unknown) => repr_inside(item, levels - 1);
  try {
    if (Array.isArray(value)) return `[${list(value, MAX_ITEMS, show)}]`;
    if (value instanceof Set) return `{${list(value, MAX_ITEMS, show)}}`;
    if (value instanceof Map) {
      return `{${list(value, MAX_ENTRIES, ([key, item]) => `${show(key)}: ${show(item)}`)}}`;
    }
    if (is_plain_object(value)) {
      const entries = Object.entries(value);
      return `{${list(entries, MAX_ENTRIES, ([key, item]) => `${key}: ${show(item)}`)}}`;
    }
    return `<${type_name(value)} object>`;
  } finally {
    being_shown.delete(value);
  }
}

/** Returns whether a value is a class; a function that is written without `class` is none. */
export function is_class(value: unknown): boolean {
  return typeof value === "function" &&
    Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false;
}

/** Returns whether a value can be iterated over. */
export function is_iterable(value: unknown): value is Iterable<unknown> {
  return typeof (value as Iterable<unknown> | null)?.[Symbol.iterator] === "function";
}

/** Returns whether a value is an object literal, as options are, of any realm. */
export function is_plain_object(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  try {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype) return true;
    // Of all roots of prototype chains, only an `Object.prototype` has this method.
    return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
  } catch {
    return false; // a revoked proxy
  }
}

/**
 * Returns the call of a callback, as Python shows it: `name()`.
 *
 * @param args the arguments to show, shortened; none by default
 */
export function format_callback(callback: unknown, args: readonly unknown[] = []): string {
  const name = typeof callback === "function" ? String(callback.name ?? "") : "";
  const shown = args.map((arg) => repr(arg, true)).join(", ");
  return `${(name || "<lambda>").replace(/^bound /, "")}(${shown})`;
}

/** Returns the innermost place of a stack that {@linkcode extract_stack} returned: `file:line`. */
export function format_place(stack: string): string {
  const [line = ""] = stack.split("\n", 1);
  return line.match(/([^\s(@]+?:\d+)(?::\d+)?\)?$/)?.[1] ?? line.trim();
}

/** Returns the name of a value's class or primitive type, for error messages. */
export function type_name(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return value.constructor?.name || "object";
}

// Matches this file in a line of a stack, as a module or in the bundles of the npm package: the part before its name
// is the library's folder. In the user's bundle no line matches, and nothing distinguishes the frames.
const THIS_FILE = /[^\s(@]*[\\/](?=(?:internal[\\/]format_helpers|bundled[\\/]asyncio-\w+)\.\w+:)/;

// More than V8's ten: many of the frames are the library's.
const MAX_FRAMES = 32;

// Frames of the host: Deno's modules, those of Node.js, built-in functions, Bun's implicit constructors.
const OF_HOST = /\(ext:|\bnode:|\((?:<anonymous>|native|index \d+|unknown:\d+:\d+)\)$/;

/** The stack of a call, formatted when it is first needed: hosts take a hundred times as long for it as to capture it. */
export class CapturedStack {
  #holder: { readonly stack?: string | undefined } | null;
  #text: string;
  readonly #end: RegExp | undefined;

  /**
   * Keeps a stack: see {@linkcode capture_stack}.
   *
   * @param holder what has it; `null` if there is none
   * @param end a frame of the library at which it ends
   * @param text its lines, if there is none
   */
  constructor(
    holder: { readonly stack?: string | undefined } | null,
    end: RegExp | undefined,
    text = "",
  ) {
    this.#holder = holder;
    this.#end = end;
    this.#text = text;
  }

  /** Returns its lines, as in `error.stack`. */
  toString(): string {
    if (this.#holder !== null) {
      this.#text = format_stack(this.#holder.stack ?? "", this.#end);
      this.#holder = null;
    }
    return this.#text;
  }
}

/**
 * Captures the stack of the caller, innermost frame first, without frames of the library and the host.
 *
 * @param skip a function: frames above its call, and the call itself, are left out where the host can do so
 * @param end a frame of the library at which the stack ends
 */
export function capture_stack(skip: object, end?: RegExp): CapturedStack {
  // Called for each wait in debug mode: without a closure, and with no more properties read than it needs.
  const errors = Error as StackCapturing;
  const before = errors.stackTraceLimit;
  const is_limited = typeof before === "number" && limit_stacks(MAX_FRAMES);
  const holder: { stack?: string | undefined } = {};
  try {
    if (errors.captureStackTrace !== undefined) errors.captureStackTrace(holder, skip);
    else holder.stack = new Error().stack;
  } finally {
    if (is_limited) limit_stacks(before);
  }
  return new CapturedStack(holder, end);
}

interface StackCapturing {
  /** How many frames of a stack the host keeps, where that can be set. */
  stackTraceLimit?: number | undefined;
  captureStackTrace?(target: object, skip: unknown): void;
}

// Error may be frozen at any time: by SES, by node --frozen-intrinsics.
let can_limit_stacks = true;

/**
 * Sets how many frames of a stack the host keeps, by V8's property; on other hosts it does no harm.
 *
 * @returns false where all built-in objects are frozen
 */
export function limit_stacks(limit: number | undefined): boolean {
  try {
    if (can_limit_stacks) (Error as StackCapturing).stackTraceLimit = limit;
  } catch {
    can_limit_stacks = false;
  }
  return can_limit_stacks;
}

/** Gives an error a stack, as text; returns the error. */
export function set_stack<E extends Error>(error: E, value: string): E {
  Reflect.defineProperty(error, "stack", { value, writable: true, configurable: true });
  return error;
}

/**
 * Returns the stack of the caller as text: see {@linkcode capture_stack}.
 *
 * @returns lines as in `error.stack`; none if all is of the library
 */
export function extract_stack(skip: object, end?: RegExp): string {
  // An engine with tail calls (Bun) may have left `skip` by now, and then captures nothing.
  return String(capture_stack(skip, end)) || String(capture_stack(extract_stack, end));
}

function format_stack(stack: string, end: RegExp | undefined): string {
  const frames = stack.split("\n").filter(is_frame);
  const library = library_folder();
  const last = end === undefined ? -1 : frames.findIndex((line) => end.test(line));
  return frames.slice(0, last < 0 ? undefined : last).filter((line) => !is_internal(line, library))
    .join("\n");
}

const is_frame = (line: string): boolean => /^\s+at |@/.test(line);

const is_internal = (line: string, library: string | null): boolean =>
  OF_HOST.test(line) || library !== null && line.includes(library);

/** Returns a stack without the frames of the library and the host; what is no frame stays. */
export function without_internal_frames(stack: string): string {
  const library = library_folder();
  return stack.split("\n").filter((line) => !is_frame(line) || !is_internal(line, library))
    .join("\n");
}

let folder: string | null | undefined;

/** Returns the library's folder, as stacks show it; `null` in the user's bundle. */
function library_folder(): string | null {
  return folder ??= new Error().stack?.match(THIS_FILE)?.[0] ?? null;
}
