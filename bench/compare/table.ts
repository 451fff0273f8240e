/**
 * A table in Markdown.
 *
 * @module
 */

/** Writes a table whose first `left` columns are aligned to the left and the others to the right. */
export function markdown_table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left = 1,
): string {
  const rule = head.map((_, column) => column < left ? "---" : "---:");
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");
}
