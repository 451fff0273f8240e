/** Races about state that several flows of code share. */

import * as asyncio from "../../../mod.ts";
import { expect, type Outside, outside, type Race } from "./race.ts";

/** A race whose broken program consists of promises. */
function of_promises(
  race: Omit<Race, "broken"> & { by_promises: (outside: Outside) => Promise<void> },
): Race {
  return { ...race, broken: () => race.by_promises(outside) };
}

const cache = of_promises({
  name: "check-then-act on a cache",
  about: "Two callers miss the cache and both load; mended by keeping the load that is under way.",
  async by_promises(outside) {
    const cache = new Map<string, string>();
    let loads = 0;
    const get = async (key: string) => {
      await outside(null); // parsing of the request's body
      const known = cache.get(key);
      if (known !== undefined) return known;
      loads++;
      const value = await outside("value");
      cache.set(key, value);
      return value;
    };
    const first = get("a");
    await outside(null);
    await outside(null);
    await outside(null);
    await Promise.all([first, get("a")]);
    expect(loads === 1, `loaded ${loads} times`);
  },
  async fixed() {
    const cache = new Map<string, asyncio.Task<string>>();
    let loads = 0;
    const load = async () => {
      loads++;
      return await outside("value");
    };
    const get = async (key: string) => {
      await outside(null);
      let loading = cache.get(key);
      if (loading === undefined) cache.set(key, loading = asyncio.create_task(load));
      return await loading;
    };
    const first = get("a");
    await outside(null);
    await outside(null);
    await outside(null);
    await Promise.all([first, get("a")]);
    expect(loads === 1, `loaded ${loads} times`);
  },
});

const lost_update = of_promises({
  name: "lost update",
  about: "Two deposits read the same balance; mended by a lock.",
  async by_promises(outside) {
    let balance = 0;
    const deposit = async () => {
      const before = await outside(balance);
      await outside(balance = before + 1);
    };
    const first = deposit();
    for (let i = 0; i < 3; i++) await outside(null);
    await Promise.all([first, deposit()]);
    expect(balance === 2, `the balance is ${balance}`);
  },
  async fixed() {
    let balance = 0;
    const lock = new asyncio.Lock();
    const deposit = async () => {
      using _ = await lock.acquire();
      const before = await outside(balance);
      await outside(balance = before + 1);
    };
    const first = deposit();
    for (let i = 0; i < 3; i++) await outside(null);
    await Promise.all([first, deposit()]);
    expect(balance === 2, `the balance is ${balance}`);
  },
});

const double_close = of_promises({
  name: "double close",
  about: "close() is called again while it flushes; mended by noting the closing before the wait.",
  async by_promises(outside) {
    let is_closed = false;
    let closings = 0;
    const close = async () => {
      if (is_closed) return;
      await outside(null); // flushes
      closings++;
      is_closed = true;
    };
    const by_user = close();
    await outside(null);
    await outside(null);
    await Promise.all([by_user, close()]);
    expect(closings === 1, `closed ${closings} times`);
  },
  async fixed() {
    let closing: asyncio.Task<void> | null = null;
    let closings = 0;
    const close = async () => {
      await (closing ??= asyncio.create_task(async () => {
        await outside(null);
        closings++;
      }));
    };
    const by_user = close();
    await outside(null);
    await outside(null);
    await Promise.all([by_user, close()]);
    expect(closings === 1, `closed ${closings} times`);
  },
});

const stale_answer = of_promises({
  name: "stale answer",
  about: "The answer to the older query comes last and is shown; mended by numbering queries.",
  async by_promises(outside) {
    let shown = "";
    const search = async (text: string) => {
      shown = await outside(text);
    };
    await Promise.all([search("a"), search("ab"), search("abc")]);
    expect(shown === "abc", `the results of ${shown} are shown`);
  },
  async fixed() {
    let shown = "";
    let latest = 0;
    const search = async (text: string) => {
      const number = ++latest;
      const answer = await outside(text);
      if (number === latest) shown = answer;
    };
    await Promise.all([search("a"), search("ab"), search("abc")]);
    expect(shown === "abc", `the results of ${shown} are shown`);
  },
});

const half_made = of_promises({
  name: "use of what is half made",
  about:
    "The object is published before its second part is loaded; mended by publishing at the end.",
  async by_promises(outside) {
    let config: { url?: string } | null = null;
    const start = async () => {
      const made: { url?: string } = config = {};
      made.url = await outside("url");
    };
    const use = async () => {
      while (config === null) await outside(null);
      await outside(null);
      await outside(null);
      expect(config.url !== undefined, "used without its address");
    };
    await Promise.all([start(), use()]);
  },
  async fixed() {
    let config: { url?: string } | null = null;
    const ready = new asyncio.Event();
    const start = async () => {
      config = { url: await outside("url") };
      ready.set();
    };
    const use = async () => {
      await ready.wait();
      await outside(null);
      await outside(null);
      expect(config?.url !== undefined, "used without its address");
    };
    await Promise.all([start(), use()]);
  },
});

const compare_and_set = of_promises({
  name: "compare and set in two steps",
  about: "The version is compared, then written in a later step; mended by one step.",
  async by_promises(outside) {
    const row = { version: 1, writes: 0 };
    const write = async (expected: number) => {
      const { version } = await outside({ ...row });
      if (version !== expected) return;
      await outside(null);
      row.version = expected + 1;
      row.writes++;
    };
    const first = write(1);
    for (let i = 0; i < 4; i++) await outside(null);
    await Promise.all([first, write(1)]);
    expect(row.writes === 1, `version 1 was replaced ${row.writes} times`);
  },
  async fixed() {
    const row = { version: 1, writes: 0 };
    const write = async (expected: number) => {
      await outside(null);
      await outside(null);
      if (row.version !== expected) return;
      row.version = expected + 1;
      row.writes++;
    };
    const first = write(1);
    for (let i = 0; i < 4; i++) await outside(null);
    await Promise.all([first, write(1)]);
    expect(row.writes === 1, `version 1 was replaced ${row.writes} times`);
  },
});

const mutated_while_iterated = of_promises({
  name: "mutated while iterated",
  about: "A member leaves while a broadcast waits for another; mended by looking again.",
  async by_promises(outside) {
    const members = ["a", "b", "c"];
    const received: string[] = [];
    const broadcast = async () => {
      for (let i = 0; i < members.length; i++) {
        received.push(members[i]!);
        await outside(null);
      }
    };
    const leave = async () => {
      for (let i = 0; i < 5; i++) await outside(null);
      members.splice(0, 1);
    };
    await Promise.all([broadcast(), leave()]);
    expect(received.includes("c"), `only ${received} received it`);
    expect(received.includes("b"), `only ${received} received it`);
  },
  async fixed() {
    const members = ["a", "b", "c"];
    const received: string[] = [];
    const broadcast = async () => {
      for (const member of [...members]) {
        if (members.includes(member)) received.push(member);
        await outside(null);
      }
    };
    const leave = async () => {
      for (let i = 0; i < 5; i++) await outside(null);
      members.splice(0, 1);
    };
    await Promise.all([broadcast(), leave()]);
    expect(received.includes("c"), `only ${received} received it`);
    expect(received.includes("b"), `only ${received} received it`);
  },
});

const counted_down_early = of_promises({
  name: "counted down early",
  about: "Work that spawns work is done before that is counted; mended by counting first.",
  async by_promises(outside) {
    let in_flight = 0;
    let finished = false;
    const work = async (depth: number): Promise<void> => {
      in_flight++;
      await outside(null);
      in_flight--;
      if (in_flight === 0) finished = true;
      if (depth === 0) return;
      await outside(null);
      expect(!finished, "finished with work left");
      await work(depth - 1);
    };
    const other = async () => {
      in_flight++;
      for (let i = 0; i < 3; i++) await outside(null);
      in_flight--;
    };
    await Promise.all([other(), work(1)]);
  },
  async fixed() {
    let in_flight = 0;
    let finished = false;
    const work = async (depth: number): Promise<void> => {
      in_flight++;
      await outside(null);
      if (depth > 0) {
        await outside(null);
        expect(!finished, "finished with work left");
        await work(depth - 1);
      }
      in_flight--;
      if (in_flight === 0) finished = true;
    };
    const other = async () => {
      in_flight++;
      for (let i = 0; i < 3; i++) await outside(null);
      in_flight--;
    };
    await Promise.all([other(), work(1)]);
  },
});

export const STATE_RACES: readonly Race[] = [
  cache,
  lost_update,
  double_close,
  stale_answer,
  half_made,
  compare_and_set,
  mutated_while_iterated,
  counted_down_early,
];
