/** Makes a program smaller for as long as it stays broken. */

import {
  all_blocks,
  all_statements,
  blocks_of,
  is_combinator,
  type Program,
  type Statement,
  type Wait,
} from "./program.ts";

type Change = (program: Program) => void;

/** Leaves out a run of statements, long runs first. */
function* omissions(program: Program): Generator<Change> {
  if (program.tasks.length > 1) {
    const last = program.tasks.length - 1;
    yield (copy) => {
      copy.tasks.pop();
      copy.cancels = copy.cancels.filter(({ task }) => task < last);
    };
  }
  for (const index of program.cancels.keys()) yield (copy) => void copy.cancels.splice(index, 1);
  const blocks = [...all_blocks(program)];
  const longest = Math.max(...blocks.map((block) => block.length));
  for (let size = longest; size >= 1; size = Math.floor(size / 2)) {
    for (const [index, block] of blocks.entries()) {
      for (let start = 0; start + size <= block.length; start += size) {
        yield (copy) => void [...all_blocks(copy)][index]?.splice(start, size);
      }
    }
  }
}

/** Puts what is inside a statement in its place. */
function* unwrappings(program: Program): Generator<Change> {
  for (const [index, block] of [...all_blocks(program)].entries()) {
    for (const [position, statement] of block.entries()) {
      for (const inner of [...blocks_of(statement)].keys()) {
        yield (copy) => {
          const outer = [...all_blocks(copy)][index];
          const wrapped = outer?.[position];
          if (outer && wrapped) outer.splice(position, 1, ...[...blocks_of(wrapped)][inner] ?? []);
        };
      }
    }
  }
}

/** Simpler awaitables for one. */
function* simpler_waits(wait: Wait): Generator<Wait> {
  if (wait.wait !== "sleep") yield { wait: "sleep", ticks: 1 };
  if (wait.wait === "sleep" && wait.ticks > 1) yield { ...wait, ticks: 1 };
  if (is_combinator(wait)) {
    yield* wait.of;
    for (const index of wait.of.keys()) {
      if (wait.of.length > 1) yield { ...wait, of: wait.of.toSpliced(index, 1) };
      for (const part of simpler_waits(wait.of[index]!)) {
        yield { ...wait, of: wait.of.with(index, part) };
      }
    }
  }
  if (wait.wait === "gather" && wait.bodies.length > 1) {
    for (const index of wait.bodies.keys()) {
      yield { ...wait, bodies: wait.bodies.toSpliced(index, 1) };
    }
  }
  if (wait.wait === "call" && wait.lazy) yield { ...wait, lazy: false };
  if (wait.wait === "from_promise") {
    if (wait.late > 0) yield { ...wait, late: 0 };
    if (wait.abandon) yield { ...wait, abandon: false };
    if (wait.function) yield { ...wait, function: false };
  }
  if ("native" in wait && wait.native.fails) {
    yield { ...wait, native: { ...wait.native, fails: false } };
  }
}

function* simpler(statement: Statement): Generator<Statement> {
  if (statement.do === "await") {
    for (const wait of simpler_waits(statement.wait)) yield { ...statement, wait };
  }
  if ("ticks" in statement && statement.ticks > 1) {
    yield { ...statement, ticks: statement.ticks - 1 };
  }
  if (statement.do === "try") {
    if (statement.catches !== "nothing") yield { ...statement, catches: "nothing" };
    if (statement.clean_up.length > 0) yield { ...statement, clean_up: [] };
    if (statement.uncancels) yield { ...statement, uncancels: false };
  }
  if (statement.do === "group") {
    for (const index of statement.children.keys()) {
      yield { ...statement, children: statement.children.toSpliced(index, 1) };
    }
  }
  if (statement.do === "wait_for") {
    yield { do: "timeout", ticks: statement.ticks, at: false, body: statement.body };
  }
  if (statement.do === "cancel" && statement.times > 1) yield { ...statement, times: 1 };
  if (statement.do === "callback" && statement.by === "interval") {
    yield { ...statement, by: "host" };
  }
}

function* simplifications(program: Program): Generator<Change> {
  for (const [index, block] of [...all_blocks(program)].entries()) {
    for (const [position, statement] of block.entries()) {
      for (const replacement of simpler(statement)) {
        yield (copy) =>
          void [...all_blocks(copy)][index]?.splice(position, 1, structuredClone(replacement));
      }
    }
  }
  if (program.mode !== "plain") yield (copy) => void (copy.mode = "plain");
  if (program.busy) yield (copy) => void (copy.busy = false);
  if (program.main_ends !== null) yield (copy) => void (copy.main_ends = null);
  if (program.virtual_clock) yield (copy) => void (copy.virtual_clock = false);
  for (const [index, { times }] of program.cancels.entries()) {
    if (times > 1) yield (copy) => void (copy.cancels[index]!.times = 1);
  }
  for (const [index, { puts }] of program.queues.entries()) {
    for (const item of puts.keys()) yield (copy) => void copy.queues[index]!.puts.splice(item, 1);
  }
}

/** How large a program is, for choosing the smallest of several. */
export const size = (program: Program): number => [...all_statements(program)].length;

/** The smallest program found of which `is_broken` still holds; it holds of `program`. */
export async function shrink(
  program: Program,
  is_broken: (program: Program) => Promise<boolean>,
): Promise<Program> {
  let smallest = program;
  search: for (;;) {
    for (const changes of [omissions, unwrappings, simplifications]) {
      for (const change of changes(smallest)) {
        const copy = structuredClone(smallest);
        change(copy);
        if (await is_broken(copy)) {
          smallest = copy;
          continue search;
        }
      }
    }
    return smallest;
  }
}
