/**
 * Copies of errors that can be kept without what the errors refer to.
 *
 * @module
 */

import { type BaseExceptionGroup, is_group } from "../core/exceptions.ts";
import { is_error } from "../internal/error_kinds.ts";
import { limit_stacks, repr } from "../internal/format_helpers.ts";

// Causes and members of groups that are deeper than this are left out.
const MAX_DEPTH = 10;

/** Returns whether a value is an object or a function, and can be referred to weakly. */
export function is_object(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/**
 * Copies what was thrown: its class, message and stack, its entries that are no objects, its cause and
 * the errors in it, copied likewise.
 *
 * An error leads to the task that failed with it in many ways: by the sockets and requests that clients
 * put on it, and by the frames of its stack, which V8 of Deno 2.9 keeps even when the stack was read.
 */
export function copy_thrown(value: unknown): unknown {
  if (!is_object(value)) return value;
  if (typeof value === "function") return repr(value);
  const { stackTraceLimit: limit } = Error as { readonly stackTraceLimit?: number };
  // The frames of the copy itself would be kept, too.
  if (limit !== undefined) limit_stacks(0);
  try {
    return copy_object(value, 0);
  } catch {
    return repr(value); // a proxy, or an accessor that throws
  } finally {
    if (limit !== undefined) limit_stacks(limit);
  }
}

function copy_object(value: object, depth: number): object {
  if (is_group(value)) return copy_group(value, depth);
  const entries: PropertyDescriptorMap = {};
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    const entry = copy_entry(descriptor?.value, depth + 1);
    if (entry !== undefined && key !== "stack") {
      Reflect.set(entries, key, { ...descriptor, value: entry });
    }
  }
  if (!is_error(value)) return Object.create(Object.getPrototypeOf(value), entries);
  entries["stack"] = hidden(value.stack);
  // Entries first: Node.js 20 reads `name` when `stack` is replaced, which a DOMException's accessor refuses.
  const copy = Object.defineProperties(new Error(), entries);
  Object.setPrototypeOf(copy, Object.getPrototypeOf(value));
  return shows_the_same(copy, value)
    ? copy
    : Object.defineProperty(make_like(value), "stack", hidden(value.stack));
}

function make_like(error: Error): Error {
  const { name, message } = error;
  if (typeof DOMException === "function" && error instanceof DOMException) {
    return new DOMException(message, name);
  }
  return Object.defineProperties(new Error(), { name: hidden(name), message: hidden(message) });
}

function copy_group(group: BaseExceptionGroup, depth: number): Error {
  const members = group.exceptions.map((member) =>
    is_object(member) ? (depth < MAX_DEPTH ? copy_object(member, depth + 1) : null) : member
  );
  const copy = group.derive(members);
  if (group.cause !== undefined) copy.cause = copy_entry(group.cause, depth + 1);
  return Object.defineProperty(copy, "stack", hidden(group.stack));
}

function copy_entry(value: unknown, depth: number): unknown {
  if (!is_object(value)) return value;
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((member) => copy_entry(member, depth + 1));
  return is_error(value) ? copy_object(value, depth) : undefined;
}

// Accessors of a class may need its private fields: those of DOMException do.
function shows_the_same(copy: Error, error: Error): boolean {
  try {
    return copy.name === error.name && copy.message === error.message;
  } catch {
    return false;
  }
}

function hidden(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true, enumerable: false };
}
