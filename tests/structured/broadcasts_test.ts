/** Broadcasts: every subscriber gets every item, and the three policies for those that are slow. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  BrokenChannelError,
  ClosedResourceError,
  EndOfChannel,
  open_broadcast,
  type Subscription,
  WouldBlock,
} from "../../structured.ts";
import { all_blocked, run } from "./clock.ts";

const { async_with, create_task, TaskGroup } = asyncio;

function rest<T>(subscription: Subscription<T>): T[] {
  const items: T[] = [];
  for (;;) {
    try {
      items.push(subscription.receive_nowait());
    } catch (error) {
      if (error instanceof WouldBlock) return items;
      throw error;
    }
  }
}

Deno.test("Broadcast.send: every subscriber gets every item in order, and the end", () =>
  run(async () => {
    for (const max_buffer of [0, 1, 2]) {
      const news = open_broadcast<number>({ max_buffer });
      const seen: number[][] = [[], [], []];
      await async_with(new TaskGroup(), async (group) => {
        for (const [index, items] of seen.entries()) {
          group.create_task(async () => {
            using subscription = news.subscribe();
            for await (const item of subscription) {
              items.push(item);
              await asyncio.sleep(index);
            }
          });
        }
        await all_blocked();
        for (const item of [1, 2, 3, 4]) await news.send(item);
        news.close();
      });
      assertEquals(seen, Array(3).fill([1, 2, 3, 4]));
      await assertRejects(async () => await news.send(5), ClosedResourceError);
      assertThrows(() => news.subscribe(), ClosedResourceError);
    }
  }));

Deno.test("Broadcast.send: waits for the slowest, and a subscriber that leaves is not waited for", () =>
  run(async () => {
    const news = open_broadcast<number>();
    const [quick, slow] = [news.subscribe(), news.subscribe()];
    await news.send(1);
    const sending = create_task(news.send(2));
    await all_blocked();
    assertThrows(() => news.send_nowait(3), WouldBlock);
    assertEquals([rest(quick), news.statistics().tasks_waiting_send], [[1], 1]);
    await all_blocked();
    assertEquals(sending.done(), false);
    slow.close();
    await sending;
    assertEquals([rest(quick), news.statistics().subscribers], [[2], 1]);
  }));

Deno.test("Broadcast.send: cancelled, the item reaches no subscriber or all of them", () =>
  run(async () => {
    const news = open_broadcast<number>();
    const [one, other] = [news.subscribe(), news.subscribe()];
    await news.send(1);
    rest(one);
    const cancelled = create_task(news.send(2));
    await all_blocked();
    cancelled.cancel();
    await asyncio.wait([cancelled]);
    assertEquals([rest(one), rest(other)], [[], [1]]);
    await news.send(3);
    rest(one);
    let sent = false;
    const late = create_task(async () => {
      await news.send(4);
      sent = true;
      await asyncio.sleep(60);
    });
    await all_blocked();
    assertEquals(other.receive_nowait(), 3); // now it is delivered
    late.cancel();
    await asyncio.wait([late]);
    assertEquals([sent, rest(one), rest(other)], [true, [4], [4]]);
  }));

Deno.test("Broadcast.send: with drop_oldest the slow lose the oldest, and never wait", () =>
  run(async () => {
    const news = open_broadcast<number>({ max_buffer: 2, overflow: "drop_oldest" });
    const slow = news.subscribe();
    for (const item of [1, 2, 3, 4, 5]) await news.send(item);
    assertEquals([rest(slow), slow.dropped], [[4, 5], 3]);
  }));

Deno.test("Broadcast.send: with drop_oldest the newest stays, also after a cancelled receive()", () =>
  run(async () => {
    const news = open_broadcast<number>({ max_buffer: 1, overflow: "drop_oldest" });
    const subscription = news.subscribe();
    const receiving = create_task(subscription.receive());
    await all_blocked();
    news.send_nowait(1);
    news.send_nowait(2);
    receiving.cancel();
    await asyncio.wait([receiving]);
    assertEquals(subscription.statistics().current_buffer_used, 2);
    news.send_nowait(3);
    assertEquals([rest(subscription), subscription.dropped], [[3], 2]);
  }));

Deno.test("Broadcast.send: with fail the slow get what they have, and then an error", () =>
  run(async () => {
    const news = open_broadcast<number>({ max_buffer: 2, overflow: "fail" });
    const [slow, quick] = [news.subscribe(), news.subscribe()];
    const seen: number[] = [];
    for (const item of [1, 2, 3]) {
      news.send_nowait(item);
      seen.push(quick.receive_nowait());
    }
    assertEquals(seen, [1, 2, 3]);
    assertEquals([await slow.receive(), await slow.receive()], [1, 2]);
    await assertRejects(async () => await slow.receive(), BrokenChannelError, "2 items behind");
    news.close();
    await assertRejects(async () => await quick.receive(), EndOfChannel);
  }));

Deno.test("Subscription.clone: the subscription ends when the last of them is closed, in any order", () =>
  run(async () => {
    for (const first of [0, 1]) {
      const news = open_broadcast<number>();
      const subscription = news.subscribe();
      const ends = [subscription, subscription.clone()];
      await news.send(1);
      const sending = create_task(news.send(2));
      await all_blocked();
      ends[first]!.close();
      await all_blocked();
      assertEquals([sending.done(), news.statistics().subscribers], [false, 1]);
      ends[1 - first]!.close();
      await sending;
      assertEquals(news.statistics().subscribers, 0);
      await news.send(3);
    }
  }));

Deno.test("Broadcast.close: ends the senders that wait", () =>
  run(async () => {
    const news = open_broadcast<number>();
    const subscription = news.subscribe();
    await news.send(1);
    const sending = create_task(news.send(2));
    await all_blocked();
    news.close();
    await assertRejects(async () => await sending, ClosedResourceError);
    assertEquals(await subscription.receive(), 1);
    await assertRejects(async () => await subscription.receive(), EndOfChannel);
  }));

Deno.test("open_broadcast: refuses what makes no sense", () => {
  assertThrows(() => open_broadcast({ overflow: "drop" } as never), TypeError, "'drop'");
  assertThrows(() => open_broadcast({ size: 1 } as never), TypeError, "size");
  assertThrows(
    () => open_broadcast({ max_buffer: 0, overflow: "fail" }),
    asyncio.ValueError,
    "needs a buffer",
  );
});
