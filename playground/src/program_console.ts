/** The console of a program: its methods print what Deno's do. */

import type { InspectOptions } from "node-inspect-extracted";
import { format_table } from "./console_table.ts";
import { format, inspect } from "./inspect.ts";

/** Where a console writes to: lines, without the last line's end. */
export type Write = (text: string, is_error: boolean) => void;

const NO_LABEL = "default";

function show_cell(value: unknown): string {
  return inspect(value, { depth: 1 });
}

/**
 * Returns the methods that replace those of a host's console.
 *
 * @param write is given what each call prints
 */
export function make_console(write: Write): Partial<Console> {
  let indent = "";
  const counts = new Map<string, number>();
  const starts = new Map<string, number>();

  const print = (is_error: boolean) => (...args: unknown[]) => {
    write(format(...args).replaceAll(/^/gm, indent), is_error);
  };
  const log = print(false);
  const warn = print(true);

  function group(...args: unknown[]): void {
    if (args.length > 0) log(...args);
    indent += "  ";
  }

  /** Prints how long a timer has run, if there is one. */
  function time_log(label: string, ...args: unknown[]): void {
    const start = starts.get(label);
    if (start === undefined) warn(`Timer '${label}' does not exist`);
    else log(`${label}: ${Number((performance.now() - start).toFixed(3))}ms`, ...args);
  }

  return {
    log,
    info: log,
    debug: log,
    dirxml: log,
    warn,
    error: warn,
    trace(...args) {
      const [, ...frames] = new Error().stack?.split("\n") ?? [];
      warn([`Trace: ${format(...args)}`, ...frames].join("\n"));
    },
    dir(value: unknown, options: InspectOptions = {}) {
      log(typeof value === "string" ? value : inspect(value, options));
    },
    assert(condition, ...args) {
      if (condition) return;
      const [first, ...others] = args;
      if (typeof first === "string") warn(`Assertion failed: ${first}`, ...others);
      else warn(args.length > 0 ? "Assertion failed:" : "Assertion failed", ...args);
    },
    table(data?: unknown, only?: readonly string[]) {
      log(format_table(data, only, show_cell) ?? data);
    },
    group,
    groupCollapsed: group,
    groupEnd() {
      indent = indent.slice(2);
    },
    count(label = NO_LABEL) {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      log(`${label}: ${counts.get(label)}`);
    },
    countReset(label = NO_LABEL) {
      if (!counts.delete(label)) warn(`Count for '${label}' does not exist`);
    },
    time(label = NO_LABEL) {
      if (starts.has(label)) warn(`Timer '${label}' already exists`);
      else starts.set(label, performance.now());
    },
    timeLog: (label = NO_LABEL, ...args) => time_log(label, ...args),
    timeEnd(label = NO_LABEL) {
      time_log(label);
      starts.delete(label);
    },
  };
}
