/** What the programs around the crawler say on a terminal. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { table_of_pages } from "../summary.ts";

async function run(file: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--no-check", new URL(file, import.meta.url).href, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const PROGRAMS = {
  "../main.ts": ["concurrency", "max-pages", "database", "cluster", "resume", "help"],
  "../site.ts": ["port", "articles", "seed", "help"],
  "../../../scripts/demo.ts": ["list", "help"],
  "../../../playground/scripts/serve.ts": ["port", "help"],
};

for (const [file, options] of Object.entries(PROGRAMS)) {
  Deno.test(`${file}: --help names every option, in 80 columns`, async () => {
    const { code, stdout, stderr } = await run(file, "--help");
    assertEquals([code, stderr], [0, ""]);
    for (const option of options) assert(stdout.includes(`--${option}`), `${option} is missing`);
    assert(stdout.split("\n").every((line) => line.length <= 80));
  });
}

for (const file of ["../site.ts", "../../../playground/scripts/serve.ts"]) {
  Deno.test(`${file}: a port that is taken is said in one line`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const { code, stdout, stderr } = await run(file, "--port", String(port));
    assertEquals([code, stdout], [2, ""]);
    assertEquals(stderr, `Port ${port} is taken: choose another by --port\n`);
  });

  Deno.test(`${file}: a port that cannot be is refused in one line`, async () => {
    const { code, stdout, stderr } = await run(file, "--port", "65536");
    assertEquals([code, stdout], [2, ""]);
    assertMatch(
      stderr,
      /^[^\n]*--port must be a whole number from 0 to 65535: received '65536'\n$/,
    );
  });
}

Deno.test("the demo's crawl and its source fit into 80 columns", async () => {
  // The tour puts two columns before each line.
  const source = await Deno.readTextFile(new URL("../demo.ts", import.meta.url));
  assertEquals(source.split("\n").filter((line) => line.length > 78), []);
  const row = { id: 1, outcome: "redirect", status: 308, title: "Contents, page 1", links: 51 };
  const table = table_of_pages([{ ...row, url: "http://127.0.0.1:65535/7/" }]);
  assertEquals(table.split("\n").filter((line) => line.length > 78), []);
});
