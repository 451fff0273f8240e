/** What a task can wait for besides the primitive: turns of the loop, the host, several things at once. */

import * as asyncio from "../../mod.ts";

/** Timers of the host that have not gone off yet. */
const timers = new Set<Promise<void>>();

function timer(): Promise<void> {
  const gone_off = new Promise<void>((resolve) => setTimeout(resolve, 0));
  timers.add(gone_off);
  return gone_off.finally(() => timers.delete(gone_off));
}

/** Waits for the timers that tasks did not wait for to the end. */
export async function all_timers(): Promise<void> {
  while (timers.size > 0) await Promise.all(timers);
}

async function microtasks(): Promise<void> {
  for (let left = 5; left > 0; left--) await null;
}

const PAUSES = {
  nothing: () => null,
  turn: () => asyncio.sleep(0),
  moment: () => asyncio.sleep(0.001),
  microtasks,
  library_race: () => Promise.race([asyncio.sleep(0.002), asyncio.sleep(0.001)]),
  library_all: () => Promise.all([asyncio.sleep(0), asyncio.sleep(0.001), microtasks()]),
  timer,
  race: () => Promise.race([asyncio.sleep(0.001), timer()]),
  all: () => Promise.all([asyncio.sleep(0), timer(), microtasks()]),
} satisfies Record<string, () => unknown>;

export type Pause = keyof typeof PAUSES;

export const PAUSE_NAMES = Object.keys(PAUSES) as Pause[];

/**
 * Those that need no patience of the virtual clock, which gives the host some milliseconds before it
 * jumps where a task might go on by itself.
 */
export const LIBRARY_PAUSES: readonly Pause[] = ["nothing", "turn", "moment", "microtasks"];

export async function pause(name: Pause): Promise<void> {
  await PAUSES[name]();
}
