/**
 * How values, functions and library objects are shown to a person: Python's `repr`, without
 * addresses.
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
    else quoted += char;
  }
  return mark + quoted + mark;
}

function has_own_repr(value: object): boolean {
  return deno_inspect in value;
}

/** The `repr` of an error: its class, and its message if it has one. */
function repr_error(error: Error): string {
  const name = error.constructor?.name || error.name;
  if (error instanceof AggregateError) {
    return `${name}(${quote(error.message)}, ${repr(error.errors)})`;
  }
  return error.message === "" ? `${name}()` : `${name}(${quote(error.message)})`;
}

/**
 * Python's `repr` of any value, spelled with JavaScript's constants.
 *
 * @param limited as `reprlib.repr`: long strings and arrays are shortened
 */
export function repr(value: unknown, limited = false, depth = 6): string {
  switch (typeof value) {
    case "string": {
      const quoted = quote(value);
      if (!limited || quoted.length <= MAX_STRING) return quoted;
      return quoted.slice(0, 12) + "..." + quoted.slice(quoted.length - 13);
    }
    case "bigint":
      return `${value}n`;
    case "symbol":
      return value.toString();
    case "function":
      return `<function ${value.name || "<anonymous>"}>`;
    case "object":
      break;
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
  if (value === null) return "null";
  if (value instanceof Error) return repr_error(value);
  if (has_own_repr(value)) return String(value);
  if (depth <= 0) return "...";
  const items = (all: unknown[]) => {
    const shown = limited ? all.slice(0, MAX_ITEMS) : all;
    const texts = shown.map((item) => repr(item, limited, depth - 1));
    if (shown.length < all.length) texts.push("...");
    return texts.join(", ");
  };
  if (Array.isArray(value)) return `[${items(value)}]`;
  if (value instanceof Set) return `{${items([...value])}}`;
  if (value instanceof Map) {
    return `{${[...value].map(([k, v]) => `${repr(k, limited)}: ${repr(v, limited)}`).join(", ")}}`;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) {
    const fields = Object.entries(value).map(([k, v]) => `${k}: ${repr(v, limited, depth - 1)}`);
    return `{${fields.join(", ")}}`;
  }
  const name = prototype.constructor?.name || "object";
  return `<${name} object>`;
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

/** The place in the user's code that made an object: stack lines without this library's own. */
export function extract_stack(skip: object): string {
  const holder: { stack?: string } = {};
  const capture = (Error as { captureStackTrace?(target: object, skip: unknown): void })
    .captureStackTrace;
  if (capture !== undefined) capture(holder, skip);
  else holder.stack = new Error().stack;
  const lines = (holder.stack ?? "").split("\n");
  return lines.filter((line) => /^\s+at |@/.test(line)).join("\n");
}
