import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BoundedSemaphore,
  Condition,
  create_task,
  Event,
  Future,
  get_running_loop,
  Lock,
  Queue,
  run,
  Semaphore,
  sleep,
} from "../mod.ts";

// As the host calls what is given to it: `promise.then(future.set_result)`.
type Callback = (this: unknown, value?: unknown) => unknown;

const message = (name: string) =>
  `Cannot call ${name}(): a method loses its object when it is given as a callback; instead of ` +
  `x.${name} write () => x.${name}(): received ${name}`;

Deno.test("Future.set_result, Event.set, …: called without their object they say what to write, and change nothing", async () => {
  await run(async () => {
    const task = create_task(sleep(0));
    const queue = new Queue<number>();
    const methods: [owner: object, names: string[]][] = [
      [new Future(), ["set_result", "set_exception", "cancel"]],
      [task, ["cancel"]],
      [new Event(), ["set", "clear"]],
      [new Lock(), ["release"]],
      [new Semaphore(), ["release"]],
      [new BoundedSemaphore(), ["release"]],
      [new Condition(), ["release", "notify", "notify_all"]],
      [queue, ["put_nowait", "get_nowait", "task_done", "shutdown"]],
      [get_running_loop(), ["stop"]],
    ];
    for (const [owner, names] of methods) {
      for (const name of names) {
        const method = (owner as Record<string, Callback>)[name]!;
        assertThrows(() => method.call(undefined), TypeError, message(name));
        assertThrows(() => method.call({}), TypeError, message(name));
      }
    }
    assertEquals(await task, undefined);
    assertEquals(queue.empty(), true);
  });
});

Deno.test("Future.set_result: a promise that is given the method rejects with what to write", async () => {
  await run(async () => {
    const future = new Future<number>();
    const { set_result } = future as unknown as { set_result: Callback };
    await assertRejects(
      () => Promise.resolve(1).then(set_result),
      TypeError,
      message("set_result"),
    );
    await Promise.resolve(1).then((value) => future.set_result(value));
    assertEquals(await future, 1);
  });
});
