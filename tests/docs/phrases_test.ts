/** The phrase book: both programs of each entry print the same, and CPython was asked. */

import { assert, assertEquals } from "@std/assert";
import { execute, map_few } from "./execute.ts";
import { hash, needs_host, read_phrases, RECORD_FILE, type Recording } from "./phrases.ts";

const PHRASES = await read_phrases();

/** The library on the virtual clock, as CPython is when it is recorded. */
const IMPORT_MAP = new URL("./virtual_import_map.json", import.meta.url);

/** What runs on sockets and starts processes runs on the host's clock. */
const HOST_PERMISSIONS = ["--allow-run", "--allow-read", "--allow-env"];

async function read_record(): Promise<Recording> {
  return JSON.parse(await Deno.readTextFile(RECORD_FILE));
}

/** As the book says: Python's constants are spelled in JavaScript's way. */
function spelled(output: string): string {
  return output.replaceAll("True", "true").replaceAll("False", "false").replaceAll("None", "null");
}

Deno.test("each translation prints what the original prints", async (t) => {
  const outcomes = await map_few(
    PHRASES,
    (phrase) =>
      execute(
        phrase.typescript.code,
        needs_host(phrase) ? HOST_PERMISSIONS : [`--import-map=${IMPORT_MAP.pathname}`],
      ),
  );
  for (const [{ title, output }, { code, stdout, stderr }] of outcomes) {
    await t.step(title, () => {
      assertEquals(stdout.trimEnd(), spelled(output.code));
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
    });
  }
});

Deno.test("each output in the book was printed by CPython for the program beside it", async () => {
  const shown: Recording["hashes"] = {};
  for (const { title, python, output } of PHRASES) {
    shown[title] = await hash(python.code, output.code);
  }
  const { hashes } = await read_record();
  assertEquals(shown, hashes, "What differs was changed since scripts/record_phrases.ts was run");
});

Deno.test("the book covers the core of asyncio", () => {
  assert(PHRASES.length >= 40);
  const programs = PHRASES.map(({ typescript }) => typescript.code).join("\n");
  assertEquals(CORE.filter((name) => !new RegExp(`\\basyncio\\.${name}\\b`).test(programs)), []);
});

/** What somebody who comes from Python looks for. */
const CORE = [
  ...["run", "Runner", "coroutine", "create_task", "current_task", "all_tasks", "ensure_future"],
  ...["sleep", "gather", "wait", "wait_for", "as_completed", "shield", "FIRST_COMPLETED"],
  ...["TaskGroup", "timeout", "timeout_at", "CancelledError", "TimeoutError", "ExceptionGroup"],
  ...["Lock", "Event", "Condition", "Semaphore", "BoundedSemaphore", "Barrier", "async_with"],
  ...["Queue", "PriorityQueue", "LifoQueue", "QueueEmpty", "QueueFull", "QueueShutDown"],
  ...["get_running_loop", "ContextVar", "copy_context"],
  ...["async_generator", "anext", "aclosing", "eager_task_factory"],
  ...["start_server", "open_connection", "StreamReader", "IncompleteReadError", "Protocol"],
  ...["create_subprocess_exec", "create_subprocess_shell", "ConnectionRefusedError", "OSError"],
];
