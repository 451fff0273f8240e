/**
 * What the tests use and Node.js 20 does not have yet. They get it under other names where that
 * can be done, not in the global objects: the library must do without.
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

// The only globals that are added: assertEquals compares with them.
const set_methods = {
  symmetricDifference(this: Set<unknown>, other: Set<unknown>) {
    const mine = [...this].filter((item) => !other.has(item));
    return new Set([...mine, ...[...other].filter((item) => !this.has(item))]);
  },
  union(this: Set<unknown>, other: Set<unknown>) {
    return new Set([...this, ...other]);
  },
};
for (const [name, value] of Object.entries(set_methods)) {
  if (!(name in Set.prototype)) Object.defineProperty(Set.prototype, name, { value });
}

export { from_async as "Array.fromAsync", with_resolvers as "Promise.withResolvers" };
