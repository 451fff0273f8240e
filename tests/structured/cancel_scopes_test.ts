/** Cancel scopes: cancelling, deadlines, shields, levels, and beside the cancellations of CPython. */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  CancelScope,
  current_effective_deadline,
  fail_after,
  fail_at,
  move_on_after,
  move_on_at,
  open_channel,
} from "../../structured.ts";
import { errors_of, now, run } from "./clock.ts";

const { async_with, sleep, TaskGroup } = asyncio;

/** Runs a clean-up that nothing from outside reaches. */
const shielded = (body: () => PromiseLike<unknown>) =>
  async_with(new CancelScope({ shield: true }), body);

Deno.test("CancelScope.cancel: ends the block, swallows its own error and takes its request back", () =>
  run(async () => {
    const log: string[] = [];
    const scope = new CancelScope();
    asyncio.get_running_loop().call_later(1, () => scope.cancel("enough"));
    const result = await async_with(scope, async () => {
      try {
        await sleep(60);
      } catch (error) {
        log.push(String(error));
        throw error;
      }
      return "never";
    });
    assertEquals(result, undefined);
    assertEquals([now(), log], [1, ["CancelledError: enough"]]);
    assertEquals([scope.cancel_called, scope.cancelled_caught], [true, true]);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
    await sleep(1);
  }));

Deno.test("CancelScope: a block that ends by itself gives its result, and a late cancel() does nothing", () =>
  run(async () => {
    const scope = new CancelScope({ deadline: 10 });
    assertEquals(await async_with(scope, () => sleep(1, "done")), "done");
    scope.cancel();
    await sleep(20);
    assertEquals([scope.cancel_called, scope.cancelled_caught], [false, false]);
  }));

Deno.test("CancelScope: other errors leave the block, also when it is cancelled", () =>
  run(async () => {
    const scope = new CancelScope();
    await assertRejects(
      async () =>
        await async_with(scope, async () => {
          scope.cancel();
          await sleep(1).catch(() => {
            throw new TypeError("clean-up");
          });
        }),
      TypeError,
      "clean-up",
    );
    assertEquals([scope.cancel_called, scope.cancelled_caught], [true, false]);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("CancelScope: is used once, by a task", async () => {
  await run(async () => {
    const scope = new CancelScope();
    await async_with(scope, async () => {});
    await assertRejects(async () => await async_with(scope, async () => {}), asyncio.RuntimeError);
    const shielded = new CancelScope({ shield: true });
    await assertRejects(async () => await shielded.__aenter__(), asyncio.RuntimeError, "by hand");
  });
});

Deno.test("CancelScope.deadline: one that is past at the start cancels the first wait, code before it runs", () =>
  run(async () => {
    for (const deadline of [-Infinity, -1, 0]) {
      const log: string[] = [];
      const scope = new CancelScope({ deadline });
      await async_with(scope, async () => {
        log.push("begun");
        await sleep(0);
        log.push("waited");
      });
      assertEquals([log, scope.cancelled_caught, now()], [["begun"], true, 0]);
    }
    await assertRejects(
      async () => await async_with(fail_after(-1), () => sleep(0)),
      asyncio.TimeoutError,
    );
  }));

Deno.test("CancelScope: refuses unknown options and values of a wrong type", () => {
  assertThrows(() => new CancelScope({ shields: true } as never), TypeError, "shields");
  assertThrows(() => new CancelScope({ deadline: "soon" } as never), TypeError, "'soon'");
  assertThrows(() => new CancelScope({ deadline: NaN }), asyncio.ValueError);
  assertThrows(() => new CancelScope({ level: 1 } as never), TypeError, "level");
  assertThrows(() => move_on_at("x" as never), TypeError, "move_on_at");
});

Deno.test("CancelScope.deadline: can be moved, to the past too; Infinity is none", () =>
  run(async () => {
    const scope = new CancelScope({ deadline: 5 });
    await async_with(scope, async () => {
      scope.deadline = 10;
      await sleep(7);
      scope.deadline = Infinity;
      await sleep(20);
      scope.deadline = now() - 1;
      assertEquals(scope.cancel_called, true);
      await sleep(60);
    });
    assertEquals([now(), scope.cancelled_caught], [27, true]);
  }));

Deno.test("CancelScope: cancelled during a native wait it is late and not silent", () =>
  asyncio.run(async () => {
    const scope = new CancelScope();
    const result = await async_with(scope, async () => {
      await new Promise<void>((resolve) =>
        setTimeout(() => {
          scope.cancel();
          setTimeout(resolve, 5);
        }, 5)
      );
      return "value";
    });
    assertEquals([result, scope.cancelled_caught], [undefined, true]);
  }));

Deno.test("CancelScope.cancel: its own code goes on to the next wait", () =>
  run(async () => {
    const scope = new CancelScope();
    const result = await async_with(scope, async () => {
      scope.cancel();
      await new asyncio.Lock().acquire(); // need not wait
      return "done";
    });
    assertEquals([result, scope.cancelled_caught], ["done", false]);
    await sleep(0);
  }));

Deno.test("CancelScope.cancel: reaches every branch of the block and no branch beside it", () =>
  run(async () => {
    const scope = new CancelScope();
    const log: string[] = [];
    const nap = (name: string, seconds: number) => sleep(seconds).finally(() => log.push(name));
    asyncio.get_running_loop().call_later(1, () => scope.cancel());
    await Promise.all([
      async_with(scope, () => Promise.all([nap("one", 60), nap("two", 60)])),
      nap("beside", 2),
    ]);
    assertEquals([log, now()], [["one", "two", "beside"], 2]);
  }));

Deno.test("CancelScope: a cancellation from outside leaves it, alone or beside its own", () =>
  run(async () => {
    for (const also of [false, true]) {
      const scope = new CancelScope();
      const task = asyncio.create_task(async () => {
        await async_with(scope, () => sleep(60));
        throw new Error("not cancelled");
      });
      await sleep(1);
      task.cancel("outer");
      if (also) scope.cancel("inner");
      await asyncio.wait([task]);
      assert(task.cancelled());
      assertEquals([scope.cancelled_caught, task.cancelling()], [false, 1]);
    }
  }));

Deno.test("CancelScope: what is cancelled inside a scope for good does not end at an inner one", () =>
  run(async () => {
    const outer = new CancelScope();
    const inner = new CancelScope();
    await async_with(outer, async () => {
      await async_with(inner, async () => {
        outer.cancel();
        inner.cancel();
        await sleep(60);
      });
      throw new Error("the outer cancellation is lost");
    });
    assertEquals([inner.cancelled_caught, outer.cancelled_caught], [false, true]);
  }));

Deno.test("CancelScope: a clean-up after task.cancel() may have a scope of its own", () =>
  run(async () => {
    const cleaned = new CancelScope();
    const task = asyncio.create_task(async () => {
      try {
        await sleep(60);
      } finally {
        cleaned.deadline = now() + 2;
        await async_with(cleaned, () => sleep(60));
      }
    });
    await sleep(1);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([task.cancelled(), cleaned.cancelled_caught, now()], [true, true, 3]);
  }));

Deno.test("CancelScope: beside timeout() in both orders, the one that was first decides", () =>
  run(async () => {
    const outer = move_on_after(1);
    await async_with(outer, () => async_with(asyncio.timeout(2), () => sleep(60)));
    assertEquals([outer.cancelled_caught, now()], [true, 1]);
    const inner = move_on_after(2);
    await assertRejects(
      async () => await async_with(asyncio.timeout(1), () => async_with(inner, () => sleep(60))),
      asyncio.TimeoutError,
    );
    assertEquals([inner.cancelled_caught, now()], [false, 2]);
    const both = move_on_after(1);
    await assertRejects(
      async () => await async_with(asyncio.timeout(1), () => async_with(both, () => sleep(60))),
      asyncio.TimeoutError,
    );
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("CancelScope: a group inside is cancelled with its tasks", () =>
  run(async () => {
    const log: string[] = [];
    await async_with(move_on_after(1), () =>
      async_with(new TaskGroup(), async (group) => {
        for (const name of ["a", "b"]) {
          group.create_task(() => sleep(60).finally(() => log.push(name)));
        }
        await sleep(0);
      }));
    assertEquals([log, now()], [["a", "b"], 1]);
  }));

Deno.test("CancelScope.shield: nothing from outside reaches the block, all of it comes after", () =>
  run(async () => {
    const outsides: Record<string, (body: () => Promise<unknown>) => PromiseLike<unknown>> = {
      scope: (body) => async_with(move_on_after(1), body),
      timeout: (body) => async_with(asyncio.timeout(1), body),
      wait_for: (body) => asyncio.wait_for(body, 1),
      group: (body) =>
        async_with(new TaskGroup(), async (group) => {
          group.create_task(async () => {
            await sleep(1);
            throw new Error("sibling");
          });
          await body();
        }),
      "a group's task": (body) =>
        async_with(new TaskGroup(), async (group) => {
          group.create_task(body);
          await sleep(1);
          throw new Error("block");
        }),
      task: async (body) => {
        const task = asyncio.create_task(body);
        await sleep(1);
        assertEquals(task.cancel(), true);
        await asyncio.wait([task]);
        assert(task.cancelled());
      },
    };
    for (const [name, enter] of Object.entries(outsides)) {
      const start = now();
      let shielded = 0;
      let after = "not reached";
      try {
        await enter(async () => {
          await async_with(new CancelScope({ shield: true }), () => sleep(3));
          shielded = now() - start;
          try {
            await sleep(60);
          } catch (error) {
            after = (error as Error).name;
            throw error;
          }
        });
      } catch { /* as the manager has it */ }
      assertEquals([name, shielded, after, now() - start], [name, 3, "CancelledError", 3]);
      assertEquals(asyncio.current_task()?.cancelling(), 0);
    }
  }));

Deno.test("CancelScope.shield: a native wait inside is left alone, and its abort signal too", () =>
  run(async () => {
    let aborted = false;
    const task = asyncio.create_task(async () => {
      await async_with(
        new CancelScope({ shield: true }),
        () =>
          asyncio.from_promise((signal) =>
            new Promise<void>((resolve) => {
              signal.addEventListener("abort", () => aborted = true);
              setTimeout(resolve, 20);
            })
          ),
      );
      await sleep(60);
    });
    await sleep(0);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([aborted, task.cancelled()], [false, true]);
  }));

Deno.test("CancelScope.shield: a deadline of its own ends it, and a limit inside is a TimeoutError", () =>
  run(async () => {
    const log: string[] = [];
    const task = asyncio.create_task(async () => {
      const cleaning = move_on_after(5, { shield: true });
      await async_with(cleaning, async () => {
        await async_with(asyncio.timeout(2), () => sleep(60)).catch((error) =>
          log.push((error as Error).name)
        );
        await sleep(60);
      });
      log.push(`caught ${cleaning.cancelled_caught} at ${now()}`);
      await sleep(60);
    });
    await sleep(1);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals(log, ["TimeoutError", "caught true at 5"]);
    assert(task.cancelled());
    assertEquals(now(), 5);
  }));

Deno.test("CancelScope.shield: a branch beside a shielded one is cancelled at once", () =>
  run(async () => {
    const log: string[] = [];
    const outer = move_on_after(1);
    await async_with(outer, () =>
      Promise.allSettled([
        async_with(new CancelScope({ shield: true }), () => sleep(3)).finally(() =>
          log.push(`shielded ${now()}`)
        ),
        sleep(60).finally(() => log.push(`beside ${now()}`)),
      ]));
    assertEquals(log, ["beside 1", "shielded 3"]);
  }));

Deno.test("CancelScope.shield: the branch of the block is thrown what another branch has been thrown", () =>
  run(async () => {
    const log: string[] = [];
    const outer = move_on_after(1);
    await async_with(outer, () =>
      Promise.allSettled([
        (async () => {
          await shielded(() => sleep(3)).finally(() => log.push(`shielded ${now()}`));
          await sleep(60);
        })().catch((error) => log.push(`branch ${(error as Error).name} ${now()}`)),
        (async () => {
          await sleep(60).catch(() => log.push(`beside ${now()}`));
          await sleep(1);
          await sleep(4); // is thrown nothing once more
          log.push(`cleaned up ${now()}`);
        })(),
      ]));
    assertEquals(
      log,
      ["beside 1", "shielded 3", "branch CancelledError 3", "cleaned up 6"],
    );
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("CancelScope.shield: what a branch beside took from what was pending comes to both", () =>
  asyncio.run(async () => {
    const log: string[] = [];
    const native = Promise.withResolvers<void>();
    const shield_ends = new asyncio.Event();
    const task = asyncio.create_task(async () => {
      await Promise.allSettled([
        (async () => {
          await shielded(() => shield_ends.wait());
          await sleep(60);
        })().catch((error) => log.push(`shielded ${(error as Error).name}`)),
        (async () => {
          await native.promise;
          await sleep(60);
        })().catch((error) => {
          log.push(`native ${(error as Error).name}`);
          shield_ends.set();
        }),
      ]);
    });
    await sleep(0);
    task.cancel();
    native.resolve();
    await asyncio.wait([task]);
    assertEquals(log, ["native CancelledError", "shielded CancelledError"]);
  }));

Deno.test("CancelScope.shield: an error of the block goes before what was kept off, which comes after it", () =>
  run(async () => {
    const log: string[] = [];
    await async_with(move_on_after(1), () =>
      Promise.allSettled([
        (async () => {
          await shielded(async () => {
            await sleep(3);
            throw new TypeError("own");
          }).catch((error) => log.push(`${error} ${now()}`));
          await sleep(60).catch((error) => log.push(`${(error as Error).name} ${now()}`));
        })(),
        sleep(60),
      ]));
    assertEquals(log, ["TypeError: own 3", "CancelledError 3"]);
  }));

Deno.test("CancelScope.shield: nothing is thrown after it for requests that were taken back meanwhile", () =>
  run(async () => {
    let after = 0;
    const task = asyncio.create_task(async () => {
      await Promise.allSettled([
        shielded(() => sleep(3)).then(() => sleep(5)).then(() => after = now()),
        sleep(60).catch(() => asyncio.current_task()?.uncancel()),
      ]);
    });
    await sleep(1);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([task.cancelled(), after], [false, 8]);
  }));

Deno.test("CancelScope.shield: set to false it reaches the block, and no branch beside it once more", () =>
  run(async () => {
    const log: string[] = [];
    const inner = new CancelScope({ shield: true });
    asyncio.get_running_loop().call_later(3, () => inner.shield = false);
    await async_with(move_on_after(1), () =>
      Promise.allSettled([
        async_with(inner, () => sleep(60)).then(() => {}, (error) =>
          log.push(`${(error as Error).name} ${now()}`)),
        sleep(60).finally(async () => {
          await sleep(5);
          log.push(`cleaned up ${now()}`);
        }),
      ]));
    assertEquals(log, ["CancelledError 3", "cleaned up 6"]);
  }));

Deno.test("CancelScope.shield: set to false by its own code, what was kept off is thrown at the next wait, wherever", () =>
  run(async () => {
    for (const waits_in_block of [true, false]) {
      const log: string[] = [];
      const task = asyncio.create_task(async () => {
        await async_with(new CancelScope({ shield: true }), async (scope) => {
          await sleep(3);
          scope.shield = false;
          if (waits_in_block) await sleep(60).finally(() => log.push("in the block"));
        });
        await sleep(60).finally(() => log.push("after it"));
      });
      await sleep(1);
      task.cancel();
      await asyncio.wait([task]);
      assert(task.cancelled());
      assertEquals(log, [waits_in_block ? "in the block" : "after it"]);
    }
  }));

Deno.test("CancelScope.shield: set to false around another shield, the inner block goes on", () =>
  run(async () => {
    const log: string[] = [];
    const outer = new CancelScope({ shield: true });
    asyncio.get_running_loop().call_later(2, () => outer.shield = false);
    await async_with(move_on_after(1), () =>
      async_with(outer, async () => {
        await shielded(() => sleep(3));
        log.push(`inner ${now()}`);
        await sleep(60).finally(() => log.push(`outer ${now()}`));
      }));
    assertEquals(log, ["inner 3", "outer 3"]);
  }));

Deno.test("CancelScope.shield: what an inner shield kept off is kept off by an outer one that came later", () =>
  run(async () => {
    const log: string[] = [];
    const outer = new CancelScope();
    const inner = new CancelScope({ shield: true });
    const loop = asyncio.get_running_loop();
    loop.call_later(2, () => outer.shield = true);
    loop.call_later(3, () => inner.shield = false);
    await async_with(move_on_after(1), () =>
      Promise.allSettled([
        (async () => {
          await async_with(outer, async () => {
            await async_with(inner, () => sleep(4));
            log.push(`inner ${now()}`);
            await sleep(1);
          }).catch((error) => log.push(`outer ${(error as Error).name} ${now()}`));
        })(),
        sleep(60),
      ]));
    assertEquals(log, ["inner 4", "outer CancelledError 5"]);
  }));

Deno.test("CancelScope.shield: a group inside repeats the cancellation of the limit inside, not that outside", () =>
  run(async () => {
    const limit = new CancelScope();
    const task = asyncio.create_task(() =>
      shielded(async () => {
        await async_with(limit, async () => {
          await async_with(new TaskGroup(), async (group) => {
            group.create_task(() =>
              sleep(60).catch(() => {
                throw new Error("clean-up");
              })
            );
            await sleep(60);
          }).catch(() => {});
          await sleep(60);
        });
        assertEquals([limit.cancelled_caught, now()], [true, 1]);
        await sleep(1);
      })
    );
    await sleep(1);
    task.cancel();
    limit.cancel();
    await asyncio.wait([task]);
    assertEquals(now(), 2);
    assert(task.cancelled());
  }));

Deno.test("CancelScope: entered by hand in the block of another manager, it cannot shield that", () =>
  run(() =>
    async_with(asyncio.timeout(5), async () => {
      const scope = await new CancelScope().__aenter__();
      assertThrows(() => scope.shield = true, asyncio.RuntimeError, "no block of its own");
      assertEquals(scope.shield, false);
      await scope.__aexit__(null);
    })
  ));

Deno.test("CancelScope.__aexit__: refuses a scope that is not active, and another task", () =>
  run(async () => {
    const scope = new CancelScope();
    const leave = async () => await scope.__aexit__(null);
    await assertRejects(leave, asyncio.RuntimeError, "not active");
    await scope.__aenter__();
    await assertRejects(
      async () => await asyncio.create_task(leave),
      asyncio.RuntimeError,
      "in a different task",
    );
    await leave();
    await assertRejects(leave, asyncio.RuntimeError, "not active");
  }));

Deno.test("CancelScope.shield: set to false it lets in what was cancelled meanwhile", () =>
  run(async () => {
    const inner = new CancelScope({ shield: true });
    const outer = move_on_after(1);
    asyncio.get_running_loop().call_later(3, () => inner.shield = false);
    await async_with(outer, () => async_with(inner, () => sleep(60)));
    assertEquals([now(), outer.cancelled_caught, inner.cancelled_caught], [3, true, false]);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("CancelScope.shield: set to true while the block runs", () =>
  run(async () => {
    const inner = new CancelScope();
    const outer = move_on_after(2);
    let reached = false;
    await async_with(outer, () =>
      async_with(inner, async () => {
        await sleep(1);
        inner.shield = true;
        await sleep(3);
        reached = true;
        inner.shield = false;
        await sleep(60);
      }));
    assertEquals([reached, now(), outer.cancelled_caught], [true, 4, true]);
  }));

Deno.test("CancelScope.shield: works in a function* as in an async function", () =>
  run(async () => {
    const log: string[] = [];
    const task = asyncio.create_task(function* () {
      yield* async_with(new CancelScope({ shield: true }), function* () {
        yield* sleep(3);
        log.push(`shielded ${now()}`);
      });
      yield* sleep(60);
    });
    await sleep(1);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([log, task.cancelled(), now()], [["shielded 3"], true, 3]);
  }));

Deno.test("CancelScope.shield: run() waits for it when it cancels what is left", async () => {
  const log: string[] = [];
  await run(async () => {
    asyncio.create_task(async () => {
      await async_with(new CancelScope({ shield: true }), () => sleep(5));
      log.push("shielded");
      await sleep(60);
    });
    await sleep(1);
  });
  assertEquals(log, ["shielded"]);
});

Deno.test("CancelScope.level: code that swallows the error cannot stay", () =>
  run(async () => {
    for (const in_generator of [false, true]) {
      let swallowed = 0;
      const scope = new CancelScope({ deadline: now() + 1, level: true });
      const start = now();
      if (in_generator) {
        await async_with(scope, function* () {
          while (swallowed < 5) {
            try {
              yield* sleep(60);
            } catch {
              swallowed++;
            }
          }
          yield* new asyncio.Event().wait();
        });
      } else {
        await async_with(scope, async () => {
          while (swallowed < 5) await sleep(60).catch(() => swallowed++);
          await new asyncio.Event().wait();
        });
      }
      assertEquals([swallowed, now() - start, scope.cancelled_caught], [5, 1, true]);
    }
  }));

Deno.test("CancelScope: edge-triggered, the default, throws once, as task.cancel() does", () =>
  run(async () => {
    const scope = move_on_after(1);
    await async_with(scope, async () => {
      await sleep(60).catch(() => {});
      await sleep(5);
    });
    assertEquals([now(), scope.cancelled_caught], [6, false]);
  }));

Deno.test("CancelScope.level: every kind of wait throws, blocks inside included", () =>
  run(async () => {
    const scope = new CancelScope({ level: true });
    const queue = new asyncio.Queue<number>();
    const [, receiver] = open_channel<number>();
    const future = asyncio.get_running_loop().create_future<void>();
    const lock = new asyncio.Lock();
    await lock.acquire();
    const waits: Record<string, () => PromiseLike<unknown>> = {
      sleep: () => sleep(1),
      "sleep(0)": () => sleep(0),
      queue: () => queue.get(),
      channel: () => receiver.receive(),
      future: () => future,
      lock: () => lock.acquire(),
      timeout: () => async_with(asyncio.timeout(5), () => sleep(1)),
      group: () => async_with(new TaskGroup(), () => sleep(1)),
      from_promise: () => asyncio.from_promise(new Promise(() => {})),
      gather: () => asyncio.gather(sleep(1), sleep(2)),
      nested: () => async_with(new CancelScope(), () => sleep(1)),
    };
    const thrown: string[] = [];
    await async_with(scope, async () => {
      scope.cancel();
      for (const [name, wait] of Object.entries(waits)) {
        await wait().then(() => {}, (error) => thrown.push(`${name} ${error.name}`));
      }
    });
    assertEquals(
      thrown,
      Object.keys(waits).map((name) => `${name} CancelledError`),
    );
    assertEquals(now(), 0);
    lock.release();
  }));

Deno.test("CancelScope.level: a shielded clean-up inside can wait, and nothing after it", () =>
  run(async () => {
    const log: string[] = [];
    await async_with(new CancelScope({ deadline: 1, level: true }), async () => {
      try {
        await sleep(60);
      } finally {
        await async_with(move_on_after(10, { shield: true }), async () => {
          await sleep(2);
          log.push(`cleaned up at ${now()}`);
        });
        await sleep(0).catch((error) => log.push((error as Error).name));
      }
    });
    assertEquals(log, ["cleaned up at 3", "CancelledError"]);
  }));

Deno.test("CancelScope.level: a group waits for its cancelled tasks without spinning", () =>
  run(async () => {
    for (const in_generator of [false, true]) {
      const start = now();
      const nap = () => sleep(60).finally(() => shielded(() => sleep(2)));
      const scope = new CancelScope({ deadline: start + 1, level: true });
      if (in_generator) {
        await async_with(scope, function* () {
          yield* async_with(new TaskGroup(), function* (group) {
            group.create_task(nap);
            yield* sleep(60);
          });
        });
      } else {
        await async_with(scope, () =>
          async_with(new TaskGroup(), async (group) => {
            group.create_task(nap);
            await sleep(60);
          }));
      }
      assertEquals(now() - start, 3);
    }
  }));

Deno.test("CancelScope.level: reaches the tasks of groups in it, and theirs, but no shield there", () =>
  run(async () => {
    const log: string[] = [];
    /** Swallows every cancellation, so often. */
    const stubborn = async (name: string, times: number) => {
      for (; times > 0; times--) await sleep(60).catch(() => log.push(name));
      await sleep(60);
    };
    await async_with(
      new CancelScope({ deadline: 1, level: true }),
      () =>
        async_with(new TaskGroup(), async (group) => {
          group.create_task(() => stubborn("task", 3));
          group.create_task(async () => {
            await async_with(new TaskGroup(), async (inner) => {
              inner.create_task(() => stubborn("grandchild", 2));
              await sleep(60);
            });
          });
          group.create_task(async () => {
            await async_with(new CancelScope({ shield: true }), () => sleep(4));
            log.push(`shielded ${now()}`);
            await stubborn("after it", 2);
          });
          await sleep(60);
        }),
    );
    const count = (name: string) => log.filter((entry) => entry === name).length;
    assertEquals(["task", "grandchild", "after it", "shielded 4"].map(count), [3, 2, 2, 1]);
    assertEquals(now(), 4);
  }));

Deno.test("CancelScope.level: reaches tasks that a group cancels already, and one that is being started", () =>
  run(async () => {
    let swallowed = 0;
    const stubborn = async () => {
      for (let times = 3; times > 0; times--) await sleep(60).catch(() => swallowed++);
      await sleep(60);
    };
    await async_with(
      new CancelScope({ deadline: 2, level: true }),
      () =>
        async_with(new TaskGroup(), async (group) => {
          group.create_task(stubborn);
          await sleep(1);
          group.cancel(); // edge-triggered
          await sleep(60);
        }),
    );
    assertEquals([swallowed, now()], [3, 2]);
    swallowed = 0;
    await async_with(
      new CancelScope({ deadline: 3, level: true }),
      () => async_with(new TaskGroup(), (group) => group.start(stubborn)),
    );
    assertEquals([swallowed, now()], [3, 3]);
  }));

Deno.test("CancelScope.level: Condition.wait acquires its lock again without spinning", () =>
  run(async () => {
    const condition = new asyncio.Condition();
    const scope = new CancelScope({ deadline: 1, level: true });
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await async_with(scope, () => async_with(condition, () => condition.wait()));
        assertEquals(now(), 3);
      });
      await sleep(0.5);
      await async_with(condition, () => sleep(2.5));
    });
    assert(scope.cancelled_caught);
  }));

Deno.test("CancelScope.level: beside task.cancel(), which is thrown once and leaves the scope", () =>
  run(async () => {
    let thrown = 0;
    const scope = new CancelScope({ level: true });
    const task = asyncio.create_task(async () => {
      await async_with(scope, async () => {
        await sleep(60).catch(() => thrown++);
        await sleep(1);
        await sleep(60);
      });
      throw new Error("swallowed");
    });
    await sleep(1);
    task.cancel();
    await sleep(0.5);
    assertEquals([thrown, task.done(), scope.cancel_called], [1, false, false]);
    task.cancel();
    await asyncio.wait([task]);
    assert(task.cancelled());
  }));

Deno.test("current_effective_deadline: the nearest of the scopes around, up to a shield", () =>
  run(async () => {
    assertEquals(current_effective_deadline(), Infinity);
    await async_with(move_on_at(10), () =>
      async_with(move_on_at(20), async () => {
        assertEquals(current_effective_deadline(), 10);
        await async_with(
          move_on_at(30, { shield: true }),
          () => Promise.resolve(assertEquals(current_effective_deadline(), 30)),
        );
      }));
    await async_with(new CancelScope(), async (scope) => {
      scope.cancel();
      assertEquals(current_effective_deadline(), -Infinity);
      await sleep(0);
    });
  }));

Deno.test("current_effective_deadline: needs a running loop", () => {
  assertThrows(() => current_effective_deadline(), asyncio.RuntimeError);
});

Deno.test("fail_after, fail_at: throw a TimeoutError with the cancellation as its cause", () =>
  run(async () => {
    const scopes: Record<string, () => CancelScope> = {
      "timed out after 2 s": () => fail_after(2),
      "timed out at 4 s of the loop's clock": () => fail_at(4),
    };
    for (const [message, make] of Object.entries(scopes)) {
      const scope = make();
      const error = await assertRejects(
        async () => await async_with(scope, () => sleep(60)),
        asyncio.TimeoutError,
        message,
      );
      assert(error.cause instanceof asyncio.CancelledError);
      assert(scope.cancelled_caught);
    }
    assertEquals(now(), 4);
  }));

Deno.test("fail_after: the error of a deadline that was moved says when that was", () =>
  run(async () => {
    await assertRejects(
      async () =>
        await async_with(fail_after(2), async (scope) => {
          scope.deadline += 3;
          await sleep(60);
        }),
      asyncio.TimeoutError,
      "timed out at 5 s of the loop's clock",
    );
  }));

Deno.test("fail_after: cancel() of the scope is no timeout, nor is a cancellation from outside", () =>
  run(async () => {
    await async_with(fail_after(5), async (scope) => {
      scope.cancel();
      await sleep(60);
    });
    const task = asyncio.create_task(async () => {
      await async_with(fail_after(5), () => sleep(60));
    });
    await sleep(1);
    task.cancel();
    await asyncio.wait([task]);
    assert(task.cancelled());
  }));

Deno.test("fail_after: an error of the block itself is not replaced", () =>
  run(async () => {
    const error = new TypeError("own");
    const thrown = await assertRejects(async () =>
      await async_with(fail_after(1), async () => {
        await sleep(60).catch(() => {
          throw error;
        });
      })
    );
    assertStrictEquals(thrown, error);
    assertEquals(
      (await errors_of(async_with(new TaskGroup(), async (group) => {
        group.create_task(async () => {
          await async_with(fail_after(1), () => sleep(60));
        });
        await sleep(0);
      }))).map((each) => (each as Error).name),
      ["TimeoutError"],
    );
  }));

Deno.test("CancelScope: is shown with its state", () =>
  run(async () => {
    const scope = new CancelScope({ deadline: 5, shield: true, level: true });
    assertEquals(String(scope), "<CancelScope [created] deadline=5 shield=true level=true>");
    await async_with(scope, () => Promise.resolve(scope.cancel()));
    assertEquals(
      String(scope),
      "<CancelScope [ended] deadline=5 shield=true level=true cancel_called=true>",
    );
  }));

Deno.test("CancelScope.cancelled_caught: false for a cancellation from outside, though the scope began in a block that has ended", () =>
  run(async () => {
    const scope = new CancelScope();
    let beside: Promise<unknown> | undefined;
    const clean_up = async () => {
      await sleep(60).catch(() => {});
      await async_with(scope, () => sleep(60));
    };
    const task = asyncio.create_task(async () => {
      await async_with(move_on_after(1), async () => {
        beside = clean_up().catch((error) => error);
        await sleep(60);
      });
      await sleep(60);
    });
    await sleep(3);
    task.cancel();
    scope.cancel();
    assert(await beside instanceof asyncio.CancelledError);
    assertEquals([scope.cancel_called, scope.cancelled_caught], [true, false]);
  }));
