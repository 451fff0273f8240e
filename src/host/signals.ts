/**
 * Signals of the process, where there is one.
 *
 * @module
 */

import { builtin_module, host_process, type HostProcess } from "./process.ts";
import { host_timers } from "./timers.ts";

/** True if the host lets a program listen to signals. */
export const has_signals: boolean = typeof host_process?.on === "function" &&
  typeof host_process.off === "function" && typeof host_process.listeners === "function";

interface OSModule {
  readonly constants: { readonly signals: Readonly<Record<string, number>> };
}

/** The number of a signal by its name; `undefined` if there is none of that name. */
export function signal_number(name: string): number | undefined {
  const signals = builtin_module<OSModule>("node:os")?.constants.signals ?? {};
  return Object.hasOwn(signals, name) ? signals[name] : undefined;
}

/** Returns whether a text is the name of a signal, as far as the host says which there are. */
export function is_signal_name(name: string): boolean {
  return /^SIG[A-Z0-9]+$/.test(name) &&
    (signal_number(name) !== undefined || signal_number("SIGINT") === undefined);
}

/** Calls a listener at each signal of a name; throws what the host throws if it cannot. */
export function add_signal_listener(signal: string, listener: () => void): void {
  // Bun takes listeners that it can never call.
  if (signal === "SIGKILL" || signal === "SIGSTOP") {
    throw new Error(`no program can catch ${signal}`);
  }
  (host_process as HostProcess).on(signal, listener);
}

/** Removes a listener. */
export function remove_signal_listener(signal: string, listener: () => void): void {
  (host_process as HostProcess).off(signal, listener);
}

// Marks the listeners of this module, and those of other copies of it.
const INTERRUPTS = Symbol.for("@pythonic/asyncio interrupts");

function has_other_listeners(signal: string): boolean {
  const listeners = (host_process as HostProcess).listeners(signal);
  return listeners.some((listener) => !(INTERRUPTS in (listener as object)));
}

/** The callbacks of a signal, and the listener that calls them. */
interface Interrupts {
  readonly callbacks: Set<(signal: string) => void>;
  readonly listener: () => void;
}

const interrupts = new Map<string, Interrupts>();

function make_interrupts(signal: string): Interrupts {
  const callbacks = new Set<(signal: string) => void>();
  const listener = Object.assign((): void => {
    if (has_other_listeners(signal)) return;
    for (const callback of [...callbacks]) callback(signal);
  }, { [INTERRUPTS]: true });
  add_signal_listener(signal, listener);
  return { callbacks, listener };
}

/**
 * Calls a function at each of some signals, such as that of Ctrl-C, unless the program listens to the signal
 * itself, now or then.
 *
 * @returns a function that ends it
 */
export function on_interrupt(
  signals: Iterable<string>,
  callback: (signal: string) => void,
): () => void {
  if (!has_signals) return () => {};
  const listened = [...signals].filter((signal) => !has_other_listeners(signal));
  for (const signal of listened) {
    let known = interrupts.get(signal);
    if (known === undefined) interrupts.set(signal, known = make_interrupts(signal));
    known.callbacks.add(callback);
  }
  return () => {
    for (const signal of listened) {
      const known = interrupts.get(signal);
      if (!known?.callbacks.delete(callback) || known.callbacks.size > 0) continue;
      interrupts.delete(signal);
      remove_signal_listener(signal, known.listener);
    }
    if (interrupts.size === 0) end_pause();
  };
}

// A listener to a signal keeps Deno and Bun from ending the program, and Node.js not.
const KEEPS_ALIVE = "Deno" in globalThis || "Bun" in globalThis;

// How long the listeners are removed, in milliseconds.
const PAUSE = 1;

let pause: unknown = null;

/** True if {@linkcode pause_interrupts} is of use. */
export const interrupts_keep_alive: boolean = has_signals && KEEPS_ALIVE;

function remove_listeners(): void {
  for (const [signal, { listener }] of interrupts) remove_signal_listener(signal, listener);
}

function listen_again(): void {
  remove_listeners(); // with those that have been added meanwhile
  for (const [signal, { listener }] of interrupts) add_signal_listener(signal, listener);
}

/** Removes the listeners of this module for a moment, in which a host ends the program if nothing else keeps it. */
export function pause_interrupts(): void {
  if (pause !== null || interrupts.size === 0) return;
  remove_listeners();
  pause = host_timers.set(() => {
    pause = null;
    listen_again();
  }, PAUSE);
  do_not_wait_for(pause);
}

/** Removes the listeners of this module for good. */
export function end_interrupts(): void {
  remove_listeners();
  interrupts.clear();
}

/** The part of Deno's core that knows which of its operations are pending; not an interface that Deno promises to keep. */
interface DenoCore {
  hasPromise?(id: number): boolean;
}

interface DenoInternal {
  readonly internal: symbol;
  readonly [key: symbol]: { readonly core?: DenoCore };
}

// Operations are numbered; of a program that has begun more than these it is not known which are pending.
const MAX_OPERATIONS = 200_000;

/**
 * Returns whether Deno waits for nothing but the signals of this module. While a module at the top awaits, it
 * ends a program for which that is so only without any listener.
 */
export function interrupts_alone_are_pending(): boolean {
  const { Deno } = globalThis as unknown as { Deno?: DenoInternal };
  const core = Deno === undefined ? undefined : Deno[Deno.internal]?.core;
  const info = host_process?.getActiveResourcesInfo;
  if (core?.hasPromise === undefined || info === undefined || interrupts.size === 0) return false;
  if (info().length > 0 || count_pending(core) !== interrupts.size) return false;
  // The newest operation shows that none has a greater number than those counted.
  listen_again();
  return count_pending(core) === 2 * interrupts.size;
}

function count_pending(core: DenoCore): number {
  let count = 0;
  for (let id = 0; id < MAX_OPERATIONS; id++) if (core.hasPromise?.(id)) count++;
  return count;
}

function end_pause(): void {
  if (pause !== null) host_timers.clear(pause);
  pause = null;
}

/** Keeps a timer of the host from keeping the program alive. */
export function do_not_wait_for(timer: unknown): void {
  (timer as { unref?(): unknown } | null)?.unref?.();
}
