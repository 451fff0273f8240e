/** The tests that are not run on the installed package, or not on every host, by the reason why. */

import { needs_context } from "../no_async_context/needs_context.ts";

/** Where tests run. */
export type HostKind = "node20" | "node" | "bun" | "browser";

type Reasons = Readonly<Record<string, readonly string[]>>;

/** Files that are not run at all. */
export const FILES: Reasons = {
  "they run Deno's own tools, or programs of this repository with Deno": [
    "command_line_test.ts",
    "no_async_context_test.ts",
    "package_test.ts",
    "public_types_test.ts",
    "seed_test.ts",
    "soak_test.ts",
    "trace_task_test.ts",
    "streams/chat_signals_test.ts",
    "stuck_test.ts",
    "structured/services_test.ts",
    "task_tree_test.ts",
  ],
  "they run the documentation with Deno": ["docs/"],
  "their programs run on a host of their own, which is started with Deno or bundled": [
    "border/border_test.ts",
    "explore/hosts_test.ts",
    "workers/hosts_test.ts",
  ],
  "they run ESLint, TypeScript or esbuild on the sources": [
    "lint_test.ts",
    "structured/bundle_test.ts",
  ],
  "it is about the tool that compares with CPython, which runs on Deno": [
    "conformance/side_test.ts",
  ],
  "it needs JSR": ["jsr/"],
  "it copies the sources": ["copies_test.ts"],
  "they are about files of this repository": [
    "ci_test.ts",
    "completeness_test.ts",
    "faults_test.ts",
    "installed/",
    "language_test.ts",
    "layers_test.ts",
    "size_test.ts",
  ],
};

/** Files that are not run in browsers. */
export const BROWSER_FILES: Reasons = {
  "browsers have no console that asks an object how it is shown": ["inspect_test.ts"],
  "browsers have no sockets": [
    "explore/programs_test.ts",
    "explore/raft_test.ts",
    "streams/cancelled_calls_test.ts",
    "streams/datagrams_test.ts",
    "streams/examples_test.ts",
    "streams/given_sockets_test.ts",
    "streams/named_arguments_test.ts",
    "streams/programs_test.ts",
    "streams/robustness_test.ts",
    "streams/streams_test.ts",
    "streams/tls_test.ts",
    "streams/transports_test.ts",
  ],
  "browsers have no processes": [
    "frozen_test.ts",
    "host_globals_test.ts",
    "interrupt_test.ts",
    "keep_alive_test.ts",
    "late_callbacks_test.ts",
    "unawaited_test.ts",
    "unretrieved_test.ts",
    "subprocess_test.ts",
    "subprocess_examples_test.ts",
  ],
  "browsers have no node:vm, which makes realms": ["options_test.ts", "realms_test.ts"],
  "without an asynchronous context an eager task of an async function is not told from its creator":
    [
      "cpython/eager_taskgroups_test.ts",
    ],
};

const ABOUT_SOURCES = [
  "examples/io: the HTTP client in less than 150 lines",
  "examples/raft: the store works on the sockets and files of the host",
  "loop.create_connection: what a bundler has left out says what brings it in",
  "step: every row of the table has a test",
];
const ABOUT_DENO = [
  "create_task: an error that nothing retrieved is reported when the program ends by Deno.exit()",
  "run: without Deno's permission ASYNCIO_DEBUG is not asked for",
];
const NEEDS_WORKER = ["a Worker hands work to a loop by messages"];

const GRAPHS = "capture_call_graph, format_call_graph:";
const as_async = (programs: readonly string[]) =>
  programs.map((name) => `${GRAPHS} ${name}, as CPython's, of async functions in debug mode`);
const as_generators = (programs: readonly string[]) =>
  programs.map((name) => `${GRAPHS} ${name}, as CPython's, of generators in debug mode`);
const IN_DEBUG_GRAPHS = [
  "capture_call_graph: debug mode gives files and lines of suspended functions",
  ...as_async(["group", "limited", "limits", "queue", "waited"]),
  ...as_generators(["future", "limited", "limits", "queue"]),
];
const NEEDS_ASYNC_FRAMES = [
  "Task: the stack of an error goes on with who awaits the task, and where each task was made",
  ...as_async(["awaited", "future", "gathered", "shielded"]),
];
const NODE: Reasons = {
  "they are about files of this repository": ABOUT_SOURCES,
  "Deno.exit() and permissions are Deno's": ABOUT_DENO,
  "Node.js has no global Worker": NEEDS_WORKER,
  "a MessageChannel of Node.js needs the global performance": [
    "EventLoop: works where the host has no process, setInterval, performance, setImmediate, queueMicrotask",
  ],
};

/** Single tests that are not run on a kind of host. */
export const TESTS: Readonly<Record<HostKind, Reasons>> = {
  node20: {
    ...NODE,
    "on the stack of this V8 no function stands that awaits another one's await of a thenable":
      NEEDS_ASYNC_FRAMES,
  },
  node: NODE,
  bun: {
    "they are about files of this repository": ABOUT_SOURCES,
    "Deno.exit() and permissions are Deno's": ABOUT_DENO,
    "on Bun's stack no function stands that awaits another one's await of a thenable": [
      ...NEEDS_ASYNC_FRAMES,
      ...as_async(["depths", "gathered_twice", "group", "limited", "limits_of_current"]),
      ...as_async(["queue", "waited"]),
    ],
    "on Bun's stack a function has the name that a bundler gave it": as_generators([
      "future",
      "limited",
      "limits",
      "queue",
    ]),
    "Bun's structured clone of an error is without its cause": [
      "errors: a structured clone keeps the cause",
    ],
    "Bun's node:timers has what is in the global object": [
      "EventLoop: nor do fakes that were there before, where node:timers has the host's",
    ],
    "on Bun's stack a function makes room for one whose result it returns": [
      "a stack is where the caller is, without the message",
    ],
  },
  browser: {
    "they are about files of this repository": ["step: every row of the table has a test"],
    "browsers have no processes": [
      "loop.create_connection: what a bundler has left out says what brings it in",
      "print_call_graph: writes to a file, by default to the console",
      "run: ASYNCIO_DEBUG turns debug mode on, debug: false off",
      "run: in debug mode, a process that is left running is a ResourceWarning",
      "run: without Deno's permission ASYNCIO_DEBUG is not asked for",
      "a coroutine that is never awaited is reported when it is collected",
    ],
    "in a bundle nothing distinguishes the library's frames from the user's": [
      "Handle.toString: arguments, the place and a cancelled callback in debug mode only",
      "Handle.toString: debug mode that is switched between creation and cancellation",
      "a cancellation that a catch swallows is reported, with the place that made the task",
      ...IN_DEBUG_GRAPHS,
    ],
    "browsers have no node:timers/promises": [
      "from_promise: the clean-up after a cancelled wait is not cut",
      "from_promise: what an operation of the host throws when it is aborted is the cancellation",
    ],
    "browsers have no node:stream": [
      "Receiver iteration: a stream of the host that is destroyed takes no item",
    ],
    "what stands for node:events has no on()": [
      "amerge, atee: can be left while a source waits for events of the host",
    ],
    "without an asynchronous context loops that run at the same time are not told apart": [
      "VirtualNetwork: two loops talk",
    ],
    "without an asynchronous context code after a native await has no task, an eager task that of its creator":
      [
        "VirtualNetwork.crash: code that a native promise resumes gets no further than its next await",
        "capture_call_graph: the current task's stack ends where it has been started eagerly",
      ],
    "browsers have no sockets": [
      "StreamWriter.start_tls: cancelled at any moment, the connection is usable or closed",
    ],
    "browsers have no signals of processes": [
      "a signal's callback runs in the loop's turn, until it is removed",
      "a signal's callback is a plain function, and the signal one that can be caught",
    ],
    "Chromium has no ReadableStream.from": [
      "a queue is a stream's source, and a stream a queue's",
    ],
    "browsers have no AsyncLocalStorage": [
      "a task that enters an AsyncLocalStorage value for good ends as others do",
      "who resumes a task does not give it its own AsyncLocalStorage value",
    ],
    "a browser's console does not ask an object how it is shown": [
      "Lock, Condition, Barrier: can be made outside of a loop, toString() shows their state",
      "CancelScope: is shown with its state",
      "Queue.toString: shows the items, the waiters and the state",
      "a group is shown as a tree with its causes",
      "a group is shown with its state",
      "a loop is shown with its state",
      "a timeout is shown with its state",
      "coroutine() keeps this, arguments, name and length",
      "handles are shown with their callback and state",
      "library objects show their own repr inside of others, and in consoles",
      "async_generator: keeps the name, the parameters and `this`; toString() shows the name",
      "repr is CPython's, without addresses",
      "repr shows the state and the callbacks as CPython does",
      "repr tells the state, the name, the coroutine, what it waits for and its callbacks",
    ],
  },
};

/** What is left out for any of the reasons. */
export const names_of = (reasons: Reasons): string[] => Object.values(reasons).flat();

/** Returns whether a test is not run on a kind of host. */
export function is_left_out(kind: HostKind, name: string): boolean {
  return names_of(TESTS[kind]).includes(name) || (kind === "browser" && needs_context(name));
}

const TESTS_FOLDER = new URL("..", import.meta.url);

/** The paths of all test files, relative to `tests/`. */
export async function test_files(folder = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, TESTS_FOLDER))) {
    if (isDirectory) files.push(...await test_files(`${folder}${name}/`));
    else if (name.endsWith("_test.ts")) files.push(`${folder}${name}`);
  }
  return files;
}

/** The test files for a kind of host, relative to `tests/`. */
export async function files_for(kind: HostKind): Promise<string[]> {
  const without = names_of(kind === "browser" ? { ...FILES, ...BROWSER_FILES } : FILES);
  const is_run = (file: string) =>
    !without.some((name) => name.endsWith("/") ? file.startsWith(name) : file === name);
  return (await test_files()).filter(is_run).sort();
}
