/** Checks whether the library has a name: an export of an entry point, or a member of an exported class. */

import * as asyncio from "../../mod.ts";
import * as functools from "../../functools.ts";
import * as itertools from "../../itertools.ts";
import * as cli from "../../cli.ts";
import * as lint from "../../lint.ts";
import * as structured from "../../structured.ts";
import * as testing from "../../testing.ts";
import * as trace from "../../trace.ts";

/** All that is public, by name. */
export const EXPORTED: Readonly<Record<string, unknown>> = {
  ...asyncio,
  ...functools,
  ...itertools,
  ...structured,
  ...testing,
  ...cli,
  ...lint,
  ...trace,
};

/** An object of each class that has some of its members as fields, which no prototype shows. */
const EXAMPLES: Readonly<Record<string, () => object>> = {
  FutureCallGraph: () => asyncio.capture_call_graph(new asyncio.Future()) ?? {},
  EventLoop: () => new testing.VirtualClockEventLoop(),
  Token: () => new asyncio.ContextVar<number>("example").set(1),
};

function has_member(owner: string, member: string): boolean {
  const value = EXPORTED[owner];
  if (typeof value !== "function") return false;
  return member in value.prototype || member in value ||
    (owner in EXAMPLES && member in EXAMPLES[owner]!());
}

/** Returns whether a name, `name` or `Class.member`, is there. */
export function is_present(name: string): boolean {
  const [owner = "", member] = name.split(".");
  return member === undefined ? owner in EXPORTED : has_member(owner, member);
}
