/**
 * A pool of [tinypool](https://github.com/tinylibs/tinypool) as an executor: `pool` is
 * `new Tinypool({ filename })`, and the file exports `serve(work)` of `./piscina_worker.ts` as its default.
 *
 * @module
 */

import type { ModuleExecutor } from "../../mod.ts";

interface Tinypool {
  run(task: unknown, options: { signal: AbortSignal }): Promise<unknown>;
  destroy(): Promise<void>;
}

/** Makes an executor of a pool; shut down, it ends what still runs. */
export function tinypool_executor<M extends object>(pool: Tinypool): ModuleExecutor<M> {
  return {
    submit(name, ...args) {
      const controller = new AbortController();
      const call = pool.run({ name, args }, { signal: controller.signal });
      return Object.assign(call as Promise<never>, { cancel: () => controller.abort() });
    },
    shutdown: () => pool.destroy(),
  };
}
