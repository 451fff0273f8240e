/**
 * Signals of the process, where there is one.
 *
 * @module
 */

import { builtin_module, core_of_deno, host_process, type HostProcess } from "./process.ts";

/** Returns whether the host lets a program listen to signals. */
export function has_signals(): boolean {
  const { on, off, listeners } = host_process() ?? {};
  return [on, off, listeners].every((method) => typeof method === "function");
}

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
  (host_process() as HostProcess).on(signal, listener);
}

/** Removes a listener. */
export function remove_signal_listener(signal: string, listener: () => void): void {
  (host_process() as HostProcess).off(signal, listener);
}

// Marks the listeners of this module, and those of other copies of it.
const INTERRUPTS = Symbol.for("@pythonic/asyncio interrupts");

function has_other_listeners(signal: string): boolean {
  const listeners = (host_process() as HostProcess).listeners(signal);
  return listeners.some((listener) => !(INTERRUPTS in (listener as object)));
}

/** The callbacks of a signal, and the listener that calls them. */
interface Interrupts {
  readonly callbacks: Set<(signal: string) => void>;
  readonly listener: () => void;
  /** Deno's operation that waits for the signal and is this listener's alone; `null` where it is not known. */
  operation: number | null;
}

const interrupts = new Map<string, Interrupts>();

function make_interrupts(signal: string): Interrupts {
  const known: Interrupts = {
    callbacks: new Set(),
    listener: Object.assign((): void => {
      if (has_other_listeners(signal)) return;
      for (const callback of [...known.callbacks]) callback(signal);
    }, { [INTERRUPTS]: true }),
    operation: null,
  };
  listen(signal, known);
  return known;
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
  if (!has_signals()) return () => {};
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
  };
}

/**
 * The part of Deno's core that knows which of its operations are pending; not an interface that Deno promises to keep.
 *
 * A listener of a signal keeps a program alive on Deno, and on Node.js and Bun not. Deno has nothing public that
 * changes this. Without this part a program on Deno in which nothing can be resumed waits until it is interrupted.
 */
interface DenoCore {
  hasPromise(id: number): boolean;
  refOpPromise(promise: object): void;
  unrefOpPromise(promise: object): void;
  readonly promiseIdSymbol: symbol;
}

function find_core(): DenoCore | null {
  const core = core_of_deno() as Partial<DenoCore> | undefined;
  return core?.hasPromise && core.unrefOpPromise && core.promiseIdSymbol ? core as DenoCore : null;
}

const core: DenoCore | null = find_core();

/** Returns whether listeners of this module would keep the program alive, and it can have them not to. */
export function interrupts_keep_alive(): boolean {
  return core !== null && interrupts.size > 0;
}

// Operations are numbered, and Deno does not say what the next number is: a new one is looked for among so many after the
// last one that was found, then among more.
const RANGES = [1 << 6, 1 << 12, 1 << 18];

let last_operation = -1;
let watches_end = false;

function pending_operations(from: number, to: number): Set<number> {
  const pending = new Set<number>();
  for (let id = from; id < to; id++) if (core?.hasPromise(id)) pending.add(id);
  return pending;
}

/** Adds a listener and returns the operation which that begins; `null` where the program listens to the signal itself. */
function begin_operation(signal: string, listener: () => void): number | null {
  for (const range of core === null ? [] : RANGES) {
    const from = last_operation + 1;
    const before = pending_operations(from, from + range);
    add_signal_listener(signal, listener);
    const [id, ...more] = [...pending_operations(from, from + range)].filter((id) =>
      !before.has(id)
    );
    // Earlier versions of Deno take a number for that of each operation with the same lowest bits.
    if (id !== undefined && more.length === 0 && !core?.hasPromise(id + 2 ** 31)) {
      return last_operation = id;
    }
    remove_signal_listener(signal, listener);
  }
  add_signal_listener(signal, listener);
  return null;
}

// After a signal Deno begins another operation, which keeps the program alive until nothing else does.
function listen(signal: string, known: Interrupts): void {
  known.operation = begin_operation(signal, known.listener);
  if (known.operation === null) return;
  core?.unrefOpPromise(promise_of(known.operation));
  if (watches_end) return;
  watches_end = true;
  host_process()?.on?.("beforeExit", others_listen);
}

function promise_of(operation: number): object {
  return { [(core as DenoCore).promiseIdSymbol]: operation };
}

/**
 * Returns whether the program itself has begun to listen to one of the signals, which then keeps it alive.
 *
 * It can tell when nothing but signals is left to wait for: a listener that is the only one begins an operation when it is
 * removed and added again.
 */
function others_listen(): boolean {
  let found = false;
  for (const [signal, known] of interrupts) {
    const { operation } = known;
    // A listener of process.once() has to come after this one, to be seen by it.
    if (!has_other_listeners(signal)) {
      remove_signal_listener(signal, known.listener);
      listen(signal, known);
      if (known.operation !== null) continue;
    }
    found = true;
    if (operation !== null) core?.refOpPromise(promise_of(operation));
  }
  return found;
}

// A signal that by itself does nothing.
const HARMLESS = "SIGWINCH";

/**
 * Returns whether Deno waits for nothing but the signals of this module. While a module at the top awaits, it
 * ends a program for which that is so only without any listener.
 */
export function interrupts_alone_are_pending(): boolean {
  const resources = host_process()?.getActiveResourcesInfo?.();
  if (interrupts.size === 0 || resources === undefined || resources.length > 0) return false;
  // The newest operation shows how many numbers there are.
  const listener = () => {};
  const newest = begin_operation(HARMLESS, listener);
  remove_signal_listener(HARMLESS, listener);
  if (newest === null || pending_operations(0, newest).size !== interrupts.size) return false;
  return !others_listen();
}

/** Removes the listeners of this module for good. */
export function end_interrupts(): void {
  for (const [signal, { listener }] of interrupts) remove_signal_listener(signal, listener);
  interrupts.clear();
}
