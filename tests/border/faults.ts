/** Small faults of the cancellation model, each of which breaks one of its rules. */

/** What replaces what in a file of the library; the text to be replaced occurs once. */
export interface Fault {
  name: string;
  file: string;
  search: string;
  replacement: string;
}

const SCOPES = "src/core/scopes.ts";

export const FAULTS: readonly Fault[] = [
  {
    name: "a loser's await is as live as any other",
    file: SCOPES,
    search: "if (at < scope._resumed) is_live = false;",
    replacement: "",
  },
  {
    name: "a loser cancels the task that it shares with others",
    file: SCOPES,
    search: 'how === "older" && !waitable._is_owned',
    replacement: "false",
  },
  {
    name: "older awaits are not told",
    file: SCOPES,
    search: 'if (how === "outside") return how;',
    replacement: 'if (how !== "live") return how;',
  },
  {
    name: "a cancellation without a live await is lost",
    file: SCOPES,
    search: "state.add_pending(target, by_itself, older ?? []);",
    replacement: "",
  },
  {
    name: "what is pending stays so when it has been thrown",
    file: SCOPES,
    search: "for (let at: Scope | null = scope; at !== null; at = at._parent) all.delete(at);",
    replacement: "",
  },
  {
    name: "what the rejection of an older await has told is pending still",
    file: SCOPES,
    search: "if (pending.rejected_at > scope._loop._dry_moment) {",
    replacement: "if (pending.rejected_at === Infinity) {",
  },
  {
    name: "an await that has been woken is not told",
    file: SCOPES,
    search: "  state.message = message;\n  state.mark(continuation);",
    replacement: "  state.message = message;",
  },
  {
    name: "a block's cancellation reaches all of its task",
    file: SCOPES,
    search: "if (scope === target) return",
    replacement: "if (scope === target || scope._parent === null) return",
  },
  {
    name: "the requests of a sibling's block count",
    file: SCOPES,
    search: "if (!is_inside(scope, block)) count += requests;",
    replacement: "",
  },
  {
    name: "a block that has ended is still the scope of what comes after it",
    file: SCOPES,
    search: "    this._ended = true;\n",
    replacement: "",
  },
  {
    name: "a limit passes in silence if a native promise ends the body",
    file: "src/context_managers.ts",
    search: "state.take_pending_at_end(scope as Scope, failed)",
    replacement: "false",
  },
  {
    name: "from_promise() that fulfils drops the cancellation",
    file: "src/from_promise.ts",
    search: "      leave_pending(work);\n",
    replacement: "",
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
