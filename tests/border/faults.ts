/** Small faults of the cancellation model, each of which breaks one of its rules. */

/** What replaces what in a file of the library; the text to be replaced occurs once. */
export interface Fault {
  name: string;
  file: string;
  search: string;
  replacement: string;
}

const SCOPES = "src/core/scopes.ts";
const STATE = "src/core/cancellation_state.ts";

export const FAULTS: readonly Fault[] = [
  {
    name: "a loser's await is as live as any other",
    file: SCOPES,
    search: "if (at < scope._resumed) is_live = false;",
    replacement: "",
  },
  {
    name: "a loser cancels the task that it shares with others",
    file: STATE,
    search: 'how === "older" && !waitable._is_owned && sole === undefined',
    replacement: "waitable._is_owned === null",
  },
  {
    name: "older awaits are not told",
    file: STATE,
    search: "  let how = reach(continuation, delivery.scope);\n",
    replacement:
      '  let how = reach(continuation, delivery.scope);\n  if (how === "older") return how;\n',
  },
  {
    name: "a cancellation without a live await is lost",
    file: STATE,
    search: "  if (!any_live) state.add_pending(delivery);\n",
    replacement: "",
  },
  {
    name: "what is pending stays so when it has been thrown",
    file: STATE,
    search: "if (due !== null) this.drop_around(scope);",
    replacement: "",
  },
  {
    name: "what the rejection of an older await has told is pending still",
    file: STATE,
    search: "  delivery.scope._owner?._cancellation_state?.add_thrown(delivery);\n",
    replacement: "",
  },
  {
    name: "an await that has been woken is not told",
    file: STATE,
    search: "  else state.mark(continuation, delivery.cancellation);\n  met_cycle = false;",
    replacement: "  met_cycle = false;",
  },
  {
    name: "a block's cancellation reaches all of its task",
    file: SCOPES,
    search: "if (scope === target) return",
    replacement: "if (scope === target || scope._parent === null) return",
  },
  {
    name: "the requests of a sibling's block count",
    file: "src/core/block_requests.ts",
    search: "  return outside;\n",
    replacement:
      "  return is_inside(scope, scope._owner as TaskCore) ? 0 : requests - (blocks?.count ?? 0);\n",
  },
  {
    name: "what a block has left pending comes after it",
    file: STATE,
    search: "    this.of_blocks?.forget(block);\n    this.#pending?.delete(block);\n",
    replacement: "",
  },
  {
    name: "a limit passes in silence if a native promise ends the body",
    file: "src/context_managers.ts",
    search: "state?.take_pending_at_end(scope as Scope, failed) ?? null",
    replacement: "null",
  },
  {
    name: "from_promise() that fulfils drops the cancellation",
    file: "src/from_promise.ts",
    search: "      work.deliveries.forEach(leave_pending);\n",
    replacement: "",
  },
  {
    name: "a call that has outlived its task leaves what it waited for running",
    file: STATE,
    search:
      '  sole?.deliveries.push(delivery);\n  if (how === "older" && !waitable._is_owned && sole === undefined) {',
    replacement: '  if (how === "older" && !waitable._is_owned) {',
  },
  {
    name: "from_promise() does not wait for its operation",
    file: "src/from_promise.ts",
    search: "if (work.abandons) wait.cancel(message);",
    replacement: "wait.cancel(message);",
  },
  {
    name: "detached calls belong to the task that makes them",
    file: "src/detached.ts",
    search: "run_as(keep_context(), scope, call, undefined, scope.own_context)",
    replacement: "call()",
  },
];
