/**
 * AnyIO's tests of cancel scopes (`tests/test_taskgroups.py`), where they make sense here. Its scopes are
 * level-triggered, so these are. docs/structured.md lists what differs, and why.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  CancelScope,
  type CancelScopeOptions,
  current_effective_deadline,
  fail_after,
  fail_at,
  move_on_after,
  move_on_at,
} from "../../structured.ts";
import { all_blocked, errors_of, now, run } from "./clock.ts";

const { async_with, sleep, TaskGroup, CancelledError } = asyncio;

const LEVEL = { level: true };

const level_scope = (options: CancelScopeOptions = {}) =>
  new CancelScope({ ...options, level: true });

function never(): never {
  throw new Error("execution should not reach this point");
}

function is_cancelled(awaitable: () => PromiseLike<unknown>): Promise<unknown> {
  return assertRejects(async () => await awaitable(), CancelledError);
}

const TESTS: Record<string, () => Promise<void>> = {
  async test_cancel_scope_in_another_task() {
    const scope = level_scope();
    let result = false;
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await async_with(scope, async () => {
          await sleep(2);
          result = true;
        });
      });
      await all_blocked();
      scope.cancel();
    });
    assert(!result);
  },

  async test_cancel_twice() {
    for (let round = 0; round < 2; round++) {
      await async_with(new TaskGroup(), async (group) => {
        group.create_task(async () => {
          await all_blocked();
          group.cancel();
        });
        await sleep(1);
        never();
      });
    }
  },

  async test_cancel_exiting_task_group() {
    let cancel_received = false;
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await async_with(new TaskGroup(), async (inner) => {
          inner.create_task(() => sleep(5).finally(() => cancel_received = true));
          await sleep(0);
        });
      });
      await all_blocked();
      group.cancel();
    });
    assert(cancel_received);
  },

  async test_cancel_before_entering_scope() {
    const scope = level_scope();
    scope.cancel();
    await async_with(scope, async () => {
      await sleep(1);
      never();
    });
  },

  async test_cancel_before_entering_task_group() {
    const group = new TaskGroup();
    group.cancel();
    await async_with(group, async () => {
      await sleep(1);
      never();
    });
  },

  async test_escaping_cancelled_exception() {
    await async_with(new TaskGroup(), async (group) => {
      group.cancel();
      await sleep(0);
    });
  },

  async test_cancel_scope_cleared() {
    await async_with(move_on_after(0.1, LEVEL), () => sleep(1));
    await sleep(0);
  },

  async test_fail_after() {
    for (const delay of [0, 0.1]) {
      for (const make of [() => fail_after(delay, LEVEL), () => fail_at(now() + delay, LEVEL)]) {
        const scope = make();
        await assertRejects(async () =>
          await async_with(scope, async () => {
            const error = await is_cancelled(() => sleep(1));
            assert(String(error).includes("deadline"));
            throw error;
          }), asyncio.TimeoutError);
        assert(scope.cancel_called && scope.cancelled_caught);
      }
    }
  },

  async test_fail_after_no_timeout() {
    for (const scope of [fail_after(null), fail_at(null)]) {
      assertEquals(scope.deadline, Infinity);
      await async_with(scope, () => sleep(0.1));
      assert(!scope.cancel_called && !scope.cancelled_caught);
    }
  },

  async test_fail_after_after_cancellation() {
    await async_with(new TaskGroup(), async (group) => {
      group.cancel();
      await new asyncio.Event().wait();
    });
    let complete = false;
    await assertRejects(async () =>
      await async_with(fail_after(0.1), async () => {
        await sleep(0.5);
        complete = true;
      }), asyncio.TimeoutError);
    assert(!complete);
  },

  async test_fail_after_cancelled_before_deadline() {
    await async_with(fail_after(1), async (scope) => {
      scope.cancel();
      await sleep(0);
    });
  },

  // AnyIO expects itself to fail this one.
  async test_fail_after_scope_cancelled_before_timeout() {
    await async_with(fail_after(0.1), async (scope) => {
      scope.cancel();
      await async_with(new CancelScope({ shield: true }), () => sleep(0.11));
      await sleep(0);
    });
  },

  async test_move_on_after() {
    for (const delay of [0, 0.1]) {
      for (const make of [() => move_on_after(delay), () => move_on_at(now() + delay)]) {
        const scope = make();
        let result = false;
        await async_with(scope, async () => {
          await sleep(1);
          result = true;
        });
        assert(!result && scope.cancel_called && scope.cancelled_caught);
      }
    }
  },

  async test_move_on_after_no_timeout() {
    for (const scope of [move_on_after(null), move_on_at(null)]) {
      assertEquals(scope.deadline, Infinity);
      assertEquals(await async_with(scope, () => sleep(0.1, true)), true);
      assert(!scope.cancel_called);
    }
  },

  async test_nested_move_on_after() {
    const outer = move_on_after(0.1, LEVEL);
    const inner = move_on_after(1, LEVEL);
    await async_with(outer, async () => {
      assertEquals(current_effective_deadline(), outer.deadline);
      await async_with(inner, async () => {
        assertEquals(current_effective_deadline(), outer.deadline);
        await sleep(2);
        never();
      });
      never();
    });
    assert(outer.cancel_called && outer.cancelled_caught);
    assert(!inner.cancel_called && !inner.cancelled_caught);
  },

  async test_shielding() {
    let inner_completed = false;
    const inner = move_on_after(10, { shield: true });
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await all_blocked();
        group.cancel();
      });
      await async_with(inner, async () => {
        await sleep(0.1);
        inner_completed = true;
      });
      await sleep(1);
      never();
    });
    assert(inner_completed && !inner.cancel_called);
  },

  async test_cancel_from_shielded_scope() {
    await async_with(level_scope(), async (outer) => {
      await async_with(new CancelScope({ shield: true }), async () => {
        outer.cancel();
        assertEquals(current_effective_deadline(), Infinity);
        await sleep(0);
      });
      assertEquals(current_effective_deadline(), -Infinity);
      await is_cancelled(() => sleep(0.01));
      await is_cancelled(() => sleep(0.01));
    });
  },

  async test_cancel_shielded_scope() {
    await async_with(level_scope({ shield: true }), async (scope) => {
      scope.cancel();
      assertEquals(current_effective_deadline(), -Infinity);
      await is_cancelled(() => sleep(0));
      await is_cancelled(() => sleep(0));
    });
  },

  async test_shielded_cleanup_after_cancel() {
    await async_with(level_scope(), async (outer) => {
      outer.cancel();
      try {
        await sleep(0);
      } finally {
        assertEquals(current_effective_deadline(), -Infinity);
        await async_with(new CancelScope({ shield: true }), async () => {
          assertEquals(current_effective_deadline(), Infinity);
          await sleep(0);
        });
        assertEquals(current_effective_deadline(), -Infinity);
      }
    });
  },

  async test_cleanup_after_native_cancel() {
    const task = asyncio.create_task(async () => {
      asyncio.current_task()?.cancel();
      try {
        await sleep(0);
      } finally {
        await sleep(0); // edge-triggered: thrown once
      }
    });
    await asyncio.wait([task]);
    assert(task.cancelled());
  },

  async test_cancelled_not_caught() {
    const scope = new CancelScope();
    await async_with(scope, () => Promise.resolve(scope.cancel()));
    assert(scope.cancel_called && !scope.cancelled_caught);
  },

  async test_cancelled_scope_based_checkpoint() {
    for (const level of [false, true]) {
      const [outer, inner] = [new CancelScope({ level }), new CancelScope({ level })];
      await async_with(outer, async () => {
        outer.cancel();
        await async_with(inner, async () => {
          inner.cancel();
          await new asyncio.Event().wait();
        });
        never();
      });
      assert(!inner.cancelled_caught && outer.cancelled_caught);
    }
  },

  async test_cancelled_raises_beyond_origin_unshielded() {
    const [outer, inner] = [level_scope(), level_scope()];
    await async_with(outer, async () => {
      await async_with(inner, async () => {
        inner.cancel();
        try {
          await sleep(0);
        } finally {
          outer.cancel();
        }
        never();
      });
      never();
    });
    assert(!inner.cancelled_caught && outer.cancelled_caught);
  },

  async test_cancelled_raises_beyond_origin_shielded() {
    let between = false;
    const [outer, inner] = [level_scope(), level_scope({ shield: true })];
    await async_with(outer, async () => {
      await async_with(inner, async () => {
        inner.cancel();
        try {
          await sleep(0);
        } finally {
          outer.cancel();
        }
        never();
      });
      between = true;
    });
    assert(between && inner.cancelled_caught && !outer.cancelled_caught);
  },

  async test_shielding_immediate_scope_cancelled() {
    await async_with(
      new TaskGroup(),
      (group) =>
        async_with(new CancelScope({ shield: true }), async (scope) => {
          group.create_task(async () => {
            await all_blocked();
            scope.cancel();
          });
          await sleep(0.5);
          never();
        }),
    );
  },

  async test_shielding_mutate() {
    let completed = false;
    await async_with(new TaskGroup(), async (group) => {
      await group.start(async (status: asyncio.TaskStatus<void>) => {
        await async_with(new CancelScope(), async (scope) => {
          await sleep(0.1);
          scope.shield = true;
          status.started();
          await sleep(0.1);
          completed = true;
          scope.shield = false;
          await sleep(1);
        });
        never();
      });
      group.cancel();
    });
    assert(completed);
  },

  async test_cancel_scope_in_child_task() {
    const scope = new CancelScope();
    let host_done = false;
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await async_with(scope, () => sleep(2));
      });
      await all_blocked();
      scope.cancel();
      await sleep(0.1);
      host_done = true;
    });
    assert(host_done);
  },

  async test_cancel_cascade() {
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await async_with(new TaskGroup(), async (inner) => {
          inner.create_task(sleep(1), { name: "sleep" });
          await sleep(0);
        });
        never();
      });
      await all_blocked();
      group.cancel();
    });
  },

  async test_shielded_deadline() {
    await async_with(
      move_on_after(10),
      () =>
        async_with(
          new CancelScope({ shield: true }),
          () =>
            async_with(move_on_after(1000), async () => {
              assert(current_effective_deadline() - now() > 900);
              await sleep(0);
            }),
        ),
    );
  },

  async test_deadline_reached_on_start() {
    await async_with(move_on_after(0), async () => {
      await sleep(0);
      never();
    });
  },

  async test_deadline_moved() {
    await async_with(fail_after(0.1), async (scope) => {
      scope.deadline += 0.3;
      await sleep(0.2);
    });
  },

  async test_timeout_error_with_multiple_cancellations() {
    await assertRejects(
      async () =>
        await async_with(fail_after(0.1), () =>
          async_with(new TaskGroup(), async (group) => {
            group.create_task(sleep(2));
            await sleep(2);
          })),
      asyncio.TimeoutError,
    );
  },

  async test_nested_fail_after() {
    const scope = level_scope();
    await async_with(new TaskGroup(), (group) =>
      async_with(scope, async () => {
        await async_with(level_scope(), async () => {
          group.create_task(async () => {
            await all_blocked();
            scope.cancel();
          });
          await async_with(fail_after(1), async () => {
            await sleep(2);
            never();
          });
          never();
        });
        never();
      }));
    assert(scope.cancel_called);
  },

  async test_nested_shield() {
    const scope = level_scope();
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      await async_with(scope, () =>
        async_with(new CancelScope({ shield: true }), async () => {
          group.create_task(async () => {
            await all_blocked();
            scope.cancel();
          });
          await async_with(fail_after(0.2), () => sleep(2));
        }));
    }));
    assertEquals(errors.map((error) => (error as Error).name), ["TimeoutError"]);
  },

  async test_triple_nested_shield_checkpoint_in_outer() {
    await async_with(level_scope(), async (one) => {
      await async_with(
        level_scope(),
        (two) =>
          async_with(new CancelScope({ shield: true }), async () => {
            one.cancel();
            two.cancel();
            await sleep(0);
          }),
      );
      await sleep(0);
      never();
    });
  },

  async test_triple_nested_shield_checkpoint_in_middle() {
    await async_with(level_scope(), async (one) => {
      await async_with(level_scope(), async () => {
        await async_with(new CancelScope({ shield: true }), async () => {
          one.cancel();
          await sleep(0);
        });
        await sleep(0);
        never();
      });
      never();
    });
  },

  async test_cancel_native_future_tasks_cancel_scope() {
    await async_with(level_scope(), async (scope) => {
      scope.cancel();
      await asyncio.get_running_loop().create_future();
      never();
    });
  },

  async test_shielded_cancel_sleep_time() {
    const start = now();
    await async_with(new TaskGroup(), async (group) => {
      await async_with(new CancelScope({ shield: true }), async () => {
        group.create_task(async () => {
          await sleep(0.1);
          group.cancel();
        });
        await sleep(0.5);
      });
    });
    assertEquals(now() - start, 0.5);
  },

  async test_uncancel_after_scope_cancel() {
    await async_with(level_scope(), async (scope) => {
      scope.cancel();
      await is_cancelled(() => sleep(0));
    });
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  },

  async test_uncancel_after_scope_and_native_cancel() {
    const task = asyncio.create_task(async () => {
      await async_with(new CancelScope(), async (scope) => {
        scope.cancel();
        asyncio.current_task()?.cancel();
        await sleep(0);
      });
    });
    await asyncio.wait([task]);
    assertEquals([task.cancelled(), task.cancelling()], [true, 1]);
  },

  async test_cancel_counter_nested_scopes() {
    await async_with(level_scope(), async (outer) => {
      await async_with(level_scope(), async () => {
        outer.cancel();
        await sleep(0);
      });
    });
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  },

  async test_cancel_child_task_when_host_is_shielded() {
    let cancelled = false;
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(() => sleep(10).finally(() => cancelled = true));
      await async_with(new CancelScope({ shield: true }), async () => {
        await all_blocked();
        group.cancel();
        await sleep(0.1);
        assert(cancelled);
      });
    });
  },

  async test_cancel_reason() {
    await async_with(new CancelScope(), async (scope) => {
      scope.cancel("test reason");
      const error = await is_cancelled(() => sleep(0));
      assert(String(error).includes("test reason"));
    });
  },
  async test_cancelscope_exit_before_enter() {
    await assertRejects(
      async () => await new CancelScope().__aexit__(null),
      asyncio.RuntimeError,
      "not active",
    );
  },

  async test_cancelscope_exit_in_wrong_task() {
    const scope = await new CancelScope().__aenter__();
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(() => scope.__aexit__(null));
      await sleep(0);
    }));
    assertEquals(
      String(errors),
      "RuntimeError: Attempted to exit cancel scope in a different task than it was entered in",
    );
    await scope.__aexit__(null);
  },

  async test_cancel_propagation() {
    await async_with(level_scope(), (outer) =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(async () => {
          await async_with(new TaskGroup(), () => sleep(1));
          never();
        });
        await sleep(0);
        outer.cancel();
      }));
    assertEquals(now(), 0);
  },

  async test_cancel_propagation_with_inner_spawn() {
    await async_with(level_scope(), (outer) =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(async () => {
          await async_with(new TaskGroup(), async (inner) => {
            inner.create_task(() => sleep(10));
            await sleep(1);
          });
          never();
        });
        await all_blocked();
        outer.cancel();
      }));
    assertEquals(now(), 0);
  },

  async test_cancel_with_nested_task_groups() {
    const log: string[] = [];
    await async_with(level_scope(), (outer) =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(async () => {
          await async_with(new TaskGroup(), async (middle) => {
            middle.create_task(async () => {
              await async_with(new CancelScope({ shield: true }), () => sleep(0.5));
              log.push(`shielded ${now()}`);
            });
            await sleep(0);
          });
        });
        await all_blocked();
        outer.cancel();
      }));
    assertEquals([log, now()], [["shielded 0.5"], 0.5]);
  },

  async test_cancelled_parent() {
    let is_refused = false;
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await all_blocked().finally(() => {
          // As CPython's, a group that is being cancelled takes no tasks.
          try {
            group.create_task(() => sleep(1));
          } catch (error) {
            is_refused = error instanceof asyncio.RuntimeError;
          }
        });
      });
      await sleep(0);
      group.cancel();
    });
    assertEquals([is_refused, now()], [true, 0]);
  },

  async test_cancel_shielding_start() {
    const resume = new asyncio.Event();
    await async_with(level_scope(), (outer) =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(() =>
          group.start(async () => {
            await async_with(new CancelScope({ shield: true }), () => resume.wait());
            await is_cancelled(() => sleep(0));
            await sleep(0);
            never();
          })
        );
        await all_blocked();
        outer.cancel();
        resume.set();
      }));
  },

  async test_start_cancels_parent_scope() {
    let started = false;
    await async_with(new TaskGroup(), async (group) => {
      await async_with(level_scope(), async (inner) => {
        inner.cancel();
        await group.start(async () => {
          started = true;
          await sleep(60);
        });
      });
      // The group is none of the scope, and not cancelled.
      await group.create_task(() => sleep(0));
    });
    assertEquals([started, now()], [true, 0]);
  },

  async test_start_cancel_after_error() {
    let is_over = false;
    const errors = await errors_of(
      async_with(new TaskGroup(), (outer) =>
        async_with(new TaskGroup(), async (inner) => {
          inner.create_task(async () => {
            await all_blocked();
            throw new Error("cancels the call of start()");
          });
          await outer.start(async () => {
            await sleep(1);
            is_over = true;
          });
        })),
    );
    assert((errors[0] as asyncio.ExceptionGroup).exceptions[0] instanceof Error);
    assert(!is_over);
  },

  async test_cancel_completed_task() {
    const reports: unknown[] = [];
    asyncio.get_running_loop().set_exception_handler((_, context) => reports.push(context));
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {});
      await all_blocked();
      group.cancel();
    });
    assertEquals(reports, []);
  },

  async test_propagate_native_cancellation_from_taskgroup() {
    const task = asyncio.create_task(() =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(() => sleep(2));
        await sleep(0);
      })
    );
    await all_blocked();
    task.cancel();
    await asyncio.wait([task]);
    assert(task.cancelled());
  },

  async test_single_cancellation_exc() {
    await async_with(level_scope(), async (outer) => {
      await is_cancelled(() =>
        async_with(new TaskGroup(), async (group) => {
          group.create_task(() => sleep(5));
          await all_blocked();
          outer.cancel();
          await sleep(5);
        })
      );
    });
  },

  async test_escaping_cancelled_error_from_cancelled_task() {
    await async_with(level_scope(), async (scope) => {
      await async_with(move_on_after(0.1, LEVEL), () => sleep(1));
      scope.cancel();
    });
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  },

  async test_move_on_at_no_timeout() {
    const scope = move_on_at(null, LEVEL);
    await async_with(scope, () => sleep(0.1));
    assertEquals([scope.deadline, scope.cancel_called, now()], [Infinity, false, 0.1]);
  },

  async test_fail_at_no_timeout() {
    const scope = fail_at(null, LEVEL);
    await async_with(scope, () => sleep(0.1));
    assertEquals([scope.deadline, scope.cancel_called, now()], [Infinity, false, 0.1]);
  },

  async test_cancel_host_asyncgen() {
    let thrown = 0;
    const host = async () => {
      await async_with(level_scope(), async (scope) => {
        scope.cancel();
        for (let wait = 0; wait < 2; wait++) {
          await is_cancelled(() => sleep(0)).then(() => thrown++);
        }
      });
    };
    const agen = asyncio.async_generator(async function* () {
      await host();
      yield 1;
    })();
    assertEquals(await asyncio.create_task(agen.asend(undefined)), 1);
    await agen.aclose();
    assertEquals(thrown, 2);
  },

  async test_cancel_message_replaced() {
    const task = asyncio.create_task(async () => {
      await sleep(60).catch(() => {});
      const scope = level_scope();
      await async_with(scope, async () => {
        scope.cancel();
        await sleep(0).catch((error) => {
          throw new CancelledError(String(error));
        });
      });
      assert(scope.cancelled_caught);
    });
    await all_blocked();
    task.cancel();
    await task;
  },

  async test_uncancel_after_native_cancel() {
    const task = asyncio.current_task() as asyncio.Task<unknown>;
    await is_cancelled(() =>
      async_with(level_scope(), async () => {
        task.cancel();
        await sleep(0);
      })
    );
    assertEquals([task.cancelling(), task.uncancel()], [1, 0]);
  },

  async test_uncancel_after_taskgroup_cancelled() {
    const task = asyncio.current_task() as asyncio.Task<unknown>;
    await is_cancelled(() =>
      async_with(new TaskGroup(), async (group) => {
        await group.start((status: asyncio.TaskStatus<void>) =>
          async_with(new TaskGroup(), async (inner) => {
            inner.create_task(() => sleep(3));
            await all_blocked();
            status.started();
          })
        );
        task.cancel();
        await sleep(0);
      })
    );
    assertEquals([task.cancelling(), task.uncancel()], [1, 0]);
  },

  async test_uncancel_after_group_aexit_native_cancel() {
    const done = new asyncio.Event();
    const task = asyncio.create_task(() =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(() => async_with(new CancelScope({ shield: true }), () => done.wait()));
        await sleep(0);
      })
    );
    await all_blocked();
    task.cancel("native 1");
    await sleep(0.1);
    task.cancel("native 2");
    done.set();
    const error = await is_cancelled(() => task);
    assertEquals([task.cancelling(), String(error).includes("native")], [2, true]);
  },

  async test_uncancel_after_child_task_failed() {
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await Promise.reject(new Error("dummy error"));
      });
      await sleep(0);
    }));
    assertEquals(String(errors), "Error: dummy error");
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  },

  async test_uncancel_cancelled_scope_based_checkpoint() {
    const task = asyncio.current_task() as asyncio.Task<unknown>;
    await async_with(level_scope(), async (outer) => {
      outer.cancel();
      await is_cancelled(() =>
        async_with(level_scope(), async (inner) => {
          inner.cancel();
          await new asyncio.Event().wait();
        })
      );
      assert(task.cancelling() > 0);
    });
    assertEquals(task.cancelling(), 0);
  },
};

for (const [name, test] of Object.entries(TESTS)) {
  Deno.test(`CancelScope as AnyIO's: ${name}`, () => run(test));
}
