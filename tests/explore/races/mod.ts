/** All known kinds of races. */

import { HOST_RACES } from "./hosts.ts";
import type { Race } from "./race.ts";
import { STATE_RACES } from "./state.ts";
import { WAIT_RACES } from "./waits.ts";

export const RACES: readonly Race[] = [...STATE_RACES, ...WAIT_RACES, ...HOST_RACES];
