/** What the workers behind a `Side` have in common. */

import { READY, type Request } from "./side.ts";

/** What a module that is checked as a window's sees of its worker's scope. */
interface Port {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(text: string): void;
}

const port = self as unknown as Port;

/**
 * Answers requests from now on.
 *
 * @param run gives the trace of a program, both as JSON
 * @param after called after each request
 */
export function serve(
  run: (program: string, patience: number) => Promise<string>,
  after: () => void = () => {},
): void {
  port.onmessage = async ({ data: { programs, patience } }) => {
    for (const program of programs) port.postMessage(await run(program, patience));
    after();
  };
  port.postMessage(READY);
}
