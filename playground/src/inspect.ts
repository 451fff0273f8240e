/** How values are shown: as Deno's console shows them, which differs from Node.js in quotes and depth. */

import {
  inspect as inspect_as_node,
  type InspectOptions,
  type Style,
} from "node-inspect-extracted";

/** How deep objects are shown, unless the program says otherwise. */
const DEPTH = 4;

/** How Deno writes characters that Node.js writes in another way. */
const ESCAPES: Readonly<Record<string, string>> = { "\\x0B": "\\v" };

function escape_as_deno(escape: string): string {
  // Half of a surrogate pair, which no terminal can show.
  if (escape.startsWith("\\u")) return "\uFFFD";
  if (escape.startsWith("\\x")) return ESCAPES[escape] ?? escape.toLowerCase();
  return escape;
}

/** A quoted string of Node.js, which prefers single quotes, in the quotes that Deno prefers. */
function requote(quoted: string): string {
  const inside = quoted.slice(1, -1).replaceAll(
    /\\(?:\\|x[\dA-F]{2}|u[\da-f]{4}|[bfnrt])/g,
    escape_as_deno,
  );
  if (!quoted.startsWith("'")) return quoted[0] + inside + quoted[0];
  // A single quote is escaped in single quotes where the string has quotes of all kinds.
  if (inside.includes("\\'")) {
    return `"${inside.replaceAll("\\'", "'").replaceAll('"', '\\"')}"`;
  }
  return inside.includes('"') ? `'${inside}'` : `"${inside}"`;
}

/** A symbol whose description is no identifier has it in quotes. */
function show_symbol(text: string): string {
  const [, description] = text.match(/^Symbol\((.+)\)$/s) ?? [];
  const is_plain = description === undefined || /^[A-Za-z_][\w.]*$/.test(description);
  return is_plain ? text : `Symbol(${inspect(description)})`;
}

function stylize(text: string, style: Style): string {
  if (style === "symbol") return show_symbol(text);
  if (style !== "string") return text;
  const [, boxed] = text.match(/^\[String: (.*)\]$/s) ?? [];
  if (boxed !== undefined) return `[String: ${requote(boxed)}]`;
  return /^(['"`]).*\1$/s.test(text) ? requote(text) : text;
}

/** Returns the text of a value; the options are those of Node.js's `inspect()`. */
export function inspect(value: unknown, options: InspectOptions = {}): string {
  return inspect_as_node(value, { depth: DEPTH, ...options, stylize } as InspectOptions);
}

/** What stands in the place of a format; `undefined` for what `%j` cannot write. */
function write_place(kind: string, value: unknown): string | undefined {
  const is_number = typeof value === "number" || typeof value === "string";
  switch (kind) {
    case "s":
      return String(value);
    case "d":
    case "i":
      return typeof value === "bigint"
        ? String(value)
        : String(is_number ? parseInt(`${value}`) : NaN);
    case "f":
      return String(is_number ? parseFloat(`${value}`) : NaN);
    case "j":
      return JSON.stringify(value);
    case "c":
      return "";
    default:
      return inspect(value);
  }
}

function plain_or_inspected(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}

/** Returns what `console.log()` prints for its arguments, of which the first may be a format. */
export function format(...args: readonly unknown[]): string {
  const [first, ...values] = args;
  if (typeof first !== "string" || values.length === 0) {
    return args.map(plain_or_inspected).join(" ");
  }
  let used = 0;
  const text = first.replaceAll(/%([sdifjoOc%])/g, (place: string, kind: string) => {
    if (kind === "%") return "%";
    return used < values.length ? write_place(kind, values[used++]) ?? place : place;
  });
  return [text, ...values.slice(used).map(plain_or_inspected)].join(" ");
}
