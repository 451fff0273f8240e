/** Channels beyond AnyIO's tests: closing one's own end, cancellation at every moment, streams of the host. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Readable } from "node:stream";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { ClosedResourceError, EndOfChannel, open_channel } from "../../structured.ts";
import { all_blocked, run } from "./clock.ts";

const { create_task, sleep } = asyncio;

Deno.test("Sender.send: an item that was taken is sent, and the cancellation comes at the next await", () =>
  run(async () => {
    const [sender, receiver] = open_channel<string>();
    const log: string[] = [];
    const task = create_task(async () => {
      await sender.send("item");
      log.push("sent");
      await sleep(60);
    });
    await all_blocked();
    assertEquals(receiver.receive_nowait(), "item");
    task.cancel("late");
    await assertRejects(async () => await task, asyncio.CancelledError, "late");
    assertEquals(log, ["sent"]);
  }));

Deno.test("Sender.send: cancelled while it waits, it sends nothing", () =>
  run(async () => {
    const [sender, receiver] = open_channel<string>();
    const first = create_task(sender.send("first"));
    const second = create_task(sender.send("second"));
    await all_blocked();
    first.cancel();
    assertEquals(await receiver.receive(), "second");
    await asyncio.wait([first, second]);
    assert(first.cancelled());
  }));

Deno.test("Receiver.receive: the item of a cancelled call goes to the next in line, or to the front", () =>
  run(async () => {
    const [sender, receiver] = open_channel<number>(2);
    const [first, second] = [create_task(receiver.receive()), create_task(receiver.receive())];
    await all_blocked();
    sender.send_nowait(1);
    first.cancel();
    assertEquals(await second, 1);
    const third = create_task(receiver.receive());
    await all_blocked();
    sender.send_nowait(2);
    sender.send_nowait(3);
    third.cancel();
    await asyncio.wait([first, third]);
    assertEquals([receiver.receive_nowait(), receiver.receive_nowait()], [2, 3]);
  }));

Deno.test("Receiver.receive: does not end while an item may still come back", () =>
  run(async () => {
    const [sender, receiver] = open_channel<number>();
    const [first, second] = [create_task(receiver.receive()), create_task(receiver.receive())];
    await all_blocked();
    sender.send_nowait(1);
    sender.close();
    first.cancel();
    assertEquals(await second, 1);
    await assertRejects(async () => await receiver.receive(), EndOfChannel);
  }));

Deno.test("Sender.close, Receiver.close: end their own calls that wait, and those alone", () =>
  run(async () => {
    const [sender, receiver] = open_channel<number>();
    const other = receiver.clone();
    const own = create_task(receiver.receive());
    const others = create_task(other.receive());
    await all_blocked();
    receiver.close();
    await assertRejects(async () => await own, ClosedResourceError);
    sender.send_nowait(1);
    assertEquals(await others, 1);
    const clone = sender.clone();
    const sending = create_task(sender.send(2));
    const cloned = create_task(clone.send(3));
    await all_blocked();
    sender.close();
    await assertRejects(async () => await sending, ClosedResourceError);
    assertEquals(await other.receive(), 3);
    await cloned;
  }));

Deno.test("Sender.send: items arrive in the order of the calls, whatever the buffer", () =>
  run(async () => {
    for (const size of [0, 1, 3, Infinity]) {
      const [sender, receiver] = open_channel<number>(size);
      const sending = [0, 1, 2, 3, 4, 5].map((item) => create_task(sender.send(item)));
      await all_blocked();
      const received: number[] = [];
      while (received.length < 6) received.push(await receiver.receive());
      assertEquals(received, [0, 1, 2, 3, 4, 5]);
      await asyncio.wait(sending);
    }
  }));

Deno.test("open_channel: takes max_buffer by name; a channel belongs to one loop", async () => {
  const [sender, receiver] = open_channel<number>({ max_buffer: 1 });
  const loop_factory = () => new VirtualClockEventLoop();
  await assertRejects(
    () => asyncio.run(() => asyncio.wait_for(receiver.receive(), 1), { loop_factory }),
    asyncio.TimeoutError,
  );
  await assertRejects(
    () => asyncio.run(() => receiver.receive(), { loop_factory }),
    asyncio.RuntimeError,
    "is bound to a different event loop",
  );
  sender.send_nowait(1);
  assertEquals(String(sender), "<Sender [open] buffer=1/1>");
  assertEquals(receiver.receive_nowait(), 1);
});

Deno.test("Sender.writable: a stream of the host sends what is piped to it, and closes at its end", () =>
  asyncio.run(async () => {
    const [sender, receiver] = open_channel<number>();
    const source = new ReadableStream<number>({
      start(controller) {
        for (const item of [1, 2, 3]) controller.enqueue(item);
        controller.close();
      },
    });
    const piped = source.pipeTo(sender.writable());
    const items: number[] = [];
    for await (const item of receiver) items.push(item);
    await piped;
    assertEquals(items, [1, 2, 3]);
  }));

Deno.test("Receiver: leaving a loop over it does not close it", () =>
  run(async () => {
    const [sender, receiver] = open_channel<number>(2);
    sender.send_nowait(1);
    sender.send_nowait(2);
    for await (const item of receiver) {
      assertEquals(item, 1);
      break;
    }
    assertEquals(await receiver.receive(), 2);
  }));

Deno.test("Receiver iteration: return() ends the calls of next() in progress, which take no item", () =>
  run(async () => {
    const [sender, receiver] = open_channel<string>(2);
    const iterator = receiver[Symbol.asyncIterator]();
    const pending = [1, 2].map(() => create_task(async () => await iterator.next()));
    await all_blocked();
    sender.send_nowait("delivered to the first");
    assertEquals(await iterator.return?.(), { done: true, value: undefined });
    sender.send_nowait("sent later");
    for (const next of pending) assertEquals((await next).done, true);
    assertEquals((await iterator.next()).done, true);
    assertEquals(await receiver.receive(), "delivered to the first");
    assertEquals(await receiver.receive(), "sent later");
  }));

Deno.test("Receiver iteration: a stream of the host that is destroyed takes no item", () =>
  asyncio.run(async () => {
    const [sender, receiver] = open_channel<string>();
    const stream = Readable.from(receiver);
    stream.on("data", () => {});
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(receiver.statistics().tasks_waiting_receive, 1);
    stream.destroy();
    await asyncio.next_event(stream, "close");
    const next = create_task(receiver.receive());
    await asyncio.wait_for(sender.send("item"), 1);
    assertEquals(await next, "item");
  }));
