/**
 * The program that a worker of a pool runs: it loads a module and calls its exports.
 *
 * It is a text, since a bundler would lose a file that only a URL refers to, and change the text of a
 * function. It uses nothing of this library.
 *
 * A message is an array whose first entry says what it is. To the worker:
 *
 * | message                             | meaning                                                     |
 * | ----------------------------------- | ----------------------------------------------------------- |
 * | `load`, url, initializer, its args  | first of all: import the module, call the initializer       |
 * | `call`, name, args, variables       | call an export                                              |
 * | `map`, name, items, variables       | call an export with each item                               |
 * | `stream`, name, args, variables, n  | call an export and send the first n items of what it returns |
 * | `more`, n                           | send n items more                                           |
 * | `stop`                              | close the iterator                                          |
 * | `check`                             | answer `alive`, or end if the memory was used up: Deno only  |
 *
 * From the worker: `ready` or `unready`, error, after `load`; `item`, value; `result`, value or
 * `error`, error at the end of a call, and for `map` `results`, values, error or null; `exit` before a
 * worker ends itself, where the host does not tell.
 *
 * @module
 */

import { REGISTERED } from "../internal/error_kinds.ts";

/**
 * The source of the program, for a script and for a module. It has no comments, since each page that has workers loads it.
 *
 * Context variables of the caller have their values here, too, while a call is under way; one that was set in the
 * context of a task ends with the call. A stream sends as many items as the caller has room for. A page that has made a
 * worker has no event when it closes itself, nor for what it does not catch, so the program sends them.
 */
export const WORKER_PROGRAM: string = String.raw`(() => {
"use strict";
const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = threads?.parentPort ?? globalThis;
const post = port.postMessage.bind(port);
const REGISTERED = "${REGISTERED}";

const variables = new Map();
const tokens = [];
let values = null;
function set_variable(variable) {
  if (values?.has(variable.name)) {
    tokens.push([variable, variable.set(values.get(variable.name))]);
  }
}
globalThis[Symbol.for(REGISTERED + "variables")] = {
  add(variable) {
    const same = variables.get(variable.name);
    if (same === undefined) variables.set(variable.name, [variable]);
    else same.push(variable);
    set_variable(variable);
  },
};
function enter(entries) {
  if (entries === null) return;
  values = new Map(entries);
  for (const name of values.keys()) variables.get(name)?.forEach(set_variable);
}
function leave() {
  if (values === null) return;
  values = null;
  for (const [variable, token] of tokens.splice(0).reverse()) {
    try {
      variable.reset(token);
    } catch {
    }
  }
}

function can_clone(value) {
  if (typeof value !== "object" || value === null) {
    return typeof value !== "function" && typeof value !== "symbol";
  }
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
function text_of(value) {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
function is_error(value) {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}
const STANDARD = [
  "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError",
  "AggregateError", "SuppressedError", "DOMException", "Error",
].filter((name) => typeof globalThis[name] === "function");
const BESIDE = ["name", "message", "stack", "cause", "errors"];
function describe(thrown, seen = new Map()) {
  if (!is_error(thrown)) {
    return can_clone(thrown) ? { value: thrown } : { unsendable: text_of(thrown) };
  }
  const known = seen.get(thrown);
  if (known !== undefined) return known;
  const described = { kinds: [], base: "Error", name: "Error", message: "", stack: "", own: [] };
  seen.set(thrown, described);
  try {
    describe_error(thrown, described, seen);
  } catch (error) {
    described.message ||= "the error cannot be read: " + text_of(error);
  }
  return described;
}
function describe_error(thrown, described, seen) {
  for (let at = thrown; at !== null; at = Object.getPrototypeOf(at)) {
    for (const symbol of Object.getOwnPropertySymbols(at)) {
      const key = Symbol.keyFor(symbol);
      if (key?.startsWith(REGISTERED) && key !== REGISTERED) {
        described.kinds.push(key.slice(REGISTERED.length));
      }
    }
  }
  described.base = STANDARD.find((name) => thrown instanceof globalThis[name]) ?? "Error";
  const class_name = thrown.constructor?.name;
  const is_plain = described.kinds.length === 0 && thrown.name === described.base;
  described.name = text_of(is_plain && class_name ? class_name : thrown.name);
  described.message = text_of(thrown.message);
  described.stack = text_of(thrown.stack);
  if ("cause" in thrown) described.cause = describe(thrown.cause, seen);
  if (Array.isArray(thrown.errors)) {
    described.errors = thrown.errors.map((error) => describe(error, seen));
  }
  if (described.kinds.includes("BaseException")) {
    described.args = thrown.args.map((arg) => can_clone(arg) ? arg : text_of(arg));
  }
  for (const key of Object.keys(thrown)) {
    const value = thrown[key];
    if (BESIDE.includes(key) || !(is_error(value) || can_clone(value))) continue;
    described.own.push([key, describe(value, seen)]);
  }
}

let exports = null;
function find(name) {
  if (Object.hasOwn(exports, name) && typeof exports[name] === "function") return exports[name];
  const names = Object.keys(exports).filter((key) => typeof exports[key] === "function");
  throw new TypeError(
    "Cannot call " + name + "(): the module exports no such function, it exports " +
      (names.join(", ") || "none") + ": received '" + name + "'",
  );
}

const TRANSFERS = Symbol.for(REGISTERED + "transfers");
function transfers_of(value) {
  const marked = globalThis[TRANSFERS];
  if (marked === undefined || typeof value !== "object" || value === null) return undefined;
  const transfers = marked.get(value);
  marked.delete(value);
  return transfers;
}
function unsendable(name, value, cause) {
  const hint = value?.[Symbol.asyncIterator] ? "; stream() gives the items of an async iterable" : "";
  return new TypeError(
    "Cannot send the result of " + name + "() to its caller: it cannot be cloned" + hint +
      ": received " + text_of(value),
    { cause },
  );
}
function send(name, message, value) {
  try {
    post(message, transfers_of(value));
  } catch (error) {
    throw unsendable(name, value, error);
  }
}

async function map(name, items) {
  const fn = find(name);
  const results = [];
  const transfers = [];
  let failure = null;
  try {
    for (const item of items) {
      const value = await fn(item);
      results.push(value);
      transfers.push(transfers_of(value) ?? []);
    }
  } catch (error) {
    failure = describe(error);
  }
  try {
    post(["results", results, failure], transfers.flat());
  } catch (error) {
    const sent = Math.max(0, results.findIndex((value) => !can_clone(value)));
    const refused = describe(unsendable(name, results[sent], error));
    post(["results", results.slice(0, sent), refused], transfers.slice(0, sent).flat());
  }
}

let room = 0;
let stopped = false;
let wake = null;
async function stream(name, args, first) {
  room = first;
  stopped = false;
  const made = await find(name)(...args);
  const iterator = (made?.[Symbol.asyncIterator] ?? made?.[Symbol.iterator])?.call(made);
  if (iterator === undefined) {
    throw new TypeError(
      "Cannot stream what " + name + "() returns: it is not iterable: received " + text_of(made),
    );
  }
  for (;;) {
    while (room === 0 && !stopped) await new Promise((resolve) => wake = resolve);
    if (stopped) {
      await iterator.return?.();
      return;
    }
    const { done, value } = await iterator.next();
    if (done) return;
    room--;
    try {
      send(name, ["item", value], value);
    } catch (error) {
      await iterator.return?.();
      throw error;
    }
  }
}
function flow(is_stop, more) {
  stopped ||= is_stop;
  room += more;
  wake?.();
  wake = null;
}

async function serve(message) {
  const [kind, name, args, entries, first] = message;
  if (kind === "more") return flow(false, name);
  if (kind === "stop") return flow(true, 0);
  try {
    if (kind === "load") {
      exports = await import(name);
      if (args !== null) await find(args)(...entries);
      return post(["ready"]);
    }
    enter(entries);
    if (kind === "call") {
      let value = find(name)(...args);
      if (typeof value?.then === "function") value = await value;
      send(name, ["result", value], value);
    } else if (kind === "map") {
      await map(name, args);
    } else {
      await stream(name, args, first);
      post(["result", undefined]);
    }
  } catch (error) {
    post([kind === "load" ? "unready" : "error", describe(error)]);
  } finally {
    leave();
  }
}

if ("Deno" in globalThis && threads?.parentPort) {
  // When the memory is used up Deno stops the code that runs and does not always end the worker. V8 has raised the
  // limit then. Messages must still be read, so no call runs while one is delivered.
  const { getHeapStatistics } = process.getBuiltinModule("node:v8");
  const { nextTick } = process;
  const limit = getHeapStatistics().heap_size_limit;
  port.on("message", (message) => {
    if (message[0] !== "check") return nextTick(serve, message);
    if (getHeapStatistics().heap_size_limit > limit) throw new Error("JS heap out of memory");
    post(["alive"]);
  });
} else if (threads?.parentPort) {
  port.on("message", serve);
} else {
  port.onmessage = ({ data }) => serve(data);
  const close = globalThis.close.bind(globalThis);
  globalThis.close = () => {
    post(["exit"]);
    close();
  };
  globalThis.addEventListener("unhandledrejection", (event) => {
    setTimeout(() => {
      if (!event.defaultPrevented) throw event.reason;
    }, 0);
  });
}
})();
`;
