/**
 * Services: programs that run until a signal stops them.
 *
 * @module
 */

import { async_with } from "../context_managers.ts";
import { leaves_the_loop, ValueError } from "../core/exceptions.ts";
import { all_tasks } from "../core/tasks.ts";
import { host_process } from "../host/process.ts";
import { signal_number } from "../host/signals.ts";
import { host_timers } from "../host/timers.ts";
import { Inspectable, repr } from "../internal/format_helpers.ts";
import { check_function } from "../internal/functions.ts";
import { check_options } from "../internal/options.ts";
import { type AbstractEventLoop, get_running_loop } from "../core/events.ts";
import { run } from "../loop/runners.ts";
import { CancelScope } from "./cancel_scopes.ts";

/**
 * How a service is: it starts, is ready for work, stops, has stopped.
 *
 * @category Services
 */
export type Health = "starting" | "ready" | "stopping" | "stopped";

/**
 * The options of `run_service()`.
 *
 * @category Services
 */
export interface ServiceOptions {
  /** The signals that stop the service; `SIGINT` (Ctrl-C) and `SIGTERM` by default. */
  signals?: readonly string[];
  /** How long main may take to stop, in seconds, 10 by default; `Infinity` for no limit. */
  grace?: number;
  /** Makes the loop; as that of `run()`. */
  loop_factory?: (() => AbstractEventLoop) | null;
}

/**
 * A service that runs; `run_service()` gives it to main.
 *
 * @category Services
 *
 * @example
 * ```ts
 * import { run_service, type Service } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * const main = async (service: Service) => {
 *   service.ready();
 *   assertEquals(service.health, "ready");
 * };
 * assertEquals(await run_service(main), 0);
 * ```
 */
export class Service extends Inspectable {
  #health: Health = "starting";
  #signal: string | null = null;
  readonly #scope: CancelScope;

  /** @internal Made by `run_service()`. */
  constructor(scope: CancelScope) {
    super();
    this.#scope = scope;
  }

  /** How the service is, for a health check: `"starting"`, `"ready"`, `"stopping"`, `"stopped"`. */
  get health(): Health {
    return this.#health;
  }

  /** The signal that stops the service; `null` if none has come. */
  get signal(): string | null {
    return this.#signal;
  }

  /** Notes that the service is ready for work; does nothing if it is being stopped. */
  ready(): void {
    if (this.#health === "starting") this.#health = "ready";
  }

  /** Stops the service, as the first signal does, without a limit of time; the second call does nothing. */
  stop(): void {
    if (this.#health === "stopped") return;
    this.#health = "stopping";
    this.#scope.cancel("the service is being stopped");
  }

  /** @internal A first signal has come. */
  protected _stop_by(signal: string): void {
    this.#signal = signal;
    this.stop();
  }

  /** @internal Main is over. */
  protected _ended(): void {
    this.#health = "stopped";
  }

  /** The service's state. */
  override toString(): string {
    return `<Service [${this.#health}]${this.#signal === null ? "" : ` signal=${this.#signal}`}>`;
  }
}

/**
 * The main function of a service.
 *
 * @category Services
 */
export type ServiceMain = (
  service: Service,
) => PromiseLike<unknown> | Generator<unknown, unknown, unknown>;

const FAILED = 1;

/**
 * Runs the main function of a service until it ends or a signal stops it, and sets the exit code of the process.
 *
 * The first signal cancels what main waits for: its blocks end from the inside out, groups cancel their tasks, and
 * `finally` blocks run, for as long as the grace period. When that is over, or at a second signal, the process ends at
 * once, with a line on the terminal that names the tasks which were left.
 *
 * | what ends the service                                  | exit code                             |
 * | ------------------------------------------------------ | ------------------------------------- |
 * | main returns, or stops in time after a signal          | 0, or the integer that main returns   |
 * | main throws, which is written to the terminal          | 1                                     |
 * | a second signal, or the end of the grace period        | 128 and the number of the last signal |
 *
 * Everything else is as with `run()`: a new loop, and what is left is cancelled and cleaned up at the end.
 *
 * @param main an async function or `function*`; it is given the {@linkcode Service}, whose `health` it can report
 * @param options `signals` (`["SIGINT", "SIGTERM"]`), `grace` (10 seconds), `loop_factory`
 * @returns a promise of the exit code, which `process.exitCode` is set to as well; the process ends by itself
 * @throws {TypeError} if an option is unknown or of a wrong type, or main is no function
 * @throws {ValueError} if the grace period is negative, or the host does not know a signal
 * @throws {RuntimeError} if it is called from a running loop, or a signal cannot be caught
 * @throws {KeyboardInterrupt} if Ctrl-C has ended main, and `SIGINT` is none of the signals
 * @category Services
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { run_service, type Service } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * const code = await run_service(async (service: Service) => {
 *   asyncio.get_running_loop().call_later(0.001, () => service.stop());
 *   service.ready();
 *   await asyncio.sleep(3600);
 * });
 * assertEquals(code, 0);
 * ```
 */
export async function run_service(
  main: ServiceMain,
  options: ServiceOptions = {},
): Promise<number> {
  check_options("run_service", options, ["signals", "grace", "loop_factory"]);
  const { signals = ["SIGINT", "SIGTERM"], grace = 10, loop_factory = null } = options;
  check_function("run_service", "main", main);
  if (!Array.isArray(signals) || signals.some((signal) => typeof signal !== "string")) {
    throw new TypeError(
      `Cannot call run_service(): signals must be an array of names: received ${repr(signals)}`,
    );
  }
  if (typeof grace !== "number" || Number.isNaN(grace)) {
    throw new TypeError(
      `Cannot call run_service(): grace must be a number of seconds: received ${repr(grace)}`,
    );
  }
  if (grace < 0) {
    throw new ValueError(`Cannot call run_service(): grace must be 0 or more: received ${grace}`);
  }
  const scope = new CancelScope();
  const service = new Service(scope);
  const ending = new Ending(service, grace);
  let code = 0;
  try {
    const result = await run(() => {
      ending.listen(signals);
      return async_with(scope, () => main(service));
    }, { loop_factory });
    if (Number.isInteger(result)) code = result as number;
  } catch (error) {
    // A Ctrl-C that is none of the signals ends the program as that of run() does.
    if (!ending.is_listening || leaves_the_loop(error)) throw error;
    console.error(error);
    code = FAILED;
  } finally {
    service["_ended"]();
    ending.stop();
  }
  const process = host_process();
  if (process !== undefined) process.exitCode = code;
  return code;
}

/** The end of a service by signals: the first stops it, the second or the end of the grace period its process. */
class Ending {
  readonly #service: Service;
  readonly #grace: number;
  #loop: AbstractEventLoop | null = null;
  #timer: unknown = null;

  constructor(service: Service, grace: number) {
    this.#service = service;
    this.#grace = grace;
  }

  /** True if main has been begun. */
  get is_listening(): boolean {
    return this.#loop !== null;
  }

  listen(signals: readonly string[]): void {
    const loop = get_running_loop();
    for (const signal of signals) {
      loop.add_signal_handler(signal, () => this.#received(signal));
    }
    this.#loop = loop;
  }

  stop(): void {
    if (this.#timer !== null) host_timers.clear(this.#timer);
  }

  #received(signal: string): void {
    if (this.#service.signal !== null) {
      this.#exit(signal, `${signal} came again`);
      return;
    }
    this.#service["_stop_by"](signal);
    if (this.#grace === Infinity) return;
    this.#timer = host_timers.set(
      () => this.#exit(signal, `it has not stopped within ${this.#grace} s after ${signal}`),
      Math.min(this.#grace * 1000, LONGEST_TIMER),
    );
  }

  #exit(signal: string, why: string): void {
    const left = [...all_tasks(this.#loop)].map((task) => task.get_name()).join(", ");
    console.error(`The service is ended at once: ${why}; tasks left: ${left || "none"}`);
    host_process()?.exit?.(128 + (signal_number(signal) ?? 0));
  }
}

// Hosts' timers count milliseconds in 31 bits.
const LONGEST_TIMER = 2 ** 31 - 1;
