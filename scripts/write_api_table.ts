/**
 * Writes `docs/python_api.md`: which names of Python's asyncio are here, and why the others are not.
 *
 *     deno run --allow-read --allow-env --allow-write=docs scripts/write_api_table.ts
 */

import { format_page, TABLE_FILE } from "../tests/completeness/table.ts";

await Deno.mkdir(new URL(".", TABLE_FILE), { recursive: true });
await Deno.writeTextFile(TABLE_FILE, format_page());
