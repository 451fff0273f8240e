/** A wrong command line of a program that is run by hand: it says what is wrong, and ends with code 2. */

import { assertEquals, assertMatch } from "@std/assert";

const WHOLE = /takes a whole number from \d on: received '/;
const LIST = /takes a list of .+: received 'nothing'/;
const EMPTY = /takes a list of .+: received ''/;

const WRONG: Readonly<Record<string, readonly (readonly [RegExp, ...string[]])[]>> = {
  "bench/compare/growth.ts": [[WHOLE, "--rounds", "0"], [LIST, "--only", "spawn,nothing"], [
    EMPTY,
    "--only",
    "",
  ]],
  "bench/compare/main.ts": [
    [WHOLE, "--rounds", "many"],
    [LIST, "--only", "nothing"],
    [LIST, "--contestants", "library,nothing"],
    [EMPTY, "--contestants", ""],
  ],
  "bench/compare/network.ts": [
    [WHOLE, "--rounds=-1"],
    [LIST, "--hosts", "nothing"],
    [LIST, "--only", "nothing"],
  ],
  "bench/compare/start.ts": [[WHOLE, "--rounds", "1.5"], [LIST, "--hosts", "deno,nothing"]],
  "bench/pools/main.ts": [[WHOLE, "--rounds", "0"]],
  "scripts/demo.ts": [[/a program is one of --list: received 'nothing'/, "nothing"]],
  "tests/border/main.ts": [
    [WHOLE, "--jobs", "0"],
    [LIST, "--profile", "nothing"],
    [EMPTY, "--profile", ""],
    [/--host takes one of .+: received 'nothing'/, "--host", "nothing"],
  ],
  "tests/conformance/main.ts": [[WHOLE, "--count", ""], [LIST, "--profile", "nothing"], [
    EMPTY,
    "--profile",
    "",
  ]],
  "tests/explore/main.ts": [
    [WHOLE, "--seconds", "0"],
    [/--only takes a part of a program's name: received 'nothing'/, "--only", "nothing"],
  ],
  "tests/installed/main.ts": [[LIST, "--hosts", "nothing"], [LIST, "--checks", "nothing"]],
  "tests/soak/soak.ts": [[WHOLE, "--tasks", "0"]],
};

for (const [program, command_lines] of Object.entries(WRONG)) {
  Deno.test(`${program}: says what is wrong about its command line`, async () => {
    const path = new URL(`../${program}`, import.meta.url).pathname;
    for (const [reason, ...options] of [...command_lines, [/^.+: Unknown option/, "--nonsense"]]) {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", path, ...options as string[]],
        env: { NO_COLOR: "1" },
      }).output();
      const text = new TextDecoder();
      assertMatch(text.decode(stderr), reason as RegExp);
      assertEquals([text.decode(stdout), text.decode(stderr).split("\n").length, code], ["", 2, 2]);
    }
  });
}
