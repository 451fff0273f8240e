/**
 * The tests that say what holds only on a host with an asynchronous context, by the reason why. They are
 * not run without one; everything else is.
 */

const NEEDS_CONTEXT: Readonly<Record<string, readonly string[]>> = {
  "code after a foreign await belongs to its task": [
    "capture_call_graph: a task that waits for a native promise, and one that is done",
    "a cancellation during a foreign await without the signal comes at the next own await",
    "a task that awaits a foreign promise does not hold up the others",
    "TraceRecorder: a cancellation that comes during a native wait is delivered at the next await",
    "code that goes on after a foreign await still belongs to its task",
    "detached: a call belongs to no task, and no cancellation of the one that makes it reaches it",
    "detached: an interval that a task has set loses no item when time limits of the task pass",
    "step: foreign, an await of the library began: suspended",
    "on the real clock times do not go back, and sleeps are named by what was asked for",
    "many tasks at once each keep their own value across every kind of await",
    "Promise.race with something that is done already takes no time",
    "the loop that runs a task is known after a foreign await",
    "what the host settles soon comes before time jumps",
    "Queue iteration: a cancellation during a native wait is thrown by next(), which takes no item",
  ],
  "code that belongs to no task, or whose task is over, is told from a task's after a native await":
    [
      "run: code that has outlived its task and waits for a coroutine cleans up to its end",
      "run: a detached call that waits for a coroutine cleans up to its end",
      "run: a call that the clean-up of a cancelled task begins, and that waits for a coroutine, is cancelled",
      "run: code that has outlived its task and waits for a future cleans up to its end",
      "run: a detached call that waits for a future cleans up to its end",
      "run: a call that the clean-up of a cancelled task begins, and that waits for a future, is cancelled",
      "run: a callback that a clean-up at the end has scheduled is cancelled when it waits",
      "run: a call that a task has left running when its own code ends with main cleans up to its end",
      "run: a call left running whose clean-up begins blocks one after the other runs to its end",
      "run: a call of an ended task is cancelled though its wait has just ended, and no item is lost",
      "run: a call that is detached is cancelled though its wait has just ended, and no item is lost",
      "run: a wait that begins too late is reported if nothing catches its cancellation",
      "Task.cancel: what a race of the task has left behind does not use the cancellation up",
      "Task.cancel: what a race has left behind does not use it up, though the native promise settles in the next callback of the host",
      "TaskGroup: one that fails beside another leaves it alone",
      "timeout: a cancellation that was pending before the block is not taken for its limit",
      "timeout: in code that goes on when its task ends, a limit that has just passed is not silent",
      "call_soon: an async callback belongs to no task, before and after its first await",
      "timeout: in code that has outlived its task, what a branch waits for is cancelled with its block",
    ],
  "which signals there are is known by the host's own modules, which are hidden with it": [
    "run: refuses signals that this host does not have",
    "a signal's callback is a plain function, and the signal one that can be caught",
  ],
  "the user's own AsyncLocalStorage": [
    "tasks that are made together each begin in the AsyncLocalStorage of who made them",
    "the user's own AsyncLocalStorage is kept by tasks and callbacks",
  ],
  "blocks of branches that run side by side in one task are told apart": [
    "CancelScope: loses nothing and doubles nothing on the virtual clock",
    "CancelScope: loses nothing and doubles nothing on the real loop",
    "CancelScope.shield: an error of the block goes before what was kept off, which comes after it",
    "CancelScope.shield: what a branch beside took from what was pending comes to both",
    "CancelScope.shield: what an inner shield kept off is kept off by an outer one that came later",
    "AsyncExitStack: timeout() and TaskGroup cancel the stack's block and nothing around it",
    "CancelScope.shield: of many shielded blocks each is told of what was cancelled around it alone",
    "timeout: of many branches only those in the block are cancelled, also those that have gone on",
  ],
  "loops that run at the same time are told apart": [
    "each loop has a clock of its own",
    "two loops run side by side",
  ],
  "an eager task is told from who creates it when both go on in microtasks": [
    "an async function is taken wherever an awaitable is",
    "an eager task has a context of its own",
    "an eager task that cancels itself is told at its first wait",
  ],
  "of two copies of the library, the one whose task is the inner one is known": [
    "TaskGroup: the body and the tasks of another copy's group may use this one",
    "TaskGroup: the body and the tasks of another copy's group may use this one, reversed",
    "run: inside of a run of another copy the inner one's tasks are what is cancelled",
    "run: inside of a run of another copy the inner one's tasks are what is cancelled, reversed",
    "ContextVar: code of another copy's task has the values of the task around it",
    "ContextVar: code of another copy's task has the values of the task around it, reversed",
  ],
};

/** Programs with foreign awaits: a family of tests, by the end of their names. */
const FOREIGN_FAMILY = "on the real loop";

/** The tests' names, in one list. */
export const NAMES: readonly string[] = Object.values(NEEDS_CONTEXT).flat();

/** Returns whether a test is left out. */
export function needs_context(name: string): boolean {
  return NAMES.includes(name) || name.endsWith(FOREIGN_FAMILY);
}
