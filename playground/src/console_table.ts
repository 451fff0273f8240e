/** The table that `console.table()` prints, as Deno prints it. */

import string_width from "string-width";

/** The heading of the column for rows that are no objects. */
const VALUES = "Values";

interface Column {
  readonly heading: string;
  readonly cells: string[];
}

type Entry = readonly [index: string, value: unknown];

/** The rows of what is shown, and the heading of their indices; `null` if that is no table. */
function rows_of(data: unknown): { heading: string; rows: Entry[]; keys: unknown[] | null } | null {
  if (typeof data !== "object" || data === null) return null;
  if (data instanceof Map) {
    const rows = [...data.values()].map((value, index): Entry => [String(index), value]);
    return { heading: "(iter idx)", rows, keys: [...data.keys()] };
  }
  if (data instanceof Set) {
    const rows = [...data].map((value, index): Entry => [String(index), value]);
    return { heading: "(iter idx)", rows, keys: null };
  }
  const heading = ArrayBuffer.isView(data) ? "(iter idx)" : "(idx)";
  return { heading, rows: Object.entries(data), keys: null };
}

/**
 * Returns the table as text; `null` for what is no object, which `console.table()` prints as `console.log()` does.
 *
 * @param data an array, an object, a map or a set
 * @param only the names of the columns that are shown; all, if it is left out
 * @param inspect how a value is shown
 */
export function format_table(
  data: unknown,
  only: readonly string[] | undefined,
  inspect: (value: unknown) => string,
): string | null {
  const table = rows_of(data);
  if (table === null) return null;
  const { heading, rows, keys } = table;
  const columns: Column[] = [{ heading, cells: rows.map(([index]) => index) }];
  if (keys !== null) columns.push({ heading: "Key", cells: keys.map(inspect) });
  // Names that are numbers come first, as they do in objects.
  const by_name: Record<string, string[]> = Object.fromEntries(
    (only ?? []).map((name) => [name, rows.map(() => "")]),
  );
  const plain = rows.map(() => "");
  rows.forEach(([, value], index) => {
    const has_columns = typeof value === "object" && value !== null && keys === null;
    if (!has_columns && typeof value !== "function") {
      plain[index] = inspect(value);
      return;
    }
    for (const [name, cell] of Object.entries(value as object)) {
      if (only !== undefined && !only.includes(name)) continue;
      by_name[name] ??= rows.map(() => "");
      by_name[name][index] = inspect(cell);
    }
  });
  for (const [heading, cells] of Object.entries(by_name)) columns.push({ heading, cells });
  if (only === undefined && plain.some((cell) => cell !== "")) {
    columns.push({ heading: VALUES, cells: plain });
  }
  return draw(columns, rows.length);
}

function pad(text: string, width: number, side: "left" | "right"): string {
  const spaces = " ".repeat(width - string_width(text));
  return side === "left" ? spaces + text : text + spaces;
}

function draw(columns: readonly Column[], height: number): string {
  const drawn = columns.map(({ heading, cells }) => {
    const width = Math.max(string_width(heading), ...cells.map((cell) => string_width(cell)));
    const side = cells.every((cell) => Number.isInteger(Number(cell))) ? "left" : "right";
    return {
      line: "─".repeat(width + 2),
      heading: pad(heading, width, "right"),
      cells: cells.map((cell) => pad(cell, width, side)),
    };
  });
  const lines = drawn.map(({ line }) => line);
  const row = (texts: readonly string[]) => `│ ${texts.join(" │ ")} │`;
  return [
    `┌${lines.join("┬")}┐`,
    row(drawn.map(({ heading }) => heading)),
    `├${lines.join("┼")}┤`,
    ...Array.from({ length: height }, (_, n) => row(drawn.map(({ cells }) => cells[n] ?? ""))),
    `└${lines.join("┴")}┘`,
  ].join("\n");
}
