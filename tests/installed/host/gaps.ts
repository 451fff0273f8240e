/**
 * What the tests use and Node.js 20 does not have yet. They get it under other names, not in the global
 * objects: the library must do without.
 */

function with_resolvers<T>() {
  let resolve: (value: T | PromiseLike<T>) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((resolve_it, reject_it) => {
    resolve = resolve_it;
    reject = reject_it;
  });
  return { promise, resolve, reject };
}

async function from_async<T>(items: AsyncIterable<T> | Iterable<T | PromiseLike<T>>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export { from_async as "Array.fromAsync", with_resolvers as "Promise.withResolvers" };
