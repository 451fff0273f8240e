/** The names of Python's asyncio and contextvars, as `scripts/record_names.ts` has recorded them. */

import recorded from "./names.json" with { type: "json" };

/** A public name of a module; a class with its methods and properties. */
export interface Name {
  name: string;
  members?: string[];
}

/** A page of Python's documentation with the modules whose names it describes. */
export interface Page {
  title: string;
  url: string;
  modules: string[];
}

/** The version of CPython that was asked. */
export const PYTHON: string = recorded.python;

/** The pages, in the order of Python's own table of contents. */
export const PAGES: readonly Page[] = [
  page("Runners", "asyncio-runner", "runners"),
  page(
    "Coroutines and tasks",
    "asyncio-task",
    "coroutines",
    "tasks",
    "taskgroups",
    "timeouts",
    "threads",
  ),
  page("Streams", "asyncio-stream", "streams"),
  page("Synchronization primitives", "asyncio-sync", "locks"),
  page("Subprocesses", "asyncio-subprocess", "subprocess"),
  page("Queues", "asyncio-queue", "queues"),
  page("Exceptions", "asyncio-exceptions", "exceptions"),
  page("Call graph introspection", "asyncio-graph", "graph"),
  page("Event loop", "asyncio-eventloop", "events", "base_events", "unix_events"),
  page("Futures", "asyncio-future", "futures"),
  page("Transports and protocols", "asyncio-protocol", "transports", "protocols"),
  {
    title: "Staggered race (in CPython's source only)",
    url: "https://github.com/python/cpython/blob/3.14/Lib/asyncio/staggered.py",
    modules: ["asyncio.staggered"],
  },
  {
    title: "Context variables",
    url: "https://docs.python.org/3/library/contextvars.html",
    modules: ["contextvars"],
  },
];

function page(title: string, file: string, ...modules: string[]): Page {
  return {
    title,
    url: `https://docs.python.org/3/library/${file}.html`,
    modules: modules.map((module) => `asyncio.${module}`),
  };
}

/** The names that a page describes. */
export function names_of({ modules }: Page): Name[] {
  return modules.flatMap((module) =>
    recorded.modules.filter((entry) => entry.module === module).flatMap(({ names }): Name[] =>
      names
    )
  );
}

/** All modules whose names were recorded. */
export const MODULES: readonly string[] = recorded.modules.map(({ module }) => module);

/** All names, the members of classes as `Class.member`. */
export function all_names(): string[] {
  return PAGES.flatMap(names_of).flatMap(({ name, members = [] }) => [
    name,
    ...members.map((member) => `${name}.${member}`),
  ]);
}
