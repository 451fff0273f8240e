/** How objects are shown that `inspect()` cannot show by itself in a browser. */

import type { InspectOptions } from "node-inspect-extracted";

type Inspect = (value: unknown, options: InspectOptions) => string;

type Text = (value: object, options: InspectOptions, inspect: Inspect) => string;

/** What Deno shows of each class, in its order. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  AbortController: "signal",
  AbortSignal: "aborted reason onabort",
  Blob: "size type",
  CustomEvent: "bubbles cancelable composed currentTarget defaultPrevented eventPhase srcElement " +
    "target returnValue timeStamp type detail",
  Event: "bubbles cancelable composed currentTarget defaultPrevented eventPhase srcElement " +
    "target returnValue timeStamp type",
  File: "name size type",
  ReadableStream: "locked",
  Request: "bodyUsed headers method redirect url",
  Response: "body bodyUsed headers ok redirected status statusText url",
  TextDecoder: "encoding fatal ignoreBOM",
  TextEncoder: "encoding",
  URL: "href origin protocol username password host hostname port pathname hash search",
  WritableStream: "locked",
};

/** An object that is shown as one of a class with these properties. */
function stand_in(object: object, properties: object): object {
  const name = object.constructor.name;
  const Shown = { [name]: class {} }[name]!;
  return Object.assign(new Shown(), properties);
}

/** Those whose text is not that of their attributes. */
const TEXTS: Readonly<Record<string, Text>> = {
  Headers: (headers, options, inspect) =>
    inspect(stand_in(headers, Object.fromEntries(headers as Headers)), options),
  URLSearchParams(params, options, inspect) {
    const pairs = [...params as URLSearchParams].map((pair) =>
      pair.map((text) => inspect(text, options)).join(" => ")
    );
    return `URLSearchParams {${pairs.length === 0 ? "" : ` ${pairs.join(", ")} `}}`;
  },
  DOMException: (error) => String((error as DOMException).stack ?? error),
  ...Object.fromEntries(
    ["ArrayBuffer", "DataView", "SharedArrayBuffer"].map((name) => [name, show_buffer]),
  ),
};

// Node.js has these attributes in brackets.
function show_buffer(value: object, options: InspectOptions, inspect: Inspect): string {
  return inspect(value, { ...options, customInspect: false })
    .replaceAll(/\[(buffer|byteLength|byteOffset)\]/g, "$1");
}

/** Methods that are generators are known by their prototype alone, which `inspect()` puts behind the name. */
function show_generator(value: object, options: InspectOptions, inspect: Inspect): string {
  return inspect(value, { ...options, customInspect: false })
    .replace(/^\[(?:Async)?Function(.*?\]) ((?:Async)?GeneratorFunction)/, "[$2$1");
}

/** Makes `inspect()` show the classes of browsers as Deno shows its own. */
export function show_web_objects(): void {
  for (const [name, attributes] of Object.entries(ATTRIBUTES)) {
    define(name, (value, options, inspect) => {
      const shown = attributes.split(" ").map((key) => [key, Reflect.get(value, key)]);
      return inspect(stand_in(value, Object.fromEntries(shown)), options);
    });
  }
  for (const [name, text] of Object.entries(TEXTS)) define(name, text);
  for (const generator of [function* () {}, async function* () {}]) {
    define_of(Object.getPrototypeOf(generator), "GeneratorFunction", show_generator);
  }
}

function define(name: string, text: Text): void {
  // Some are missing where pages are not isolated from others.
  const prototype = Reflect.get(globalThis, name)?.prototype;
  if (prototype !== undefined) define_of(prototype, name, text);
}

function define_of(prototype: object, name: string, text: Text): void {
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
    configurable: true,
    value(this: object, depth: number, options: InspectOptions, inspect: Inspect) {
      if (this === prototype) return `Object [${name}] {}`;
      if (depth < 0) return inspect(stand_in(this, {}), { ...options, depth });
      return text(this, { ...options, depth }, inspect);
    },
  });
}
