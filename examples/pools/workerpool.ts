/**
 * A pool of [workerpool](https://github.com/josdejong/workerpool) as an executor: `pool` is
 * `workerpool.pool(file)`, and the file calls `workerpool.worker({ ...work })` with the exports of a module.
 *
 * @module
 */

import type { ModuleExecutor } from "../../mod.ts";

interface Call {
  then(resolve: (value: unknown) => void, reject: (error: unknown) => void): unknown;
  cancel(): unknown;
}

interface Pool {
  exec(name: string, args: unknown[]): Call;
  terminate(
    force: boolean,
  ): { then(resolve: () => void, reject: (error: unknown) => void): unknown };
}

/** Makes an executor of a pool. */
export function workerpool_executor<M extends object>(pool: Pool): ModuleExecutor<M> {
  return {
    submit(name, ...args) {
      const call = pool.exec(name, args);
      const result = new Promise<unknown>((resolve, reject) => call.then(resolve, reject));
      return Object.assign(result as Promise<never>, { cancel: () => call.cancel() });
    },
    shutdown: (options) =>
      new Promise((resolve, reject) =>
        pool.terminate(options?.cancel_futures ?? false).then(resolve, reject)
      ),
  };
}
