/** The tables of a crawl, in any database. */

/** In the order in which they are made: a database that has the first is a crawl's. */
const TABLES = ["frontier", "pages", "links"] as const;

/**
 * Whether a database with these tables has all those of a crawl.
 *
 * @throws {Error} if it has some that must be somebody else's
 */
export function has_crawl(tables: readonly string[]): boolean {
  const [first, ...others] = TABLES;
  const foreign = tables.includes(first) ? undefined : others.find((name) => tables.includes(name));
  if (foreign !== undefined) throw new Error(`it has a table '${foreign}' that is no crawl's`);
  return TABLES.every((name) => tables.includes(name));
}
