/**
 * The types of executors that call the exports of a module by name.
 *
 * @module
 */

/**
 * The functions of a module whose type is not given.
 *
 * @category Executors
 */
export type UntypedModule = Record<string, (...args: unknown[]) => unknown>;

/**
 * The names of the functions that a module exports: `ExportName<typeof work>`.
 *
 * @category Executors
 */
export type ExportName<M extends object> =
  & { [K in keyof M]: M[K] extends (...args: never[]) => unknown ? K : never }[keyof M]
  & string;

/**
 * The parameters of an exported function.
 *
 * @category Executors
 */
export type ExportParameters<M extends object, N extends keyof M> = M[N] extends
  (...args: infer A) => unknown ? A : never;

/**
 * The result of an exported function: what awaiting a call of it would give.
 *
 * @category Executors
 */
export type ExportResult<M extends object, N extends keyof M> = M[N] extends
  (...args: never[]) => infer R ? Awaited<R> : never;

/**
 * The items of what an exported function returns or, if it is asynchronous, resolves to.
 *
 * @category Executors
 */
export type ExportItem<M extends object, N extends keyof M> = ExportResult<M, N> extends
  AsyncIterable<infer T> | Iterable<infer T> ? T : never;

/**
 * An executor that calls the exports of a module by name, in another thread or on another machine:
 * {@linkcode WorkerPoolExecutor} is one.
 *
 * Other pools and queues take part by an object with these two methods.
 *
 * @typeParam M the type of the module: `typeof work`, with `import type * as work from "./work.ts"`
 * @category Executors
 */
export interface ModuleExecutor<M extends object = UntypedModule> {
  /** Never there: by its type a call is checked against the module. */
  readonly module_type?: M;
  /**
   * Calls an export with arguments.
   *
   * @param name the name of the export
   * @param args its arguments
   * @returns a promise of what it returns; if it has a method `cancel()`, that ends the call
   */
  submit<N extends ExportName<M>>(
    name: N,
    ...args: ExportParameters<M, N>
  ): PromiseLike<ExportResult<M, N>>;
  /**
   * Ends the executor.
   *
   * @param options `wait`: whether the promise settles when all calls have ended; `cancel_futures`:
   * whether calls that have not begun are cancelled
   * @returns a promise that settles when it has ended, or nothing
   */
  shutdown(options?: { wait?: boolean; cancel_futures?: boolean }): void | PromiseLike<void>;
}
