/** Programs as text that reads like TypeScript. */

import type { Native, Program, Statement, Wait } from "./program.ts";

const indented = (lines: string[]) => lines.map((line) => `  ${line}`);

function native({ by, after, fails }: Native): string {
  const when = by === "never" ? "never" : by === "microtask" ? by : `${after} by ${by}`;
  return `native(${when}${fails ? ", fails" : ""})`;
}

function arrow(head: string, body: Statement[], tail = ""): string {
  return [`${head}async () => {`, ...indented(print_block(body)), `}${tail}`].join("\n");
}

function print_wait(wait: Wait): string {
  switch (wait.wait) {
    case "sleep":
      return `sleep(${wait.ticks})`;
    case "get":
      return `queue${wait.queue}.get()`;
    case "put":
      return `queue${wait.queue}.put(item)`;
    case "event":
      return `event${wait.event}.wait()`;
    case "join":
      return wait.shield ? `shield(task${wait.task})` : `task${wait.task}`;
    case "native":
      return native(wait.native);
    case "from_promise": {
      const options = wait.abandon ? ", { abandon_on_cancel: true }" : "";
      if (!wait.function) return `from_promise(${native(wait.native)}${options})`;
      const reaction = `on abort: ${wait.on_abort}${wait.late > 0 ? ` after ${wait.late}` : ""}`;
      return `from_promise((signal) => ${native(wait.native)} /* ${reaction} */${options})`;
    }
    case "gather":
      return `gather(${wait.bodies.map((body) => arrow("", body)).join(", ")})`;
    case "call":
      return arrow(wait.lazy ? "coroutine(" : "(", wait.body, ")()");
    case "limited": {
      const { of, after, ticks } = wait;
      const what = of === "sleep"
        ? `sleep(${after})`
        : of === "get"
        ? "queue0.get()"
        : "event0.wait()";
      return `wait_for(${what}, ${ticks})`;
    }
    case "held":
      return `held${wait.slot}`;
    default:
      return `Promise.${wait.wait}([${wait.of.map(print_wait).join(", ")}])`;
  }
}

function print_statement(statement: Statement): string {
  switch (statement.do) {
    case "await":
      return `await ${print_wait(statement.wait)};`;
    case "timeout": {
      const manager = statement.at
        ? `timeout_at(now + ${statement.ticks})`
        : `timeout(${statement.ticks})`;
      return arrow(`await async_with(${manager}, `, statement.body, ");");
    }
    case "wait_for":
      return arrow("await wait_for(", statement.body, `, ${statement.ticks});`);
    case "aborted_by": {
      const manager = `aborted_by(/* aborts after ${statement.ticks}, by ${statement.by} */)`;
      return arrow(`await async_with(${manager}, `, statement.body, ");");
    }
    case "group":
      return [
        "await async_with(new TaskGroup(), async (group) => {",
        ...indented([
          ...statement.children.flatMap((child) =>
            arrow("group.create_task(", child, ");").split("\n")
          ),
          ...print_block(statement.body),
        ]),
        "});",
      ].join("\n");
    case "lock":
    case "semaphore": {
      const name = statement.do === "lock"
        ? `lock${statement.lock}`
        : `semaphore${statement.semaphore}`;
      if (statement.async_with) return arrow(`await async_with(${name}, `, statement.body, ");");
      return [
        `await ${name}.acquire();`,
        "try {",
        ...indented(print_block(statement.body)),
        `} finally { ${name}.release(); }`,
      ].join("\n");
    }
    case "try": {
      const { catches, uncancels, clean_up } = statement;
      const lines = ["try {", ...indented(print_block(statement.body))];
      if (catches === "errors") lines.push("} catch (e) { if (is_cancellation(e)) throw e;");
      if (catches === "everything") lines.push(`} catch {${uncancels ? " uncancel(); " : ""}`);
      if (clean_up.length > 0) lines.push("} finally {", ...indented(print_block(clean_up)));
      return [...lines, "}"].join("\n");
    }
    case "hold":
      return arrow(`const held${statement.slot} = (`, statement.body, ")();");
    case "forget":
      return arrow("void (", statement.body, ")();");
    case "throw":
      return `throw ${statement.what};`;
    case "cancel":
      return `task${statement.task}.cancel();`.repeat(statement.times);
    case "cancel_self":
      return "current_task().cancel();";
    case "set":
      return `event${statement.event}.set();`;
    case "callback": {
      const { by, ticks, body } = statement;
      if (by === "call_soon") return arrow("loop.call_soon(", body, ");");
      if (by === "call_later") return arrow(`loop.call_later(${ticks}, `, body, ");");
      const set = by === "interval" ? "setInterval" : "setTimeout";
      const tail = by === "interval" ? `), ${ticks}); // three times` : `), ${ticks});`;
      return arrow(`${set}(detached(`, body, tail);
    }
  }
}

function print_block(statements: Statement[]): string[] {
  return statements.flatMap((statement) => print_statement(statement).split("\n"));
}

/** The program's text; times are in ticks. */
export function print_program(program: Program): string {
  const lines = program.tasks.flatMap((task, index) =>
    arrow(`const task${index} = create_task(`, task, ");").split("\n")
  );
  for (const { at, task, times, by } of program.cancels) {
    lines.push(`at ${at}, by the ${by}: ${`task${task}.cancel();`.repeat(times)}`);
  }
  const text = lines.join("\n");
  for (const [index, at] of program.events.entries()) {
    if (text.includes(`event${index}`) && at !== null) lines.push(`at ${at}: event${index}.set();`);
  }
  for (const [index, { maxsize, puts }] of program.queues.entries()) {
    if (!text.includes(`queue${index}`)) continue;
    lines.push(`queue${index} = new Queue(${maxsize}); items at ${puts.join(", ") || "no time"}`);
  }
  for (const [index, value] of program.semaphores.entries()) {
    if (text.includes(`semaphore${index}`)) {
      lines.push(`semaphore${index} = new Semaphore(${value})`);
    }
  }
  if (program.main_ends !== null) lines.push(`main ends at ${program.main_ends}`);
  if (program.virtual_clock) lines.push("on the virtual clock");
  if (program.mode !== "plain") lines.push(`in a loop that is ${program.mode}`);
  if (program.busy) lines.push("on a busy machine");
  return lines.join("\n");
}
