/**
 * Reports of errors that no code handled.
 *
 * @module
 */

import { leaves_the_loop } from "../core/exceptions.ts";
import { with_context } from "../core/current.ts";
import { Task } from "../core/tasks.ts";
import { repr } from "../internal/format_helpers.ts";
import {
  type AbstractEventLoop,
  type ExceptionContext,
  type ExceptionHandler,
  Handle,
} from "../core/events.ts";

/** Writes a report to `console.error`: the message, the other entries of the context, and the error. */
export function print_report(context: ExceptionContext): void {
  const message = context.message || "Unhandled exception in event loop";
  const { description } = context;
  const lines = [description === undefined ? message : `${message}: ${description}`];
  for (const key of Object.keys(context).sort()) {
    if (key === "message" || key === "exception" || key === "description") continue;
    if (key === "future" && description !== undefined) continue;
    const value = key === "source_traceback"
      ? `Object created at (most recent call first):\n${context[key]}`
      : repr(context[key]);
    lines.push(`${key}: ${value}`);
  }
  if ("exception" in context) console.error(lines.join("\n") + "\n", context.exception);
  else console.error(lines.join("\n"));
}

/**
 * Passes a report to a loop's handler, in the context of the task or the handle that it is about; to the
 * loop's default handler if `handler` is `null`. What a handler throws is reported, too.
 */
export function report(
  loop: AbstractEventLoop,
  handler: ExceptionHandler | null,
  context: ExceptionContext,
): void {
  try {
    if (handler === null) {
      loop.default_exception_handler(context);
      return;
    }
    const about = context.task ?? context.future ?? context.handle;
    const scope = about instanceof Task || about instanceof Handle ? about.get_context() : null;
    if (scope === null) handler(loop, context);
    else with_context(scope, handler, [loop, context]);
  } catch (error) {
    if (leaves_the_loop(error)) throw error;
    if (handler === null) {
      console.error("Exception in default exception handler\n", error);
      return;
    }
    try {
      loop.default_exception_handler({
        message: "Unhandled error in exception handler",
        exception: error,
        context,
      });
    } catch (error) {
      console.error(
        "Exception in default exception handler while handling an unexpected error in custom exception handler\n",
        error,
      );
    }
  }
}
