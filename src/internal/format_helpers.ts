/**
 * How values, functions and library objects are shown to a person: Python's `repr`, without
 * addresses.
 *
 * Classes that show say their name by a static getter: a bundler that shortens names leaves it, and
 * can drop the class where nobody uses it, which it could not if a statement named it.
 *
 * @module
 */

/** The method by which a library object gives its `repr` to Deno's and Node.js's consoles. */
export const deno_inspect: unique symbol = Symbol.for("Deno.customInspect") as never;

/** Node.js's (and Bun's) counterpart of {@linkcode deno_inspect}. */
export const node_inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

const MAX_ITEMS = 6;
const MAX_STRING = 30;

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  let quoted = "";
  for (const char of text) {
    if (char === mark || char === "\\") quoted += "\\" + char;
    else if (char === "\n") quoted += "\\n";
    else if (char === "\r") quoted += "\\r";
    else if (char === "\t") quoted += "\\t";
    else if (char < " " || char === "\x7f") {
      quoted += "\\x" + char.charCodeAt(0).toString(16).padStart(2, "0");
    } else quoted += char;
  }
  return mark + quoted + mark;
}

/** The `repr` of an error: its class, and its message if it has one. */
function repr_error(error: Error): string {
  const name = error.constructor?.name || error.name;
  if (error instanceof AggregateError) {
    return `${name}(${quote(error.message)}, ${repr(error.errors)})`;
  }
  return error.message === "" ? `${name}()` : `${name}(${quote(error.message)})`;
}

// The containers whose `repr` is being made, so that one that holds itself ends.
const being_shown = new Set<object>();

/**
 * Python's `repr` of any value, spelled with JavaScript's constants.
 *
 * @param limited as `reprlib.repr`: long strings and arrays are shortened
 */
export function repr(value: unknown, limited = false): string {
  switch (typeof value) {
    case "string": {
      const quoted = quote(value);
      if (!limited || quoted.length <= MAX_STRING) return quoted;
      return quoted.slice(0, 13) + "..." + quoted.slice(-14);
    }
    case "bigint":
      return `${value}n`;
    case "symbol":
      return value.toString();
    case "function":
      return `<function ${value.name || "<lambda>"}>`;
    case "object":
      break;
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
  if (value === null) return "null";
  if (value instanceof Error) return repr_error(value);
  if (deno_inspect in value) return String(value);
  if (being_shown.has(value)) return Array.isArray(value) ? "[...]" : "{...}";
  being_shown.add(value);
  try {
    return repr_container(value, limited);
  } finally {
    being_shown.delete(value);
  }
}

function repr_container(value: object, limited: boolean): string {
  const items = <T>(all: Iterable<T>, show: (item: T) => string) => {
    const texts: string[] = [];
    for (const item of all) {
      if (limited && texts.length === MAX_ITEMS) {
        texts.push("...");
        break;
      }
      texts.push(show(item));
    }
    return texts.join(", ");
  };
  const show = (item: unknown) => repr(item, limited);
  const show_entry = ([key, item]: [unknown, unknown]) => `${show(key)}: ${show(item)}`;
  if (Array.isArray(value)) return `[${items(value, show)}]`;
  if (value instanceof Set) return `{${items(value, show)}}`;
  if (value instanceof Map) return `{${items(value, show_entry)}}`;
  if (is_plain_object(value)) {
    return `{${items(Object.entries(value), ([key, item]) => `${key}: ${show(item)}`)}}`;
  }
  return `<${type_name(value)} object>`;
}

/** Whether a value is an object literal, as options are, be it one of another realm. */
export function is_plain_object(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // Of all roots of prototype chains, only an `Object.prototype` has this method.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/** A callback as Python shows it: `name()`. */
export function format_callback(callback: unknown): string {
  const name = typeof callback === "function" ? callback.name : "";
  return `${(name || "<lambda>").replace(/^bound /, "")}()`;
}

/** The name of the class of a value, for error messages: `int` is `number` here. */
export function type_name(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return value.constructor?.name || "object";
}

// This file in a line of a stack: what comes before its name is where the library's own frames come
// from. In a bundle there is no such line, nor a way to tell the library's frames from the user's.
const THIS_FILE = /[^\s(@]*[\\/](?=internal[\\/]format_helpers\.\w+:)/;

/** The place in the user's code that made an object: stack lines, without this library's own. */
export function extract_stack(skip: object): string {
  const library = new Error().stack?.match(THIS_FILE)?.[0];
  const holder: { stack?: string } = {};
  const capture = (Error as { captureStackTrace?(target: object, skip: unknown): void })
    .captureStackTrace;
  if (capture !== undefined) capture(holder, skip);
  else holder.stack = new Error().stack;
  const frames = (holder.stack ?? "").split("\n").filter((line) => /^\s+at |@/.test(line));
  const outside = frames.filter((line) =>
    !line.includes("(ext:") && (library === undefined || !line.includes(library))
  );
  return (outside.length > 0 ? outside : frames).join("\n");
}
