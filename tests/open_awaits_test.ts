// Blocks of a task that has many open awaits: each finds its own, without visiting those of all others.

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { CancelScope } from "../structured.ts";
import type { OpenAwait, Scope, TaskCore } from "../src/core/contracts.ts";
import { live_await, OpenAwaits } from "../src/core/open_awaits.ts";
import { add_open_await, next_moment, remove_open_await } from "../src/core/scopes.ts";
import { run as virtually } from "./virtual_time.ts";

const MANY = 100;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A task whose open awaits count how often one is passed from the newest to the oldest. */
class FakeTask {
  visits = 0;
  readonly core = {
    _newest: null,
    _parent: null,
    _begun: 0,
    _resumed: 0,
    get _owner() {
      return this;
    },
  } as unknown as TaskCore;

  begin_block(parent: Scope = this.core): Scope {
    return { _parent: parent, _owner: this.core, _begun: next_moment(), _resumed: 0 } as Scope;
  }

  begin_await(scope: Scope): OpenAwait {
    const count = () => this.visits++;
    let older: OpenAwait | null = null;
    const open = {
      _scope: scope,
      _begun: next_moment(),
      _newer: null,
      get _older() {
        count();
        return older;
      },
      set _older(given) {
        older = given;
      },
    } as unknown as OpenAwait;
    add_open_await(this.core, open);
    return open;
  }

  end_await(open: OpenAwait, index: OpenAwaits): void {
    remove_open_await(this.core, open);
    open._begun = 0;
    index.delete(open);
  }
}

Deno.test("OpenAwaits: many blocks that look for their awaits visit each a few times", () => {
  const visits_of = (count: number): number => {
    const task = new FakeTask();
    const blocks = numbers(count).map(() => task.begin_block());
    const opened = blocks.map((block) => task.begin_await(block));
    const index = new OpenAwaits();
    for (const [place, block] of blocks.entries()) {
      assertEquals(index.of(block), [opened[place]]);
      assertEquals(live_await(block, index), opened[place]);
    }
    return task.visits;
  };
  const few = visits_of(500);
  assert(visits_of(4_000) < 10 * few, "the visits grow by more than the blocks");
});

Deno.test("OpenAwaits: what begins later is found, and what has ended is not", () => {
  const task = new FakeTask();
  const outer = task.begin_block();
  const inner = task.begin_block(outer);
  const beside = task.begin_block();
  const index = new OpenAwaits();
  const first = task.begin_await(inner);
  for (const _ of numbers(MANY)) task.begin_await(beside);
  assertEquals(index.of(outer), [first]);
  const second = task.begin_await(outer);
  for (const _ of numbers(MANY)) task.begin_await(beside);
  assertEquals(index.of(outer), [first, second]);
  assertEquals(index.of(inner), [first]);
  task.end_await(first, index);
  assertEquals(index.of(outer), [second]);
  assertEquals(index.of(inner), []);
  task.end_await(second, index);
  assertEquals(index.of(outer), []);
});

Deno.test("live_await: of many awaits of which none is live each is visited once", () => {
  const task = new FakeTask();
  const block = task.begin_block();
  for (const _ of numbers(MANY)) task.begin_await(block);
  block._resumed = next_moment();
  assertEquals(live_await(task.core), null);
  const visits = task.visits;
  const index = new OpenAwaits();
  assertEquals(live_await(task.core), null);
  assertEquals(live_await(task.core, index, () => true), null);
  assert(task.visits - visits < MANY, `${task.visits - visits} visits`);
  const live = task.begin_await(task.core);
  assertEquals(live_await(task.core, index), live);
  assertEquals(live_await(task.core, index, (open) => open !== live), null);
  assertEquals(live_await(task.core, index), live, "one that does not count is not forgotten");
});

Deno.test("timeout: each of many branches of a task ends at its own limit", () =>
  virtually(async () => {
    const loop = asyncio.get_running_loop();
    const start = loop.time();
    const branch = async (index: number): Promise<number> => {
      const limit = asyncio.timeout(1 + index % 7);
      await asyncio.async_with(limit, () => asyncio.sleep(60)).catch((error) => {
        assert(error instanceof asyncio.TimeoutError);
        assertEquals(
          (error as Error).message,
          `timed out after ${1 + index % 7} s, waiting for sleep()`,
        );
      });
      assert(limit.expired());
      return loop.time() - start;
    };
    const ends = await Promise.all(numbers(MANY).map(branch));
    assertEquals(ends, numbers(MANY).map((index) => 1 + index % 7));
  }));

Deno.test("timeout: of many branches only those in the block are cancelled, also those that have gone on", () =>
  virtually(async () => {
    const log: string[] = [];
    const wait = async (name: string): Promise<void> => {
      try {
        await asyncio.sleep(0.5);
        await asyncio.sleep(10);
        log.push(`${name} ended`);
      } catch (error) {
        assert(error instanceof asyncio.CancelledError);
        log.push(`${name} cancelled`);
      }
    };
    const many = (name: string) => Promise.all(numbers(30).map((index) => wait(name + index)));
    await Promise.all([
      many("around"),
      asyncio.async_with(asyncio.timeout(1), () => many("inside")).catch(() => {}),
      asyncio.async_with(asyncio.timeout(100), () => many("beside")),
    ]);
    const expected = [
      ...numbers(30).map((index) => `inside${index} cancelled`),
      ...numbers(30).map((index) => `around${index} ended`),
      ...numbers(30).map((index) => `beside${index} ended`),
    ];
    // Timers of one moment are in no certain order.
    assertEquals(log.toSorted(), expected.toSorted());
  }));

Deno.test("CancelScope.shield: of many shielded blocks each is told of what was cancelled around it alone", () =>
  virtually(async () => {
    const branch = async (index: number): Promise<string> => {
      const limit = new CancelScope();
      if (index % 2 === 0) asyncio.get_running_loop().call_later(1, () => limit.cancel());
      let inner = "";
      await asyncio.async_with(limit, async () => {
        await asyncio.async_with(new CancelScope({ shield: true }), () => asyncio.sleep(2));
        inner = "shield ended";
        await asyncio.sleep(1);
        inner = "went on";
      });
      return inner;
    };
    const ends = await Promise.all(numbers(MANY).map(branch));
    // The shield's end throws what was kept off, where a wait after it would not.
    assertEquals(
      ends.map((end) => end === "went on"),
      numbers(MANY).map((index) => index % 2 === 1),
    );
  }));

Deno.test("aborted_by: many blocks of one signal have one listener, which the last of them removes", () =>
  virtually(async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let added = 0;
    let removed = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (added++, add(...args));
    signal.removeEventListener = (
      ...args: Parameters<typeof remove>
    ) => (removed++, remove(...args));
    const block = (delay: number) => () =>
      asyncio.async_with(asyncio.aborted_by(signal), () => asyncio.sleep(delay));
    await asyncio.gather(numbers(MANY).map((index) => block(1 + index)));
    assertEquals([added, removed], [1, 1]);
    asyncio.get_running_loop().call_later(1, () => controller.abort("enough"));
    const outcomes = await asyncio.gather(numbers(MANY).map(() => block(10)), {
      return_exceptions: true,
    }) as unknown[];
    assertEquals(outcomes, numbers(MANY).map(() => "enough"));
    assertEquals([added, removed], [2, 2]);
  }));
