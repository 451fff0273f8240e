/**
 * Makes Deno a host that has a context by nothing but the public `AsyncLocalStorage`, as Node.js and Bun are.
 */

const internal = Reflect.get(Deno, Reflect.get(Deno, "internal"));
internal.core = undefined;
