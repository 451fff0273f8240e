/**
 * Rules for linters, which find mistakes with this library before a program runs: one plugin for `deno lint` and for
 * ESLint 9 and newer.
 *
 * In `deno.json`:
 *
 * ```json
 * { "lint": { "plugins": ["npm:@pythonic/asyncio/lint"] } }
 * ```
 *
 * In `eslint.config.js`:
 *
 * ```js ignore
 * import asyncio from "@pythonic/asyncio/lint";
 *
 * export default [asyncio.configs.recommended];
 * ```
 *
 * The rules know what a file imports from the library, by name or as a namespace, and what it declares itself; they
 * need no types. They are listed at {@linkcode LintPlugin}.
 *
 * @module
 */

/** A node of a file's syntax tree, by the fields that the rules use; ESTree's names. */
interface Node {
  readonly type: string;
  readonly parent?: Node | null;
  readonly range: readonly [number, number];
  readonly callee?: Node;
  readonly arguments?: readonly Node[];
  readonly object?: Node;
  readonly property?: Node;
  readonly computed?: boolean;
  readonly expression?: Node | boolean;
  readonly argument?: Node | null;
  readonly operator?: string;
  readonly delegate?: boolean;
  readonly id?: Node | null;
  readonly init?: Node | null;
  readonly name?: string;
  readonly value?: unknown;
  readonly async?: boolean;
  readonly generator?: boolean;
  readonly body?: Node | readonly Node[];
  readonly source?: Node;
  readonly specifiers?: readonly Node[];
  readonly local?: Node;
  readonly imported?: Node;
  readonly block?: Node;
  readonly param?: Node | null;
  readonly params?: readonly Node[];
  readonly elements?: readonly (Node | null)[];
}

/** A change of the text. */
interface Fix {
  readonly range?: readonly [number, number];
}

/** Makes changes of the text. */
interface Fixer {
  insertTextBefore(node: Node, text: string): Fix;
  replaceText(node: Node, text: string): Fix;
  insertTextBeforeRange(range: readonly [number, number], text: string): Fix;
}

interface Report {
  readonly node: Node;
  readonly message: string;
  readonly fix?: (fixer: Fixer) => Fix;
}

/** The file that is checked, as both linters give it. */
interface RuleContext {
  readonly sourceCode: { getText(node: Node): string };
  report(report: Report): void;
}

type Visitor = Record<string, (node: Node) => void>;

/**
 * A rule: both linters call `create`, and ESLint reads `meta`.
 *
 * @category Linting
 */
export interface LintRule {
  /** The description of the rule, for ESLint. */
  readonly meta: {
    readonly type: "problem";
    readonly docs: { readonly description: string };
    readonly fixable?: "code";
    readonly schema: readonly never[];
  };
  /**
   * Makes the functions that a linter calls with the nodes of a file.
   *
   * @param context the file, as the linter gives it; each linter has a type of its own for it
   * @returns the functions, by the types of the nodes
   */
  create(context: never): Record<string, (node: never) => void>;
}

// Functions whose calls are lazy coroutines: nothing happens until they are awaited.
const COROUTINES = [
  "sleep",
  "wait",
  "wait_for",
  "async_with",
  "from_promise",
  "next_event",
  "anext",
  "staggered_race",
  "open_connection",
  "open_unix_connection",
  "start_server",
  "start_unix_server",
  "create_subprocess_exec",
  "create_subprocess_shell",
];

// Methods of the library's objects that are coroutines.
const COROUTINE_METHODS: Readonly<Record<string, readonly string[]>> = {
  Queue: ["get", "put", "join"],
  PriorityQueue: ["get", "put", "join"],
  LifoQueue: ["get", "put", "join"],
  Lock: ["acquire"],
  Semaphore: ["acquire"],
  BoundedSemaphore: ["acquire"],
  Condition: ["acquire", "wait", "wait_for"],
  Event: ["wait"],
  Barrier: ["wait"],
};

// Functions that run awaitables, and whose results are futures.
const FUTURES = ["gather", "create_task", "ensure_future", "shield", "wrap_future", "to_thread"];

// Functions to which calls that have not started are given.
const STARTERS = [
  "run",
  "create_task",
  "gather",
  "ensure_future",
  "wait_for",
  "shield",
  "run_until_complete",
];

// Functions and methods that call a function later.
const CALLERS = [
  ...STARTERS,
  "call_soon",
  "call_soon_threadsafe",
  "call_later",
  "call_at",
  "add_done_callback",
  "add_signal_handler",
  "run_in_executor",
  "to_thread",
];

// Modules of Node.js whose functions return native promises.
const NATIVE_MODULE = /^(?:node:)?(?:fs|timers|dns|stream|readline)\/promises$/;

// Methods of a response that read its body.
const BODY_METHODS = ["json", "text", "arrayBuffer", "blob", "bytes", "formData"];

// Names whose members need no object: they are no methods.
const STATIC = /^(?:[A-Z]|console$|globalThis$|process$)/;

const LIBRARY = /@pythonic\/asyncio(?:@[^/]*)?(?:\/|$)/;

const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];

function key_of({ range: [start, end] }: Node): string {
  return `${start}:${end}`;
}

function text_value(node: Node | null | undefined): string | null {
  return typeof node?.value === "string" ? node.value : null;
}

/** `fs.promises` of an expression that is such a name; `null` of others. */
function dotted_name(node: Node | undefined): string | null {
  if (node?.type === "Identifier") return node.name ?? null;
  if (node?.type !== "MemberExpression" || node.computed) return null;
  const object = dotted_name(node.object);
  return object === null ? null : `${object}.${node.property?.name}`;
}

/** The milliseconds of `new Promise((resolve) => setTimeout(resolve, milliseconds))`; `null` of other promises. */
function timer_of({ arguments: given = [] }: Node): Node | null {
  const [executor] = given;
  const call = executor?.type === "ArrowFunctionExpression" ? executor.body as Node : undefined;
  if (call?.type !== "CallExpression" || call.callee?.name !== "setTimeout") return null;
  const [resolve, milliseconds] = call.arguments ?? [];
  return resolve?.type === "Identifier" && resolve.name === executor?.params?.[0]?.name
    ? milliseconds ?? null
    : null;
}

/** The functions around a node, innermost first. */
function enclosing_function(node: Node): Node | null {
  for (let at = node.parent ?? null; at !== null; at = at.parent ?? null) {
    if (FUNCTIONS.includes(at.type)) return at;
  }
  return null;
}

/** The imports and declarations of a file, as far as the rules need them. */
class FileFacts {
  readonly #namespaces = new Set<string>();
  readonly #imported = new Map<string, string>();
  readonly #async_functions = new Set<string>();
  readonly #other_functions = new Set<string>();
  readonly #coroutine_functions = new Set<string>();
  readonly #instances = new Map<string, string>();
  readonly #parameters = new Set<string>();
  readonly #native_functions = new Set<string>();
  readonly #native_namespaces = new Set<string>();
  readonly #responses = new Set<string>();

  /** The name of the namespace import; `null` if the file has none. */
  get namespace(): string | null {
    return [...this.#namespaces][0] ?? null;
  }

  /** Returns whether the file imports anything of the library. */
  get uses_library(): boolean {
    return this.#namespaces.size > 0 || this.#imported.size > 0;
  }

  /** Returns what the file calls a name of the library; `null` if it does not import it. */
  spelling_of(name: string): string | null {
    for (const [local, imported] of this.#imported) if (imported === name) return local;
    return this.namespace === null ? null : `${this.namespace}.${name}`;
  }

  /** The functions that collect the facts. */
  readonly visitor: Visitor = {
    ImportDeclaration: (node) => this.#note_import(node),
    FunctionDeclaration: (node) => {
      const { id, async, generator } = node;
      if (id?.name !== undefined) {
        (async && !generator ? this.#async_functions : this.#other_functions).add(id.name);
      }
      this.#note_parameters(node);
    },
    FunctionExpression: (node) => this.#note_parameters(node),
    ArrowFunctionExpression: (node) => this.#note_parameters(node),
    VariableDeclarator: ({ id, init }) => {
      if (id?.name !== undefined && init !== null && init !== undefined) {
        this.#note_variable(id.name, init);
      }
    },
  };

  #note_import({ source, specifiers = [] }: Node): void {
    const from = text_value(source) ?? "";
    const is_library = LIBRARY.test(from);
    for (const { type, local, imported } of specifiers) {
      const name = local?.name ?? "";
      const original = imported?.name ?? text_value(imported);
      if (NATIVE_MODULE.test(from)) {
        const names = type === "ImportSpecifier" ? this.#native_functions : this.#native_namespaces;
        names.add(name);
      } else if (/^(?:node:)?fs$/.test(from)) {
        if (type !== "ImportSpecifier") this.#native_namespaces.add(`${name}.promises`);
        else if (original === "promises") this.#native_namespaces.add(name);
      } else if (/^(?:node:)?events$/.test(from) && original === "once") {
        this.#native_functions.add(name);
      }
      if (type === "ImportNamespaceSpecifier") {
        if (is_library || name === "asyncio") this.#namespaces.add(name);
      } else if (is_library && type === "ImportSpecifier") {
        this.#imported.set(name, original ?? name);
      }
    }
  }

  #note_parameters({ params = [] }: Node): void {
    for (const { name } of params) if (name !== undefined) this.#parameters.add(name);
  }

  #note_variable(name: string, init: Node): void {
    if (FUNCTIONS.includes(init.type)) {
      (init.async && !init.generator ? this.#async_functions : this.#other_functions).add(name);
    } else if (init.type === "CallExpression") {
      if (this.called(init) === "coroutine") this.#coroutine_functions.add(name);
    } else if (init.type === "NewExpression") {
      const made = this.#library_name(init.callee);
      if (made !== null) this.#instances.set(name, made);
    } else if (init.type === "AwaitExpression" && this.#gives_response(init.argument)) {
      this.#responses.add(name);
    }
  }

  #gives_response(node: Node | null | undefined): boolean {
    if (node?.type !== "CallExpression") return false;
    if (this.#is_global_fetch(node)) return true;
    const [work] = this.called(node) === "from_promise" ? node.arguments ?? [] : [];
    return work?.type === "ArrowFunctionExpression" && this.#is_global_fetch(work.body as Node);
  }

  #is_global_fetch({ type, callee }: Node): boolean {
    return type === "CallExpression" && callee?.type === "Identifier" && callee.name === "fetch" &&
      !this.#parameters.has("fetch");
  }

  /** Returns what kind of native work an expression begins; `null` if it is not known to begin any. */
  native_work(node: Node): "fetch" | "timer" | "other" | null {
    if (node.type === "NewExpression") {
      if (node.callee?.name !== "Promise") return null;
      return timer_of(node) === null ? "other" : "timer";
    }
    if (node.type !== "CallExpression") return null;
    if (this.#is_global_fetch(node)) return "fetch";
    const { callee } = node;
    if (callee?.type === "Identifier") {
      const { name = "" } = callee;
      return this.#native_functions.has(name) && !this.#parameters.has(name) ? "other" : null;
    }
    if (callee?.type !== "MemberExpression" || callee.computed) return null;
    const { object, property } = callee;
    const owner = dotted_name(object);
    if (owner === "Deno" || this.#native_namespaces.has(owner ?? "")) {
      return this.#parameters.has(owner ?? "") ? null : "other";
    }
    const is_response = object?.type === "Identifier"
      ? this.#responses.has(object.name ?? "")
      : object?.type === "AwaitExpression" && this.#gives_response(object.argument);
    return is_response && BODY_METHODS.includes(property?.name ?? "") ? "other" : null;
  }

  #library_name(node: Node | undefined): string | null {
    if (node?.type === "Identifier") return this.#imported.get(node.name ?? "") ?? null;
    if (node?.type !== "MemberExpression" || node.computed) return null;
    const { object, property } = node;
    return object?.type === "Identifier" && this.#namespaces.has(object.name ?? "")
      ? property?.name ?? null
      : null;
  }

  /** The name of the library's function that a call calls; `null` if it is none. */
  called(node: Node): string | null {
    return node.type === "CallExpression" ? this.#library_name(node.callee) : null;
  }

  /** The name of a method that a call calls on an object; `null` if it calls none. */
  called_method({ type, callee }: Node): string | null {
    if (type !== "CallExpression" || callee?.type !== "MemberExpression" || callee.computed) {
      return null;
    }
    return callee.property?.name ?? null;
  }

  /** Returns whether a call gives a lazy coroutine. */
  is_coroutine_call(node: Node): boolean {
    if (node.type !== "CallExpression") return false;
    const { callee } = node;
    if (callee?.type === "Identifier" && this.#coroutine_functions.has(callee.name ?? "")) {
      // A name that has two meanings in a file is not told apart.
      return !this.#async_functions.has(callee.name ?? "");
    }
    if (COROUTINES.includes(this.called(node) ?? "")) return true;
    const method = this.called_method(node);
    const instance = this.#instances.get(callee?.object?.name ?? "");
    return method !== null && (COROUTINE_METHODS[instance ?? ""]?.includes(method) ?? false);
  }

  /** Returns whether a call gives an awaitable of the library. */
  is_library_awaitable(node: Node): boolean {
    return this.is_coroutine_call(node) || FUTURES.includes(this.called(node) ?? "");
  }

  /** Returns whether a call calls one of some functions of the library, or a method of such a name. */
  calls_one_of(node: Node, names: readonly string[]): boolean {
    const name = this.called(node);
    if (name !== null) return names.includes(name);
    return this.uses_library && names.includes(this.called_method(node) ?? "") &&
      (node.callee?.object?.type !== "Identifier" ||
        !STATIC.test(node.callee.object.name ?? ""));
  }

  /** Returns whether a call calls an async function of this file: its work has started then. */
  is_async_call({ type, callee }: Node): boolean {
    if (type !== "CallExpression") return false;
    if (callee?.type === "Identifier") {
      const { name = "" } = callee;
      // A name that has two meanings in a file is not told apart.
      return this.#async_functions.has(name) && !this.#other_functions.has(name) &&
        !this.#coroutine_functions.has(name) && !this.#parameters.has(name);
    }
    return callee !== undefined && FUNCTIONS.includes(callee.type) && callee.async === true;
  }
}

/** Merges visitors; of two functions for the same nodes both are called. */
function merge(...visitors: Visitor[]): Visitor {
  const merged: Visitor = {};
  for (const visitor of visitors) {
    for (const [type, visit] of Object.entries(visitor)) {
      const before = merged[type];
      merged[type] = before === undefined ? visit : (node) => {
        before(node);
        visit(node);
      };
    }
  }
  return merged;
}

/**
 * Makes a rule that checks some nodes when the whole file is known.
 *
 * @param check called with each node; returns what is to be reported, or `null`
 */
function rule(
  description: string,
  types: readonly string[],
  check: (
    node: Node,
    facts: FileFacts,
    context: RuleContext,
    all: readonly Node[],
  ) => Report | null,
): LintRule {
  return {
    meta: { type: "problem", docs: { description }, fixable: "code", schema: [] },
    create(context: RuleContext): Visitor {
      const facts = new FileFacts();
      const candidates: Node[] = [];
      const noting = Object.fromEntries(
        types.map((type) => [type, (node: Node) => void candidates.push(node)]),
      );
      return merge(facts.visitor, noting, {
        "Program:exit": () => {
          if (!facts.uses_library) return;
          for (const node of candidates) {
            const report = check(node, facts, context, candidates);
            if (report !== null) context.report(report);
          }
        },
      });
    },
  };
}

const no_floating_coroutine = rule(
  "A coroutine of the library that is not awaited does nothing",
  ["ExpressionStatement"],
  ({ expression }, facts) => {
    if (typeof expression !== "object") return null;
    const is_void = expression.type === "UnaryExpression" && expression.operator === "void";
    const call = is_void ? expression.argument : expression;
    if (!call || !facts.is_coroutine_call(call)) return null;
    const around = enclosing_function(call);
    const word = around === null || around.async ? "await " : around.generator ? "yield* " : null;
    const message = "This coroutine is not awaited, so it does nothing: await it, or give it to " +
      "create_task()";
    return is_void || word === null
      ? { node: call, message }
      : { node: call, message, fix: (fixer) => fixer.insertTextBefore(call, word) };
  },
);

const no_started_call = rule(
  "A call that is to be a task must not have started",
  ["CallExpression"],
  (node, facts, { sourceCode }) => {
    if (!facts.calls_one_of(node, STARTERS)) return null;
    const name = facts.called(node) ?? facts.called_method(node);
    // Functions that take several awaitables or wait may be given promises; only a task must begin its work itself.
    const takes_promises = !["run", "create_task"].includes(name ?? "");
    const started = (node.arguments ?? []).find((argument) => facts.is_async_call(argument));
    if (started === undefined || takes_promises) return null;
    const callee = started.callee as Node;
    const text = (started.arguments ?? []).length === 0 && callee.type === "Identifier"
      ? sourceCode.getText(callee)
      : `() => ${sourceCode.getText(started)}`;
    return {
      node: started,
      message: `This call has started already, outside of any task: write ${name}(${
        text.startsWith("() =>") ? "() => …" : text
      })`,
      fix: (fixer) => fixer.replaceText(started, text),
    };
  },
);

const LOOKS_AT_CANCELLATION = /^(?:BaseException|CancelledError|KeyboardInterrupt|uncancel)$/;

/** The statement whose part, block or handler, a node is in, up to the function around it. */
function enclosing(node: Node, type: string): Node | null {
  for (let at = node.parent ?? null; at !== null; at = at.parent ?? null) {
    if (at.type === type) return at;
    if (FUNCTIONS.includes(at.type)) return null;
  }
  return null;
}

const no_swallowed_cancellation: LintRule = {
  meta: {
    type: "problem",
    docs: { description: "A catch around an await must not swallow cancellations" },
    fixable: "code",
    schema: [],
  },
  create(context: RuleContext): Visitor {
    const facts = new FileFacts();
    const awaits: Node[] = [];
    const handlers: Node[] = [];
    const careful = new Set<string>();
    const note_careful = (node: Node) => {
      for (
        let at = enclosing(node, "CatchClause");
        at !== null;
        at = enclosing(at, "CatchClause")
      ) careful.add(key_of(at));
    };
    return merge(facts.visitor, {
      AwaitExpression: (node) => void awaits.push(node),
      YieldExpression: (node) => void (node.delegate && awaits.push(node)),
      CatchClause: (node) => void handlers.push(node),
      ThrowStatement: note_careful,
      Identifier: (node) => {
        if (LOOKS_AT_CANCELLATION.test(node.name ?? "")) note_careful(node);
      },
      // An assertion about the error throws, unless it is the one that is expected.
      CallExpression: (node) => {
        const callee = node.callee?.type === "MemberExpression" ? node.callee.object : node.callee;
        const error = enclosing(node, "CatchClause")?.param?.name;
        if (error === undefined || !callee?.name?.startsWith("assert")) return;
        const names = (node.arguments ?? []).map((argument) =>
          context.sourceCode.getText(argument)
        );
        if (names.some((name) => name.split(/[^\w$]+/).includes(error))) note_careful(node);
      },
      "Program:exit": () => {
        const risky = new Set<string>();
        for (const node of awaits) {
          if (!node.argument || !facts.is_library_awaitable(node.argument)) continue;
          // An await in the handler or in `finally` is not caught by it.
          const attempt = enclosing(node, "TryStatement");
          const block = attempt?.block;
          if (
            attempt && block && node.range[0] >= block.range[0] && node.range[1] <= block.range[1]
          ) {
            risky.add(key_of(attempt));
          }
        }
        for (const handler of handlers) {
          const attempt = handler.parent;
          if (!attempt || !risky.has(key_of(attempt)) || careful.has(key_of(handler))) continue;
          report_swallowing(context, facts, handler);
        }
      },
    });
  },
};

function report_swallowing(context: RuleContext, facts: FileFacts, handler: Node): void {
  const { param, body } = handler;
  const base = facts.spelling_of("BaseException");
  const error = param?.type === "Identifier" ? param.name : undefined;
  const check = `if (${error ?? "error"} instanceof ${base ?? "BaseException"}) throw ${
    error ?? "error"
  };`;
  const report = {
    node: handler,
    message: `This catch swallows cancellations: begin it with ${check}`,
  };
  const start = (body as Node | undefined)?.range[0];
  if (base === null || error === undefined || start === undefined) context.report(report);
  else {
    context.report({
      ...report,
      fix: (fixer) => fixer.insertTextBeforeRange([start + 1, start + 1], ` ${check}`),
    });
  }
}

const no_native_await = rule(
  "A task that awaits native work directly cannot be cancelled there",
  ["AwaitExpression"],
  ({ argument }, facts, { sourceCode }, awaits) => {
    const kind = argument ? facts.native_work(argument) : null;
    if (!argument || kind === null) return null;
    const around = enclosing_function(argument);
    if (around === null || !(is_in_task(around, facts) || awaits_library(around, facts, awaits))) {
      return null;
    }
    const text = (node: Node) => sourceCode.getText(node);
    const reached = "A cancellation does not reach this wait: write await ";
    const report = (form: string, replacement: string | null) => ({
      node: argument,
      message: reached + form,
      ...replacement === null
        ? {}
        : { fix: (fixer: Fixer) => fixer.replaceText(argument, replacement) },
    });
    const from_promise = facts.spelling_of("from_promise");
    if (kind === "timer") {
      const milliseconds = Number((timer_of(argument) as Node).value ?? NaN);
      const sleep = facts.spelling_of("sleep");
      const is_known = sleep !== null && !Number.isNaN(milliseconds);
      return report("sleep(seconds)", is_known ? `${sleep}(${milliseconds / 1000})` : null);
    }
    if (kind === "other") {
      const wrapped = from_promise === null ? null : `${from_promise}(${text(argument)})`;
      return report("from_promise(promise)", wrapped);
    }
    const [url, ...more] = argument.arguments ?? [];
    const form = "from_promise((signal) => fetch(url, { signal }))";
    if (from_promise === null || url === undefined || more.length > 0) return report(form, null);
    return report(form, `${from_promise}((signal) => fetch(${text(url)}, { signal }))`);
  },
);

/** Returns whether a function awaits something of the library, which shows that tasks run it. */
function awaits_library(fn: Node, facts: FileFacts, awaits: readonly Node[]): boolean {
  if (fn.parent?.type === "CallExpression" && facts.called(fn.parent) !== null) return false;
  return awaits.some((node) => {
    if (!node.argument || !facts.is_library_awaitable(node.argument)) return false;
    const around = enclosing_function(node);
    return around !== null && key_of(around) === key_of(fn);
  });
}

/** Returns whether a function is given to the library where it stands, to be run as a task or in a block. */
function is_in_task(fn: Node, facts: FileFacts): boolean {
  const call = fn.parent;
  if (call?.type === "CallExpression") {
    const name = facts.called(call);
    // The work of from_promise() and of a thread is native.
    if (name === "from_promise" || name === "to_thread") return false;
    if (name === "coroutine" || name === "async_with") return true;
    if (facts.calls_one_of(call, STARTERS)) return true;
  }
  return false;
}

const no_unbound_method = rule(
  "A method that is passed on loses its object",
  ["CallExpression"],
  (node, facts) => {
    if (!facts.calls_one_of(node, CALLERS)) return null;
    const method = (node.arguments ?? []).find(({ type, computed, object }) =>
      type === "MemberExpression" && !computed &&
      (object?.type === "ThisExpression" || object?.type === "Identifier" &&
          object.name !== facts.namespace && !STATIC.test(object.name ?? ""))
    );
    // A number of seconds or an option may be a member, too: only what stands where a function is expected.
    if (method === undefined || !is_function_argument(node, method, facts)) return null;
    return {
      node: method,
      message: "This method loses its object when it is called: write () => object.method()",
    };
  },
);

const FUNCTION_AT: Readonly<Record<string, number>> = {
  call_later: 1,
  call_at: 1,
  add_signal_handler: 1,
  run_in_executor: 1,
};

function is_function_argument(call: Node, argument: Node, facts: FileFacts): boolean {
  const name = facts.called(call) ?? facts.called_method(call) ?? "";
  // Of these a member is more likely a task or a coroutine that is kept there.
  if (STARTERS.includes(name)) return false;
  return call.arguments?.[FUNCTION_AT[name] ?? 0]?.range[0] === argument.range[0];
}

const INSTEAD: Readonly<Record<string, string>> = {
  race: "wait(tasks, { return_when: FIRST_COMPLETED })",
  allSettled: "gather(…, { return_exceptions: true })",
};

const no_promise_combinator = rule(
  "Promise.race and Promise.allSettled do not know cancellations",
  ["CallExpression"],
  (node, facts) => {
    const { callee, arguments: given = [] } = node;
    if (callee?.type !== "MemberExpression" || callee.object?.name !== "Promise") return null;
    const name = callee.property?.name ?? "";
    const instead = Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined;
    const [list] = given;
    if (instead === undefined || list?.type !== "ArrayExpression") return null;
    if (!list.elements?.some((element) => element && facts.is_library_awaitable(element))) {
      return null;
    }
    const why = name === "race"
      ? "the losers keep running"
      : "a cancellation becomes one of the results";
    return { node, message: `With Promise.${name} ${why}: write ${instead}` };
  },
);

const no_returned_task = rule(
  "An async function that returns a task waits for it",
  ["ReturnStatement", "ArrowFunctionExpression"],
  (node, facts) => {
    const is_return = node.type === "ReturnStatement";
    const fn = is_return ? enclosing_function(node) : node;
    const returned = is_return ? node.argument : node.body as Node;
    if (!fn?.async || fn.generator || !returned) return null;
    if (!facts.calls_one_of(returned, ["create_task"])) return null;
    return {
      node: returned,
      message:
        "An async function that returns a task waits for it and gives its result: make the " +
        "function synchronous, or write return await",
    };
  },
);

const rules: Readonly<Record<string, LintRule>> = {
  "no-floating-coroutine": no_floating_coroutine,
  "no-native-await": no_native_await,
  "no-promise-combinator": no_promise_combinator,
  "no-returned-task": no_returned_task,
  "no-started-call": no_started_call,
  "no-swallowed-cancellation": no_swallowed_cancellation,
  "no-unbound-method": no_unbound_method,
};

/**
 * The plugin, for `deno lint` and ESLint: it is the default export. Its rules are
 *
 * - `no-floating-coroutine`: `sleep(1);` does nothing; with a fix
 * - `no-started-call`: `create_task(work())`, `run(main())` of an async function; with a fix
 * - `no-swallowed-cancellation`: a `catch` around an await of the library that neither throws nor looks for
 *   `BaseException`; with a fix
 * - `no-native-await`: `await fetch(url)`, and the like of `Deno`, of Node.js's promises and of `new Promise(…)`, in a
 *   function that is given to the library or awaits something of it; with a fix
 * - `no-unbound-method`: `loop.call_soon(server.close)`
 * - `no-promise-combinator`: `Promise.race` and `Promise.allSettled` of the library's awaitables
 * - `no-returned-task`: `return create_task(work)` in an async function
 *
 * @category Linting
 */
export interface LintPlugin {
  /** The name, for `deno lint`: rules are `asyncio/no-floating-coroutine`. */
  readonly name: string;
  /** The name, for ESLint. */
  readonly meta: { readonly name: string };
  /** The rules. */
  readonly rules: Readonly<Record<string, LintRule>>;
  /** Configurations for ESLint. */
  readonly configs: {
    /** All rules, as errors. */
    readonly recommended: {
      readonly name: string;
      readonly plugins: Record<string, LintPlugin>;
      readonly rules: Record<string, "error">;
    };
  };
}

/**
 * The plugin with all rules, for `deno lint` and ESLint.
 *
 * @category Linting
 */
const plugin: LintPlugin = {
  name: "asyncio",
  meta: { name: "@pythonic/asyncio" },
  rules,
  configs: {
    recommended: {
      name: "asyncio/recommended",
      plugins: {},
      rules: Object.fromEntries(Object.keys(rules).map((name) => [`asyncio/${name}`, "error"])),
    },
  },
};
plugin.configs.recommended.plugins["asyncio"] = plugin;

export default plugin;
