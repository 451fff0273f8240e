/** The table that `console.table()` prints, as Deno prints it. */

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
  return { heading: "(idx)", rows: Object.entries(data), keys: null };
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
  const by_name = new Map<string, string[]>(
    (only ?? []).map((name) => [name, rows.map(() => "")]),
  );
  const plain = rows.map(() => "");
  rows.forEach(([, value], index) => {
    if (typeof value !== "object" || value === null) {
      plain[index] = inspect(value);
      return;
    }
    for (const [name, cell] of Object.entries(value)) {
      if (only !== undefined && !only.includes(name)) continue;
      const cells = by_name.get(name) ?? rows.map(() => "");
      cells[index] = inspect(cell);
      by_name.set(name, cells);
    }
  });
  for (const [name, cells] of by_name) columns.push({ heading: name, cells });
  if (plain.some((cell) => cell !== "")) columns.push({ heading: VALUES, cells: plain });
  return draw(columns, rows.length);
}

function draw(columns: readonly Column[], height: number): string {
  const widths = columns.map(({ heading, cells }) =>
    Math.max(heading.length, ...cells.map((cell) => cell.length))
  );
  const rule = (left: string, middle: string, right: string) =>
    left + widths.map((width) => "─".repeat(width + 2)).join(middle) + right;
  const row = (texts: readonly string[]) => `│ ${texts.join(" │ ")} │`;
  const body = Array.from({ length: height }, (_, index) =>
    row(columns.map(({ cells }, column) => {
      const is_numeric = cells.every((cell) => /^-?[\d.]+n?$|^$/.test(cell));
      const [cell, width] = [cells[index] ?? "", widths[column] ?? 0];
      return is_numeric ? cell.padStart(width) : cell.padEnd(width);
    })));
  const headings = row(columns.map(({ heading }, column) => heading.padEnd(widths[column] ?? 0)));
  return [rule("┌", "┬", "┐"), headings, rule("├", "┼", "┤"), ...body, rule("└", "┴", "┘")]
    .join("\n");
}
