/** What is left out on other hosts exists. */

import { assertEquals } from "@std/assert";
import { finder_of_tests } from "../test_names.ts";
import { BROWSER_FILES, FILES, names_of, test_files, TESTS } from "./left_out.ts";

Deno.test("test:npm: each file that is left out exists", async () => {
  const files = await test_files();
  const left_out = [...names_of(FILES), ...names_of(BROWSER_FILES)];
  assertEquals(left_out.filter((name) => !files.some((file) => file.startsWith(name))), []);
});

Deno.test("test:npm: each test that is left out exists", async () => {
  const folder = new URL("../", import.meta.url);
  const texts = (await test_files()).map((file) => Deno.readTextFile(new URL(file, folder)));
  const exists = finder_of_tests((await Promise.all(texts)).join("\n"));
  assertEquals(Object.values(TESTS).flatMap(names_of).filter((name) => !exists(name)), []);
});
