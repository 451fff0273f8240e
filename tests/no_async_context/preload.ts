/**
 * Makes this host one without an asynchronous context, as browsers are, and leaves out the tests that need
 * one: `deno test --preload=tests/no_async_context/preload.ts …`, so that it comes before anything else.
 */

import { needs_context } from "./needs_context.ts";

const host = globalThis as { process?: { getBuiltinModule?: unknown } };
if (host.process !== undefined) delete host.process.getBuiltinModule;
Reflect.get(Deno, Reflect.get(Deno, "internal")).core = undefined;

type Fn = (t: Deno.TestContext) => void | Promise<void>;

const register = Deno.test;

/** The two forms of `Deno.test` that the tests here use. */
function test_here(test: string | Deno.TestDefinition, fn?: Fn): void {
  const definition = typeof test === "string" ? { name: test, fn: fn as Fn } : test;
  register({ ...definition, ignore: definition.ignore || needs_context(definition.name) });
}

Object.defineProperty(Deno, "test", { value: test_here });
