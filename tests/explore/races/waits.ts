/** Races about locks, notifications, limits of time and cancellation. */

// deno-lint-ignore-file require-await -- callbacks whose parameter is async

import * as asyncio from "../../../mod.ts";
import { expect, outside, type Race } from "./race.ts";

const lock_order: Race = {
  name: "lock order",
  about: "Two tasks take two locks in opposite orders; mended by one order.",
  broken: () => transfer_both_ways(false),
  fixed: () => transfer_both_ways(true),
};

async function transfer_both_ways(in_order: boolean): Promise<void> {
  const accounts = [new asyncio.Lock(), new asyncio.Lock()] as const;
  const transfer = (from: number, to: number) => async () => {
    const [first, second] = in_order && from > to ? [to, from] : [from, to];
    using _first = await accounts[first]!.acquire();
    await outside(null);
    using _second = await accounts[second]!.acquire();
    await outside(null);
  };
  const one = asyncio.create_task(transfer(0, 1), { name: "one" });
  for (let i = 0; i < 3; i++) await outside(null);
  await asyncio.gather(one, asyncio.create_task(transfer(1, 0), { name: "other" }));
}

const missed_notification: Race = {
  name: "missed notification",
  about: "The flag is looked at outside of the lock, then waited for; mended by wait_for().",
  async broken() {
    const condition = new asyncio.Condition();
    let is_ready = false;
    const consumer = async () => {
      if (is_ready) return;
      await outside(null); // says in a log that it waits
      await asyncio.async_with(condition, () => condition.wait());
    };
    await asyncio.gather(consumer, async () => {
      for (let i = 0; i < 3; i++) await outside(null);
      is_ready = true;
      await asyncio.async_with(condition, async () => condition.notify_all());
    });
  },
  async fixed() {
    const condition = new asyncio.Condition();
    let is_ready = false;
    const consumer = async () => {
      if (is_ready) return;
      await outside(null);
      await asyncio.async_with(condition, () => condition.wait_for(() => is_ready));
    };
    await asyncio.gather(consumer, async () => {
      for (let i = 0; i < 3; i++) await outside(null);
      is_ready = true;
      await asyncio.async_with(condition, async () => condition.notify_all());
    });
  },
};

const first_end: Race = {
  name: "the first end ends all",
  about: "The consumer stops at the end of one of two producers; mended by counting the ends.",
  broken: () => consume_from_two(1),
  fixed: () => consume_from_two(2),
};

async function consume_from_two(ends_awaited: number): Promise<void> {
  const queue = new asyncio.Queue<number | null>();
  const received: number[] = [];
  const produce = async (items: readonly number[]) => {
    for (const item of items) {
      await outside(null);
      await queue.put(item);
    }
    await outside(null);
    await queue.put(null);
  };
  const consume = async () => {
    for (let ends = 0; ends < ends_awaited;) {
      const item = await queue.get();
      if (item === null) ends++;
      else received.push(item);
    }
  };
  await asyncio.gather(() => produce([1]), () => produce([2]), async () => {
    await outside(null);
    await outside(null);
    await outside(null);
    await consume();
  });
  expect(received.length === 2, `only ${received} were received`);
}

const put_after_close: Race = {
  name: "put after the close",
  about:
    "A producer looks whether the queue is open, waits, and puts; mended by counting producers.",
  async broken() {
    const items: number[] = [];
    let is_open = true;
    let saved = 0;
    const produce = async (item: number) => {
      if (!is_open) return;
      await outside(null); // checks the item
      items.push(item);
    };
    const close = async () => {
      for (let i = 0; i < 2; i++) await outside(null);
      is_open = false;
      saved = items.length;
    };
    await asyncio.gather(() => produce(1), close);
    expect(saved === items.length, "an item was put after the last was saved");
  },
  async fixed() {
    const items: number[] = [];
    const producers: asyncio.Task<void>[] = [];
    let saved = 0;
    const produce = async (item: number) => {
      await outside(null);
      items.push(item);
    };
    const close = async () => {
      for (let i = 0; i < 2; i++) await outside(null);
      await asyncio.wait(producers);
      saved = items.length;
    };
    producers.push(asyncio.create_task(() => produce(1)));
    await close();
    expect(saved === items.length, "an item was put after the last was saved");
  },
};

const doubled_retry: Race = {
  name: "retry that doubles an effect",
  about: "A payment is made again after a time limit, though it was made; mended by a key.",
  broken: () => pay(false),
  fixed: () => pay(true),
  options: { delay: 2 },
};

async function pay(is_keyed: boolean): Promise<void> {
  const payments = new Set<number>();
  let requests = 0;
  const charge = async () => {
    const key = is_keyed ? 1 : ++requests;
    payments.add(key);
    await outside(null);
  };
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await asyncio.wait_for(charge, 1);
      break;
    } catch (error) {
      if (!(error instanceof asyncio.TimeoutError)) throw error;
    }
  }
  expect(payments.size === 1, `${payments.size} payments`);
}

const leaked_permit: Race = {
  name: "leaked permit",
  about: "Cancelled between acquire() and try; mended by `using`.",
  async broken() {
    const permits = new asyncio.Semaphore(1);
    const work = async () => {
      await permits.acquire();
      await outside(null); // says in a log that it begins
      try {
        await outside(null);
      } finally {
        permits.release();
      }
    };
    await asyncio.wait([asyncio.create_task(work), asyncio.create_task(work)]);
    await permits.acquire();
  },
  async fixed() {
    const permits = new asyncio.Semaphore(1);
    const work = async () => {
      using _ = await permits.acquire();
      await outside(null);
      await outside(null);
    };
    await asyncio.wait([asyncio.create_task(work), asyncio.create_task(work)]);
    await permits.acquire();
  },
  options: { faults: { cancel: 1 } },
};

const lost_item: Race = {
  name: "item lost by a cancellation",
  about: "Cancelled after get() and before the item is processed; mended by putting it back.",
  async broken() {
    const queue = new asyncio.Queue<number>();
    const done: number[] = [];
    const worker = async () => {
      while (true) {
        const item = await queue.get();
        await outside(null);
        done.push(item);
      }
    };
    const workers = [asyncio.create_task(worker), asyncio.create_task(worker)];
    for (const item of [1, 2, 3]) await queue.put(item);
    await asyncio.sleep(10);
    for (const task of workers) task.cancel();
    await asyncio.wait(workers);
    expect(done.length + queue.qsize() === 3, `item lost: ${done}`);
  },
  async fixed() {
    const queue = new asyncio.Queue<number>();
    const done: number[] = [];
    const worker = async () => {
      while (true) {
        const item = await queue.get();
        try {
          await outside(null);
        } catch (error) {
          queue.put_nowait(item);
          throw error;
        }
        done.push(item);
      }
    };
    const workers = [asyncio.create_task(worker), asyncio.create_task(worker)];
    for (const item of [1, 2, 3]) await queue.put(item);
    await asyncio.sleep(10);
    for (const task of workers) task.cancel();
    await asyncio.wait(workers);
    expect(done.length + queue.qsize() === 3, `item lost: ${done}`);
  },
  options: { faults: { cancel: 1, may_cancel: (task) => task.get_name() !== "main" } },
};

const timer_fires_anyway: Race = {
  name: "timer that fires anyway",
  about: "A debounced save is replaced while the old one has begun; mended by one save at a time.",
  async broken() {
    let saving = 0;
    let most = 0;
    let timer: asyncio.Task<void> | null = null;
    const tasks: asyncio.Task<void>[] = [];
    const save = async () => {
      saving++;
      most = Math.max(most, saving);
      await outside(null);
      saving--;
    };
    let is_saving = false;
    const edit = () => {
      if (timer !== null && !is_saving) timer.cancel();
      timer = asyncio.create_task(async () => {
        await asyncio.sleep(0.1);
        is_saving = true;
        await save();
        is_saving = false;
      });
      tasks.push(timer);
    };
    edit();
    await asyncio.sleep(0.1);
    edit();
    await asyncio.wait(tasks);
    expect(most === 1, "two saves at the same time");
  },
  async fixed() {
    const lock = new asyncio.Lock();
    let saving = 0;
    let most = 0;
    const tasks: asyncio.Task<void>[] = [];
    const save = async () => {
      using _ = await lock.acquire();
      saving++;
      most = Math.max(most, saving);
      await outside(null);
      saving--;
    };
    const edit = () => {
      tasks.push(asyncio.create_task(async () => {
        await asyncio.sleep(0.1);
        await save();
      }));
    };
    edit();
    await asyncio.sleep(0.1);
    edit();
    await asyncio.wait(tasks);
    expect(most === 1, "two saves at the same time");
  },
  options: { delay: 0.5 },
};

const late_result: Race = {
  name: "result at the limit",
  about: "The connection comes as the limit passes, and is dropped; mended by closing it.",
  broken: () => connect_with_limit(false),
  fixed: () => connect_with_limit(true),
  options: { delay: 2 },
};

async function connect_with_limit(closes: boolean): Promise<void> {
  let open = 0;
  const connect = async () => {
    await outside(null);
    open++;
    try {
      await outside(null); // the handshake
    } catch (error) {
      if (closes) open--;
      throw error;
    }
  };
  let taken = 0;
  try {
    await asyncio.wait_for(connect, 1);
    taken++;
  } catch (error) {
    if (!(error instanceof asyncio.TimeoutError)) throw error;
  }
  expect(open === taken, "a connection is open that nobody has");
}

export const WAIT_RACES: readonly Race[] = [
  lock_order,
  missed_notification,
  first_end,
  put_after_close,
  doubled_retry,
  leaked_permit,
  lost_item,
  timer_fires_anyway,
  late_result,
];
