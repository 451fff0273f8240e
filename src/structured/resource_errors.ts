/**
 * The errors of channels and limiters.
 *
 * @module
 */

import { NamedError } from "../internal/error_kinds.ts";

/**
 * Thrown by `receive()` when all senders are closed and nothing is left to receive.
 *
 * It is {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.EndOfStream AnyIO's EndOfStream}.
 *
 * @category Channels
 *
 * @example
 * ```ts
 * import { EndOfChannel, open_channel } from "@pythonic/asyncio/structured";
 * import { assertThrows } from "@std/assert";
 *
 * const [sender, receiver] = open_channel<number>(1);
 * sender.close();
 * assertThrows(() => receiver.receive_nowait(), EndOfChannel);
 * ```
 */
export class EndOfChannel extends NamedError {
  /** @internal */
  static override get name(): string {
    return "EndOfChannel";
  }
}

/**
 * Thrown by `send()` when all receivers are closed, and by a receiver that a broadcast has ended since it was
 * too slow.
 *
 * It is {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.BrokenResourceError AnyIO's BrokenResourceError}.
 *
 * @category Channels
 *
 * @example
 * ```ts
 * import { BrokenChannelError, open_channel } from "@pythonic/asyncio/structured";
 * import { assertThrows } from "@std/assert";
 *
 * const [sender, receiver] = open_channel<number>(1);
 * receiver.close();
 * assertThrows(() => sender.send_nowait(1), BrokenChannelError);
 * ```
 */
export class BrokenChannelError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "BrokenChannelError";
  }
}

/**
 * Thrown by an operation on a sender or receiver that is closed itself.
 *
 * It is {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.ClosedResourceError AnyIO's ClosedResourceError}.
 *
 * @category Channels
 *
 * @example
 * ```ts
 * import { ClosedResourceError, open_channel } from "@pythonic/asyncio/structured";
 * import { assertThrows } from "@std/assert";
 *
 * const [sender] = open_channel<number>(1);
 * sender.close();
 * assertThrows(() => sender.send_nowait(1), ClosedResourceError);
 * ```
 */
export class ClosedResourceError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "ClosedResourceError";
  }
}

/**
 * Thrown by an operation `…_nowait()` that would have to wait.
 *
 * It is {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.WouldBlock AnyIO's WouldBlock}.
 *
 * @category Channels
 *
 * @example
 * ```ts
 * import { open_channel, WouldBlock } from "@pythonic/asyncio/structured";
 * import { assertThrows } from "@std/assert";
 *
 * const [, receiver] = open_channel<number>(1);
 * assertThrows(() => receiver.receive_nowait(), WouldBlock);
 * ```
 */
export class WouldBlock extends NamedError {
  /** @internal */
  static override get name(): string {
    return "WouldBlock";
  }
}
