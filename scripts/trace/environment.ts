/** The variables by which `scripts/trace.ts` tells the program that it runs what to do. */

/** The file to which the events are written. */
export const EVENTS_FILE = "ASYNCIO_TRACE_EVENTS";

/** Set if time is virtual. */
export const VIRTUAL = "ASYNCIO_TRACE_VIRTUAL";
