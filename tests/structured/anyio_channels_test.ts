/**
 * AnyIO's tests of memory object streams (`tests/streams/test_memory.py`), where they make sense here.
 * docs/structured.md lists what differs, and why.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  BrokenChannelError,
  CancelScope,
  ClosedResourceError,
  EndOfChannel,
  open_channel,
  type Receiver,
  type Sender,
  WouldBlock,
} from "../../structured.ts";
import { all_blocked, errors_of, run } from "./clock.ts";

const { async_with, TaskGroup } = asyncio;

const TESTS: Record<string, () => Promise<void>> = {
  async test_invalid_max_buffer() {
    assertThrows(() => open_channel("1" as never), TypeError, "max_buffer");
    assertThrows(() => open_channel(1.5), asyncio.ValueError, "max_buffer must be an integer");
    await Promise.resolve();
  },

  async test_negative_max_buffer() {
    assertThrows(() => open_channel(-1), asyncio.ValueError, "received -1");
    await Promise.resolve();
  },

  async test_receive_then_send() {
    const [sender, receiver] = open_channel<string>(0);
    const received: string[] = [];
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        received.push(await receiver.receive());
        received.push(await receiver.receive());
      });
      await all_blocked();
      await sender.send("hello");
      await sender.send("anyio");
    });
    assertEquals(received, ["hello", "anyio"]);
  },

  async test_receive_then_send_nowait() {
    const [sender, receiver] = open_channel<string>(0);
    const received: string[] = [];
    await async_with(new TaskGroup(), async (group) => {
      for (let task = 0; task < 2; task++) {
        group.create_task(async () => received.push(await receiver.receive()));
      }
      await all_blocked();
      sender.send_nowait("hello");
      sender.send_nowait("anyio");
    });
    assertEquals(received, ["hello", "anyio"]);
  },

  async test_send_then_receive_nowait() {
    const [sender, receiver] = open_channel<string>(0);
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(sender.send("hello"));
      await all_blocked();
      assertEquals(receiver.receive_nowait(), "hello");
    });
  },

  async test_send_is_unblocked_after_receive_nowait() {
    const [sender, receiver] = open_channel<string>(1);
    sender.send_nowait("hello");
    await async_with(asyncio.timeout(1), () =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(sender.send("anyio"));
        await all_blocked();
        assertEquals(receiver.receive_nowait(), "hello");
      }));
    assertEquals(receiver.receive_nowait(), "anyio");
  },

  async test_send_nowait_then_receive_nowait() {
    const [sender, receiver] = open_channel<string>(2);
    sender.send_nowait("hello");
    sender.send_nowait("anyio");
    assertEquals([receiver.receive_nowait(), receiver.receive_nowait()], ["hello", "anyio"]);
    await Promise.resolve();
  },

  async test_iterate() {
    const [sender, receiver] = open_channel<string>();
    const received: string[] = [];
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        for await (const item of receiver) received.push(item);
      });
      await sender.send("hello");
      await sender.send("anyio");
      sender.close();
    });
    assertEquals(received, ["hello", "anyio"]);
  },

  async test_receive_send_closed_send_stream() {
    const [sender, receiver] = open_channel<null>();
    sender.close();
    assertThrows(() => receiver.receive_nowait(), EndOfChannel);
    await assertRejects(async () => await sender.send(null), ClosedResourceError);
  },

  async test_receive_send_closed_receive_stream() {
    const [sender, receiver] = open_channel<null>();
    receiver.close();
    assertThrows(() => receiver.receive_nowait(), ClosedResourceError);
    await assertRejects(async () => await sender.send(null), BrokenChannelError);
  },

  async test_cancel_receive() {
    const [sender, receiver] = open_channel<string>();
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(receiver.receive());
      await all_blocked();
      group.cancel();
    });
    assertThrows(() => sender.send_nowait("hello"), WouldBlock);
  },

  async test_cancel_send() {
    const [sender, receiver] = open_channel<string>();
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(sender.send("hello"));
      await all_blocked();
      group.cancel();
    });
    assertThrows(() => receiver.receive_nowait(), WouldBlock);
  },

  async test_clone() {
    const [sender, receiver] = open_channel<string>(1);
    const [sender2, receiver2] = [sender.clone(), receiver.clone()];
    sender.close();
    receiver.close();
    sender2.send_nowait("hello");
    assertEquals(receiver2.receive_nowait(), "hello");
    await Promise.resolve();
  },

  async test_clone_closed() {
    const [sender, receiver] = open_channel<never>(1);
    sender.close();
    receiver.close();
    assertThrows(() => sender.clone(), ClosedResourceError);
    assertThrows(() => receiver.clone(), ClosedResourceError);
    await Promise.resolve();
  },

  async test_close_send_while_receiving() {
    const [sender, receiver] = open_channel<never>(1);
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(receiver.receive());
      await all_blocked();
      sender.close();
    }));
    assert(errors.length === 1 && errors[0] instanceof EndOfChannel);
  },

  async test_close_receive_while_sending() {
    const [sender, receiver] = open_channel<null>(0);
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(sender.send(null));
      await all_blocked();
      receiver.close();
    }));
    assert(errors.length === 1 && errors[0] instanceof BrokenChannelError);
  },

  async test_receive_after_send_closed() {
    const [sender, receiver] = open_channel<string>(1);
    await sender.send("hello");
    sender.close();
    assertEquals(await receiver.receive(), "hello");
  },

  async test_receive_when_cancelled() {
    const [sender, receiver] = open_channel<string>();
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(sender.send("hello"));
      group.create_task(sender.send("world"));
      await all_blocked();
      await async_with(new CancelScope({ level: true }), async (scope) => {
        scope.cancel();
        await asyncio.sleep(0); // here receive() need not wait, and would go through
        await receiver.receive();
      });
      assertEquals([await receiver.receive(), await receiver.receive()], ["hello", "world"]);
    });
  },

  async test_cancel_during_receive() {
    const [sender, receiver] = open_channel<string>();
    const received: string[] = [];
    await async_with(new TaskGroup(), async (group) => {
      const scope = await group.start(async (status: asyncio.TaskStatus<CancelScope>) => {
        await async_with(new CancelScope(), async (scope) => {
          status.started(scope);
          received.push(await receiver.receive());
        });
      });
      await all_blocked();
      sender.send_nowait("hello");
      scope.cancel();
    });
    // AnyIO's task receives it all the same; here the cancellation is thrown, and the item is still there.
    assertEquals([received, receiver.receive_nowait()], [[], "hello"]);
  },

  async test_cancel_during_receive_buffered() {
    const [sender, receiver] = open_channel<string>(1);
    await async_with(new TaskGroup(), async (group) => {
      const scope = await group.start(async (status: asyncio.TaskStatus<CancelScope>) => {
        await async_with(new CancelScope(), async (scope) => {
          status.started(scope);
          await receiver.receive();
        });
      });
      await all_blocked();
      scope.cancel();
      sender.send_nowait("item");
    });
    assertEquals(receiver.receive_nowait(), "item");
  },

  async test_close_receive_after_send() {
    const [sender, receiver] = open_channel<string>();
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        using _ = sender;
        await sender.send("test");
      });
      group.create_task(async () => {
        using _ = receiver;
        assertEquals(await receiver.receive(), "test");
      });
      await Promise.resolve();
    });
  },

  async test_statistics() {
    const [sender, receiver] = open_channel<null>(1);
    for (const end of [sender, receiver] as (Sender<null> | Receiver<null>)[]) {
      assertEquals(end.statistics(), {
        max_buffer_size: 1,
        current_buffer_used: 0,
        open_send_streams: 1,
        open_receive_streams: 1,
        tasks_waiting_send: 0,
        tasks_waiting_receive: 0,
      });
      await async_with(new TaskGroup(), async (group) => {
        sender.send_nowait(null);
        for (let task = 0; task < 3; task++) group.create_task(sender.send(null));
        await all_blocked();
        for (let left = 3; left > 0; left--) {
          assertEquals(end.statistics().tasks_waiting_send, left);
          receiver.receive_nowait();
          assertEquals(end.statistics().current_buffer_used, 1);
        }
        receiver.receive_nowait();
        group.create_task(receiver.receive());
        await all_blocked();
        assertEquals(end.statistics().tasks_waiting_receive, 1);
        sender.send_nowait(null);
        assertEquals(end.statistics().tasks_waiting_receive, 0);
      });
    }
  },

  async test_sync_close() {
    const [sender, receiver] = open_channel<null>(1);
    {
      using _sender = sender;
      using _receiver = receiver;
    }
    assertThrows(() => sender.send_nowait(null), ClosedResourceError);
    assertThrows(() => receiver.receive_nowait(), ClosedResourceError);
    await Promise.resolve();
  },

  async test_send_to_natively_cancelled_receiver() {
    const [sender, receiver] = open_channel<string>(1);
    const task = asyncio.create_task(receiver.receive());
    await all_blocked();
    task.cancel();
    sender.send_nowait("hello");
    await assertRejects(async () => await task, asyncio.CancelledError);
    assertEquals(receiver.receive_nowait(), "hello");
  },
};

for (const [name, test] of Object.entries(TESTS)) {
  Deno.test(`open_channel as AnyIO's: ${name}`, () => run(test));
}
