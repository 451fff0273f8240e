/**
 * The flow control that all transports with a write buffer share.
 *
 * @module
 */

import { leaves_the_loop, ValueError } from "./core/exceptions.ts";
import { Transport, type WriteBufferLimits } from "./core/transports.ts";
import { repr } from "./internal/format_helpers.ts";
import { check_options } from "./internal/options.ts";
import type { AbstractEventLoop } from "./core/events.ts";

/**
 * A transport whose protocol is paused while the write buffer is full.
 *
 * A subclass calls `_maybe_pause_protocol()` when its buffer has grown, and `_maybe_resume_protocol()`
 * when it has shrunk.
 */
export abstract class FlowControlledTransport extends Transport {
  protected readonly _loop: AbstractEventLoop;
  #protocol_paused = false;
  #high_water = this._default_high_water;
  #low_water = this.#high_water / 4;

  /** Makes a transport of a loop. */
  constructor(loop: AbstractEventLoop, extra: Record<string, unknown>) {
    super(extra);
    this._loop = loop;
  }

  /** The default of the buffer's upper mark, in bytes. */
  protected get _default_high_water(): number {
    return 64 * 1024;
  }

  /** Returns whether the protocol's writing is paused. */
  protected get _protocol_paused(): boolean {
    return this.#protocol_paused;
  }

  protected _maybe_pause_protocol(): void {
    if (this.#protocol_paused || this.get_write_buffer_size() <= this.#high_water) return;
    this.#protocol_paused = true;
    this.#call_protocol("pause_writing");
  }

  protected _maybe_resume_protocol(): void {
    if (!this.#protocol_paused || this.get_write_buffer_size() > this.#low_water) return;
    this.#protocol_paused = false;
    this.#call_protocol("resume_writing");
  }

  #call_protocol(method: "pause_writing" | "resume_writing"): void {
    const protocol = this.get_protocol();
    try {
      protocol[method]();
    } catch (exception) {
      if (leaves_the_loop(exception)) throw exception;
      this._loop.call_exception_handler({
        message: `protocol.${method}() failed`,
        exception,
        transport: this,
        protocol,
      });
    }
  }

  override get_write_buffer_limits(): [low: number, high: number] {
    return [this.#low_water, this.#high_water];
  }

  override set_write_buffer_limits(limits: WriteBufferLimits = {}): void {
    check_options("set_write_buffer_limits", limits, ["high", "low"]);
    const high = limits.high ?? (limits.low == null ? this._default_high_water : 4 * limits.low);
    const low = limits.low ?? Math.floor(high / 4);
    if (!(high >= low && low >= 0)) {
      throw new ValueError(`high (${repr(high)}) must be >= low (${repr(low)}) must be >= 0`);
    }
    this.#high_water = high;
    this.#low_water = low;
    this._maybe_pause_protocol();
  }
}
