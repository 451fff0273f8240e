/**
 * Reports of coroutines that were made and never awaited.
 *
 * Nearly all coroutines are awaited or made a task by the code that makes them. So one that is still untouched
 * when the next is made is noted, and only what is untouched when the microtask queue has run dry is watched.
 *
 * @module
 */

import { make_reference, type Reference, watch_collection } from "../host/collection.ts";
import { at_exit } from "../host/exit.ts";
import { debug_loops } from "./current.ts";
import { note_stack, type Origin } from "./origins.ts";

// The phases of a coroutine.
/** It has been made, and nothing has been done with it. */
export const CREATED = 0;
/** It runs, or waits. */
export const ACTIVE = 1;
/** It has ended, or was closed. */
export const CLOSED = 2;
/** A task is to run it. */
export const SCHEDULED = 3;
/** It has been made, and a report is due if it is collected. */
export const WATCHED = 4;

/** The part of a coroutine that is known here. */
export interface Unawaited {
  readonly name: string;
  _phase: number;
  /** Where it was made, in debug mode. The field is added then alone: it takes a tenth of the time of a `WeakMap`. */
  _origin?: Origin;
}

interface Report {
  readonly name: string;
  readonly origin: string | undefined;
}

// Made anew often: a store of what is young in what is old takes an engine longer.
let recent: { latest: Unawaited | null } = { latest: null };
let untouched: Unawaited[] = [];
const watched = new Map<Report, Reference<Unawaited>>();
const reports = new WeakMap<Unawaited, Report>();
let reports_at_exit = false;

// No more than this are noted between two times that a loop sees the microtask queue run dry.
const MAX_UNTOUCHED = 1000;

const collected = watch_collection<Report>((report) => {
  if (watched.delete(report)) warn(report);
});

function warn({ name, origin }: Report): void {
  const where = origin === undefined
    ? ""
    : `\nCoroutine created at (most recent call first):\n${origin}`;
  globalThis.console?.warn(`coroutine '${name}' was never awaited${where}`);
}

/** Notes a coroutine that is being made. */
export function note_made(coroutine: Unawaited, maker: object): void {
  const before = recent.latest;
  recent.latest = coroutine;
  if (before === null || before._phase === CREATED) note_untouched(before);
  if (debug_loops > 0) coroutine._origin = note_stack(maker);
}

// Apart, so that an engine makes the usual case part of what makes a coroutine.
function note_untouched(coroutine: Unawaited | null): void {
  if (coroutine === null) report_at_exit();
  else if (untouched.length < MAX_UNTOUCHED) untouched.push(coroutine);
}

/** Notes that another coroutine awaits a value that may be a coroutine: it need not be reported by itself. */
export function note_used(value: unknown): void {
  const coroutine = value as Partial<Unawaited> | null;
  if (coroutine?._phase === CREATED) coroutine._phase = SCHEDULED;
}

/** Returns where a coroutine was made, if that was in debug mode; else `null`. */
export function origin_of(coroutine: Unawaited): Origin {
  return coroutine._origin ?? null;
}

/** Watches the coroutines that nothing has been done with since they were made. */
export function watch_untouched(): void {
  const { latest } = recent;
  if (latest !== null) {
    if (latest._phase === CREATED) watch(latest);
    recent = { latest: null };
  }
  if (untouched.length === 0) return;
  const noted = untouched;
  untouched = [];
  for (const coroutine of noted) {
    if (coroutine._phase === CREATED) watch(coroutine);
  }
}

function watch(coroutine: Unawaited): void {
  // As text: a captured stack holds what its frames hold.
  const report = { name: coroutine.name, origin: coroutine._origin?.toString() };
  coroutine._phase = WATCHED;
  watched.set(report, make_reference(coroutine));
  reports.set(coroutine, report);
  collected.register(coroutine, report, coroutine);
}

// Before any is watched: the queue may not run dry again before the program ends.
function report_at_exit(): void {
  if (reports_at_exit) return;
  reports_at_exit = true;
  at_exit(report_all);
}

/** Stops watching a coroutine that is used after all. */
export function stop_watching(coroutine: Unawaited): void {
  const report = reports.get(coroutine);
  if (report !== undefined) watched.delete(report);
  collected.unregister(coroutine);
}

function report_all(): void {
  watch_untouched();
  for (const report of watched.keys()) warn(report);
  watched.clear();
}
