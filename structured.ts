export {
  CancelScope,
  type CancelScopeOptions,
  current_effective_deadline,
} from "./src/structured/cancel_scopes.ts";
export { move_on_after, move_on_at, type TimeLimitOptions } from "./src/structured/move_on.ts";
export { fail_after, fail_at } from "./src/structured/fail_after.ts";
