/** The hosts on which the installed package is tested. */

import type { Report } from "./host/runner.ts";
import { MARK } from "./host/runner.ts";
import type { HostKind } from "./left_out.ts";

/** A host that runs the programs which are made of test files. */
export interface Host extends AsyncDisposable {
  /** Its name and version. */
  name: string;
  kind: HostKind;
  /** Runs the program of a test file; gives its report, or what it wrote if there is none. */
  run(program: string): Promise<Report | string>;
}

/** A program that hangs is ended after this many milliseconds. */
export const TIME_LIMIT = 600_000;

/** The report in what a program wrote, or all of it. */
export function find_report(output: string): Report | string {
  const line = output.split("\n").find((line) => line.startsWith(MARK));
  return line === undefined ? output : JSON.parse(line.slice(MARK.length));
}
