/** Random programs of cancel scopes: shields, deadlines, levels, groups and branches inside each other. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { CancelScope, type CancelScopeOptions } from "../../structured.ts";
import type { Crowd, Scenario } from "../property/crowd.ts";
import { type Pause, pause } from "../property/pauses.ts";
import type { Step } from "../property/program.ts";

type AnyTask = asyncio.Task<unknown>;

/** What can cancel code, and how often it has done so. */
interface Source {
  readonly scope: CancelScope | null;
  readonly is_level: boolean;
  times(): number;
}

/** Returns whether every wait in a source throws. */
function is_throwing({ is_level, scope }: Source): boolean {
  return is_level && scope?.cancel_called === true;
}

/** The pauses in which the library waits, which a cancellation ends. */
const WAITS: readonly Pause[] = ["turn", "moment"];

/**
 * One branch of code, which compares each of its waits with what has been cancelled around it: no cancellation that
 * reaches it is lost, and none comes through a shield.
 */
class Flow {
  readonly #sources: Source[];
  /** How often each source had cancelled when the branch was thrown an error. */
  readonly #thrown = new Map<Source, number>();
  #is_one_of_several = false;

  constructor(sources: readonly Source[], thrown: ReadonlyMap<Source, number> = new Map()) {
    this.#sources = [...sources];
    for (const source of sources) this.#thrown.set(source, thrown.get(source) ?? source.times());
  }

  /** A branch beside others, which are thrown errors of their own. */
  branch(): Flow {
    const branch = new Flow(this.#sources, this.#thrown);
    branch.#is_one_of_several = true;
    return branch;
  }

  /** Notes that branches have ended: what each of them was thrown is nothing new to the code around. */
  join(...branches: Flow[]): void {
    for (const source of this.#sources) {
      const times = branches.map((branch) => branch.#thrown.get(source) ?? 0);
      this.#thrown.set(source, Math.max(this.#thrown.get(source) ?? 0, ...times));
    }
  }

  /** The sources that reach the code, from the inside out. */
  #reachable(): Source[] {
    const all = this.#sources.toReversed();
    const shield = all.findIndex(({ scope }) => scope?.shield === true);
    return shield === -1 ? all : all.slice(0, shield + 1);
  }

  #is_new(source: Source): boolean {
    return source.times() > (this.#thrown.get(source) ?? 0);
  }

  async wait(name: Pause): Promise<void> {
    // While it waits, shields are only taken away.
    const must_throw = this.#reachable().some(is_throwing);
    try {
      await pause(name);
    } catch (error) {
      const reached = this.#reachable();
      assert(error instanceof asyncio.CancelledError, String(error));
      assert(
        reached.some((source) => is_throwing(source) || this.#is_new(source)),
        "an error was thrown twice, or through a shield",
      );
      for (const source of reached) this.#thrown.set(source, source.times());
      throw error;
    }
    if (!WAITS.includes(name)) return;
    assert(!must_throw, "a level-triggered scope let a wait pass");
    const lost = this.#reachable().filter((source) => this.#is_new(source));
    assert(lost.length === 0, "a cancellation is lost");
  }

  /** Waits, and goes on whatever is thrown. */
  async swallow(name: Pause): Promise<void> {
    try {
      await this.wait(name);
    } catch (error) {
      if (!(error instanceof asyncio.CancelledError)) throw error;
    }
  }

  /** Runs a block; `is_honest` if it does not swallow what it is thrown. */
  async within(
    scope: CancelScope,
    is_level: boolean,
    is_honest: boolean,
    body: () => Promise<void>,
  ): Promise<void> {
    const outer = this.#reachable();
    const known = new Map(this.#thrown);
    const source: Source = { scope, is_level, times: () => scope.cancel_called ? 1 : 0 };
    this.#sources.push(source);
    this.#thrown.set(source, 0);
    let is_body_over = false;
    try {
      await asyncio.async_with(scope, async () => {
        await body();
        is_body_over = true;
      });
      const swallowed = outer.filter((each) => known.get(each) !== this.#thrown.get(each));
      assert(
        !is_honest || swallowed.length === 0,
        "a scope swallowed what was cancelled around it",
      );
    } catch (error) {
      // What a branch beside it has been thrown is thrown by the end of a shield.
      if (error instanceof asyncio.CancelledError) {
        for (const each of outer) this.#thrown.set(each, each.times());
        assert(
          !is_body_over || !scope.shield || this.#is_one_of_several,
          "the end of a shield threw what was pending",
        );
      }
      throw error;
    } finally {
      this.#sources.splice(this.#sources.indexOf(source), 1);
    }
    assert(!scope.cancelled_caught || scope.cancel_called);
  }
}

export class ScopeScenario implements Scenario {
  /** The scopes of blocks that are being run. */
  readonly #open = new Set<CancelScope>();
  /** Those whose shields were taken away. */
  readonly #opened = new Set<CancelScope>();

  async step(step: Step, crowd: Crowd): Promise<void> {
    if (step.what === 0) {
      for (const scope of this.#open) if (!scope.shield) scope.cancel();
      return;
    }
    if (step.what === 1) {
      for (const scope of this.#open) {
        if (!scope.shield) continue;
        this.#opened.add(scope);
        scope.shield = false;
      }
      return;
    }
    const task = asyncio.current_task() as AnyTask;
    const cancelled = () => crowd.cancellations_of(task);
    const before = { requests: task.cancelling(), cancelled: cancelled() };
    const flow = new Flow([{ scope: null, is_level: false, times: cancelled }]);
    try {
      await this.#run(flow, step);
    } finally {
      assertEquals(
        task.cancelling() - before.requests,
        cancelled() - before.cancelled,
        "a request is left behind, or one of others was taken back",
      );
    }
    // What is pending is thrown here, or was never there.
    await flow.wait("turn");
  }

  async #within(
    flow: Flow,
    options: CancelScopeOptions,
    is_honest: boolean,
    body: (scope: CancelScope) => Promise<void>,
  ): Promise<void> {
    const scope = new CancelScope(options);
    this.#open.add(scope);
    try {
      await flow.within(scope, options.level ?? false, is_honest, () => body(scope));
    } finally {
      this.#open.delete(scope);
    }
  }

  // A shielded part, which runs to its end unless it is cancelled itself or its shield is taken away.
  async #shielded(flow: Flow, ...pauses: Pause[]): Promise<void> {
    await this.#within(flow, { shield: true }, true, async (scope) => {
      const waits: Pause[] = ["moment", ...pauses, "moment"];
      let left = waits.length;
      try {
        for (const each of waits) {
          await flow.wait(each);
          left--;
        }
      } finally {
        assert(
          left === 0 || scope.cancel_called || this.#opened.has(scope),
          "a shielded block was interrupted",
        );
      }
    });
  }

  async #run(flow: Flow, step: Step): Promise<void> {
    // What a task's own code cancels is thrown at its next wait, and so to one branch of several.
    const is_known = step.what === 5 && step.timeout === 0;
    const deadline = step.timeout === null || is_known
      ? Infinity
      : asyncio.get_running_loop().time() + step.timeout;
    switch (step.what) {
      case 2:
        return await this.#within(flow, { deadline }, true, async (scope) => {
          await flow.wait(step.inside);
          await this.#shielded(flow, step.before);
          scope.shield = true;
          await flow.wait("moment");
          if (step.inside !== "nothing") await this.#shielded(flow);
          scope.shield = false;
          if (step.before !== "nothing") await flow.wait("moment");
        });
      case 3:
        return await this.#within(flow, { deadline, level: true }, false, async () => {
          for (let left = 4; left > 0; left--) await flow.swallow("moment");
          await this.#shielded(flow);
          await flow.swallow("turn");
        });
      case 4:
        return await this.#within(
          flow,
          { deadline, level: true },
          false,
          (scope) => this.#group(flow, scope),
        );
      case 5:
        return await this.#within(flow, { deadline }, false, () => this.#branches(flow));
      case 6:
        return await this.#within(flow, { deadline }, true, async () => {
          await this.#within(flow, { shield: true }, true, async () => {
            await this.#within(flow, { deadline: deadline + 0.001 }, true, async () => {
              await flow.wait("moment");
              await flow.wait(step.inside);
            });
            await flow.wait("moment");
          });
          await flow.wait("turn");
        });
      default:
        return await this.#within(flow, { deadline }, true, async (scope) => {
          scope.cancel();
          await flow.wait("turn");
          assert(false, "its own cancellation is lost");
        });
    }
  }

  // Once the scope's cancellation has come to a task of the group, every wait of the task throws.
  async #group(flow: Flow, scope: CancelScope): Promise<void> {
    const swallow = async () => {
      let thrown = 0;
      for (let left = 5; left > 0; left--) {
        try {
          await pause("moment");
          assert(thrown === 0, "a task of a level-triggered scope was let wait");
        } catch (error) {
          if (!(error instanceof asyncio.CancelledError)) throw error;
          if (scope.cancel_called) thrown++;
        }
      }
    };
    await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      group.create_task(swallow);
      for (let left = 3; left > 0; left--) await flow.swallow("moment");
    });
  }

  // Each branch is thrown what is cancelled around it, once, the shielded one when its shield has ended.
  async #branches(flow: Flow): Promise<void> {
    const swallowing = async (branch: Flow, first: () => Promise<void>) => {
      await first().catch((error) => {
        if (!(error instanceof asyncio.CancelledError)) throw error;
      });
      for (let left = 3; left > 0; left--) await branch.swallow("moment");
    };
    const one = flow.branch();
    const other = flow.branch();
    const results = await Promise.allSettled([
      swallowing(one, () => this.#shielded(one, "turn")),
      swallowing(other, () => other.wait("moment")),
    ]);
    flow.join(one, other);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  check_calm(crowd: Crowd): void {
    assertEquals([crowd.waiting, this.#open.size], [0, 0]);
  }

  check_end(): void {}
}
