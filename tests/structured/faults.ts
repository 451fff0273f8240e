/** Small faults of `./structured`, each of which loses or doubles something. */

import type { Fault } from "../border/faults.ts";

const FOLDER = "src/structured/";
const CHANNELS = `${FOLDER}channels.ts`;
const BROADCASTS = `${FOLDER}broadcasts.ts`;
const LIMITERS = `${FOLDER}capacity_limiters.ts`;
const RWLOCKS = `${FOLDER}rwlocks.ts`;
const RATES = `${FOLDER}rate_limiters.ts`;
const NOTIFIERS = `${FOLDER}notifiers.ts`;
const POLICIES = `${FOLDER}cancel_scope_policies.ts`;
const SCOPES = `${FOLDER}cancel_scopes.ts`;

export const FAULTS: readonly Fault[] = [
  {
    name: "open_channel: the item of a cancelled receiver is lost",
    file: CHANNELS,
    search: "if (!is_received) {",
    replacement: "if (is_received === null) {",
  },
  {
    name: "open_channel: the item of a cancelled receiver goes to the end",
    file: CHANNELS,
    search: "this.#returned.push(delivered.item)",
    replacement: "this.#buffer.push(delivered.item)",
  },
  {
    name: "open_channel: a cancelled sender throws though its item was taken",
    file: CHANNELS,
    search: "if (!was_taken(wait)) return wait.cancel(",
    replacement: 'if (wait["_argument"] !== null) return wait.cancel(',
  },
  {
    name: "open_channel: the cancellation of a sender whose item was taken is lost",
    file: CHANNELS,
    search: "offered.deliveries.forEach(leave_pending);",
    replacement: "",
  },
  {
    name: "open_channel: the receivers that wait are not told of the end",
    file: CHANNELS,
    search: "if (this.#has_ended) this.receivers.wake_and_remove_all();",
    replacement: "",
  },
  {
    name: "open_channel: the calls of an end that is closed go on waiting",
    file: CHANNELS,
    search: 'if (waiter["_subject"] !== end) continue;',
    replacement: 'if (waiter["_subject"] !== queue as object) continue;',
  },
  {
    name: "open_broadcast: the sender that waits is not told that a subscriber is gone",
    file: BROADCASTS,
    search: "if (this.#subscriptions.delete(subscription)) this.#send_what_waits();",
    replacement: "this.#subscriptions.delete(subscription);",
  },
  {
    name: "open_broadcast: the sender that waits is not told of room",
    file: BROADCASTS,
    search: "channel.on_demand = () => this.#send_what_waits();",
    replacement: "",
  },
  {
    name: "open_broadcast with drop_oldest: one item is dropped where two are too many",
    file: BROADCASTS,
    search: "        subscription.dropped++;\n",
    replacement:
      "        subscription.dropped++;\n        channel.try_send(item);\n        break;\n",
  },
  {
    name: "CapacityLimiter: the token of a cancelled borrower is lost",
    file: LIMITERS,
    search: "if (loan.is_granted) limiter.release_on_behalf_of(loan.borrower);",
    replacement: "",
  },
  {
    name: "CapacityLimiter: more tokens go to nobody",
    file: LIMITERS,
    search: "this.#total = check_total(total);\n    this.#lend();",
    replacement: "this.#total = check_total(total);",
  },
  {
    name: "RWLock: readers behind a cancelled writer go on waiting",
    file: RWLOCKS,
    search: 'else lock["_grant"]();',
    replacement: "",
  },
  {
    name: "RWLock: what was granted to a cancelled call is lost",
    file: RWLOCKS,
    search: "if (claim.is_granted) side.release();",
    replacement: "if (claim.is_granted) void side;",
  },
  {
    name: "RWLock: readers overtake a writer",
    file: RWLOCKS,
    search: "first_waiting(this._waiters) !== null || !this.#is_free_for(is_writing)",
    replacement: "!this.#is_free_for(is_writing)",
  },
  {
    name: "RateLimiter: the call behind a cancelled one is late",
    file: RATES,
    search: 'limiter["_left"](is_granted ? amount : 0);',
    replacement: 'if (is_granted) limiter["_left"](amount);',
  },
  {
    name: "RateLimiter: what was granted to a cancelled call is lost",
    file: RATES,
    search: "this.#level = Math.max(0, this.#level - granted);",
    replacement: "",
  },
  {
    name: "RateLimiter: the next call has no timer",
    file: RATES,
    search: 'first["_wake"]();\n    }\n    this._set_timer();',
    replacement: 'first["_wake"]();\n    }',
  },
  {
    name: "Notifier: the notification of a cancelled call is lost",
    file: NOTIFIERS,
    search: 'if (wait["_argument"].is_notified) notifier.notify();',
    replacement: "",
  },
  {
    name: "Notifier: a notification without a waiter is lost",
    file: NOTIFIERS,
    search: "this.#is_kept = true;",
    replacement: "",
  },
  {
    name: "CancelScope: a shield lets everything through",
    file: POLICIES,
    search: "block._is_shielded = true;",
    replacement: "",
  },
  {
    name: "CancelScope: what a shield kept off never comes",
    file: POLICIES,
    search: "      this.#kept_off.set(block, delivery);\n",
    replacement: "",
  },
  {
    name: "CancelScope: the end of a shield throws what is pending still, too",
    file: POLICIES,
    search: "if (this.#state.is_pending(kept.scope)) return;",
    replacement: "",
  },
  {
    name: "CancelScope: a shield that is taken away tells no wait in progress",
    file: POLICIES,
    search:
      "cancel_scope(task, this.#state, new Delivery(block, due.cancellation.message, by_itself));",
    replacement: "",
  },
  {
    name: "CancelScope: a level-triggered scope throws once",
    file: POLICIES,
    search: "if (this.#levels.has(at)) return",
    replacement: "if (this.#levels.has(at) && at === null) return",
  },
  {
    name: "CancelScope: levels do not reach the tasks of groups",
    file: POLICIES,
    search: "policy.keep_cancelling(core, message);",
    replacement: "",
  },
  {
    name: "CancelScope: its request is left behind",
    file: SCOPES,
    search: "this.#is_requested && take_back_own(scope, around) &&",
    replacement: "this.#is_requested &&",
  },
  {
    name: "CancelScope: it swallows what is cancelled around it",
    file: SCOPES,
    search: "this.#is_requested && take_back_own(scope, around) &&",
    replacement: "(!this.#is_requested || take_back_own(scope, around) || true) &&",
  },
  {
    name: "CancelScope: it swallows what is cancelled around it together with it",
    file: SCOPES,
    search: "this.#is_requested && take_back_own(scope, around) &&",
    replacement: "this.#is_requested && (take_back_own(scope, around) || true) &&",
  },
];
