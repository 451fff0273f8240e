/**
 * A pool of [piscina](https://github.com/piscinajs/piscina) as an executor: `pool` is
 * `new Piscina({ filename })`, and the file exports `serve(work)` of `./piscina_worker.ts` as its default.
 *
 * @module
 */

import type { ModuleExecutor } from "../../mod.ts";

interface Piscina {
  run(task: unknown, options: { signal: AbortSignal }): Promise<unknown>;
  close(options: { force: boolean }): Promise<void>;
}

/** Makes an executor of a pool. */
export function piscina_executor<M extends object>(pool: Piscina): ModuleExecutor<M> {
  return {
    submit(name, ...args) {
      const controller = new AbortController();
      const call = pool.run({ name, args }, { signal: controller.signal });
      return Object.assign(call as Promise<never>, { cancel: () => controller.abort() });
    },
    shutdown: (options) => pool.close({ force: options?.cancel_futures ?? false }),
  };
}
