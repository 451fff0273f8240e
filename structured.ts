/**
 * Structured concurrency beyond Python's asyncio: what Trio, AnyIO and Erlang have, by their names.
 *
 * - Cancel scopes: {@linkcode CancelScope}, {@linkcode move_on_after}, {@linkcode fail_after}.
 * - Channels between tasks: {@linkcode open_channel}, {@linkcode open_broadcast}.
 * - Limits: {@linkcode CapacityLimiter}, {@linkcode RWLock}, {@linkcode RateLimiter},
 *   {@linkcode Notifier}.
 * - Tasks: {@linkcode ResultGroup}, {@linkcode retry}, {@linkcode supervise}, {@linkcode run_service}.
 *
 * ```ts
 * import { async_with, run, sleep } from "@pythonic/asyncio";
 * import { move_on_after } from "@pythonic/asyncio/structured";
 *
 * await run(async () => {
 *   const scope = move_on_after(0.01);
 *   await async_with(scope, () => sleep(60));
 *   console.log(scope.cancelled_caught); // true
 * });
 * ```
 *
 * @module
 */

// The default loop, for what waits outside of `run()`.
import "./src/loop/base_events.ts";

export {
  CancelScope,
  type CancelScopeOptions,
  current_effective_deadline,
} from "./src/structured/cancel_scopes.ts";
export { move_on_after, move_on_at, type TimeLimitOptions } from "./src/structured/move_on.ts";
export { fail_after, fail_at } from "./src/structured/fail_after.ts";
export {
  type ChannelStatistics,
  open_channel,
  type Receiver,
  type Sender,
} from "./src/structured/channels.ts";
export {
  type Broadcast,
  type BroadcastOptions,
  type BroadcastStatistics,
  open_broadcast,
  type Overflow,
  type Subscription,
} from "./src/structured/broadcasts.ts";
export {
  BrokenChannelError,
  ClosedResourceError,
  EndOfChannel,
  WouldBlock,
} from "./src/structured/resource_errors.ts";
export {
  CapacityLimiter,
  type CapacityLimiterStatistics,
} from "./src/structured/capacity_limiters.ts";
export { RWLock } from "./src/structured/rwlocks.ts";
export { RateLimiter } from "./src/structured/rate_limiters.ts";
export { Notifier } from "./src/structured/notifiers.ts";
export { ResultGroup } from "./src/structured/result_groups.ts";
export { type Attempt, retry, type RetryOptions } from "./src/structured/retries.ts";
export { type Strategy, supervise, type SuperviseOptions } from "./src/structured/supervisors.ts";
export {
  type Health,
  run_service,
  type Service,
  type ServiceMain,
  type ServiceOptions,
} from "./src/structured/services.ts";
