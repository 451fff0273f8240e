/** Delta debugging: makes a program smaller for as long as what is wrong with it stays. */

import { blocks_of, type Program, type Statement, statements_of } from "./program.ts";

/** Tells of each program whether it still shows what is looked for. */
export type Shows = (programs: Program[]) => Promise<boolean[]>;

type Change = (program: Program) => void;

export interface ShrinkOptions {
  /** How many candidates are tried at once. */
  readonly batch?: number;
  /** After so many real seconds what was found until then is given. */
  readonly seconds?: number;
}

function all_blocks(program: Program): Statement[][] {
  return [
    ...program.bodies.map((body) => body.block),
    ...[...statements_of(program)].flatMap(([statement]) => blocks_of(statement)),
  ];
}

/** Leaves out a run of statements, long runs first. */
function* omissions(program: Program): Generator<Change> {
  const blocks = all_blocks(program);
  const longest = Math.max(...blocks.map((block) => block.length));
  for (let size = longest; size >= 1; size = Math.floor(size / 2)) {
    for (const [index, block] of blocks.entries()) {
      for (let start = 0; start + size <= block.length; start += size) {
        yield (copy) => all_blocks(copy)[index]?.splice(start, size);
      }
    }
  }
}

/** Puts what is inside a statement in its place. */
function* unwrappings(program: Program): Generator<Change> {
  for (const [index, block] of all_blocks(program).entries()) {
    for (const [position, statement] of block.entries()) {
      for (const inner of blocks_of(statement).keys()) {
        yield (copy) => {
          const outer = all_blocks(copy)[index];
          const wrapped = outer?.[position];
          if (wrapped) outer.splice(position, 1, ...blocks_of(wrapped)[inner] ?? []);
        };
      }
    }
  }
}

/** Makes one statement simpler in place; false where it is as simple as it gets. */
type Simplification = (statement: Statement) => boolean;

const SIMPLIFICATIONS: Simplification[] = [
  (s) => s.do === "loop" && s.count > 1 && (s.count = 1) > 0,
  (s) => s.do === "call" && s.depth > 1 && (s.depth = 1) > 0,
  (s) => s.do === "sleep" && s.value !== undefined && delete s.value,
  (s) => s.do === "sleep" && s.delay !== 0 && s.delay !== 1 && (s.delay = 1) > 0,
  (s) => "items" in s && s.items.pop() !== undefined,
  (s) => "items" in s && s.items.shift() !== undefined,
  (s) => s.do === "wait" && s.tasks.length > 1 && s.tasks.pop() !== undefined,
  (s) => "message" in s && s.message !== undefined && delete s.message,
  (s) => s.do === "try" && s.handlers.pop() !== undefined,
];

function* simplifications(program: Program): Generator<Change> {
  for (const [index, [statement]] of [...statements_of(program)].entries()) {
    for (const simplify of SIMPLIFICATIONS) {
      if (!simplify(structuredClone(statement))) continue;
      yield (copy) => {
        const target = [...statements_of(copy)][index]?.[0];
        if (target) simplify(target);
      };
    }
  }
  for (const [index, { own_context }] of (program.runs ?? []).entries()) {
    if ((program.runs?.length ?? 0) > 1) yield (copy) => copy.runs?.splice(index, 1);
    if (own_context) {
      yield (copy) => {
        const run = copy.runs?.[index];
        if (run) run.own_context = false;
      };
    }
  }
  for (const [index, { form }] of program.bodies.entries()) {
    if (form === "async") continue;
    yield (copy) => {
      const body = copy.bodies[index];
      if (body) body.form = "async";
    };
  }
}

function* smaller(program: Program): Generator<Program> {
  for (const changes of [omissions, unwrappings, simplifications]) {
    for (const change of changes(program)) {
      const copy = structuredClone(program);
      change(copy);
      yield copy;
    }
  }
}

/** The first of the candidates that shows it. */
async function first(
  candidates: Generator<Program>,
  shows: Shows,
  size: number,
  end: number,
): Promise<Program | null> {
  while (performance.now() < end) {
    const batch: Program[] = [];
    while (batch.length < size) {
      const next = candidates.next();
      if (next.done) break;
      batch.push(next.value);
    }
    if (batch.length === 0) return null;
    const found = (await shows(batch)).indexOf(true);
    if (found >= 0) return batch[found] ?? null;
  }
  return null;
}

/** The smallest program found that shows it; `program` must. */
export async function shrink(
  program: Program,
  shows: Shows,
  { batch = 32, seconds = Infinity }: ShrinkOptions = {},
): Promise<Program> {
  const end = performance.now() + seconds * 1000;
  let smallest = program;
  for (;;) {
    const next = await first(smaller(smallest), shows, batch, end);
    if (next === null) return smallest;
    smallest = next;
  }
}
