/** Running programs on the virtual clock. */

import * as asyncio from "../../mod.ts";

export { now, run } from "../virtual_time.ts";

/** Until every task waits for a later time or another task. */
export async function all_blocked(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await asyncio.sleep(0);
}

/** The errors of a group. */
export async function errors_of(awaitable: PromiseLike<unknown>): Promise<unknown[]> {
  try {
    await awaitable;
  } catch (error) {
    if (error instanceof asyncio.BaseExceptionGroup) return error.exceptions;
    throw error;
  }
  throw new Error("no group was thrown");
}
