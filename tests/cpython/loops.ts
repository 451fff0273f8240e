/** Loops that are run by hand, as CPython's tests run theirs. */

import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";

export { run } from "../virtual_time.ts";

/** Calls `body` with a loop on the virtual clock that does not run yet, and is closed at the end. */
export async function with_loop(
  body: (loop: VirtualClockEventLoop) => Promise<void>,
): Promise<void> {
  const loop = new VirtualClockEventLoop();
  try {
    await body(loop);
  } finally {
    loop.close();
  }
}

/** A loop on the virtual clock whose time passes in calls, too, as it does while code computes. */
export class BusyLoop extends VirtualClockEventLoop {
  #computed_until = 0;

  override time(): number {
    return Math.max(super.time(), this.#computed_until);
  }

  /** Lets time pass. */
  compute(seconds: number): void {
    this.#computed_until = this.time() + seconds;
  }
}

/** Runs a loop for two iterations: all that is ready, and what this makes ready. */
export async function run_briefly(loop: asyncio.EventLoop): Promise<void> {
  await loop.run_until_complete(loop.create_task(function* once() {}));
}

/** Runs a loop as long as callbacks are ready, if that are no more than ten iterations. */
export async function run_until_idle(loop: asyncio.EventLoop): Promise<void> {
  for (let round = 0; round < 5; round++) await run_briefly(loop);
}

/** Keeps what a loop's exception handler is told. */
export function record_reports(loop: asyncio.AbstractEventLoop): asyncio.ExceptionContext[] {
  const reports: asyncio.ExceptionContext[] = [];
  loop.set_exception_handler((_, report) => reports.push(report));
  return reports;
}

/** The arguments of the cancellation that an awaitable ends with. */
export async function cancellation_of(awaitable: PromiseLike<unknown>): Promise<unknown[]> {
  try {
    await awaitable;
  } catch (error) {
    if (error instanceof asyncio.CancelledError) return error.args;
    throw error;
  }
  throw new Error("it was not cancelled");
}

/** The message of the error with which what a plain callback awaits ends. */
export async function without_task(awaited: () => PromiseLike<unknown>): Promise<string> {
  const loop = asyncio.get_running_loop();
  const ended = loop.create_future<string>();
  loop.call_soon(() => {
    awaited().then(
      () => ended.set_result("no error"),
      (error: unknown) => ended.set_result((error as Error).message),
    );
  });
  return await ended;
}
