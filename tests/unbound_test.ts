import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AsyncExitStack,
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
  StreamReader,
  TaskGroup,
  timeout,
} from "../mod.ts";
import { CancelScope, open_channel } from "../structured.ts";

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
      [new TaskGroup(), ["cancel"]],
      [new CancelScope(), ["cancel"]],
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

Deno.test("call_soon, call_later, add_done_callback: a method without its object is refused at once", async () => {
  await run(() => {
    const loop = get_running_loop();
    const timer = loop.call_later(60, () => {});
    const [sender, receiver] = open_channel<number>();
    const methods: [owner: object, names: string[]][] = [
      [new Future(), ["set_result"]],
      [new TaskGroup(), ["cancel", "create_task"]],
      [new CancelScope(), ["cancel"]],
      [timeout(1), ["reschedule"]],
      [timer, ["cancel"]],
      [new StreamReader(), ["feed_data", "feed_eof"]],
      [new AsyncExitStack(), ["aclose"]],
      [sender, ["send_nowait", "close"]],
      [receiver, ["receive_nowait", "close"]],
    ];
    for (const [owner, names] of methods) {
      for (const name of names) {
        const method = (owner as Record<string, Callback>)[name]!;
        const future = new Future();
        for (
          const give of [
            () => loop.call_soon(method),
            () => loop.call_later(0, method),
            () => future.add_done_callback(method),
          ]
        ) assertThrows(give, TypeError, `instead of x.${name} write () => x.${name}()`);
      }
    }
    timer.cancel();
    return sleep(0);
  });
});
