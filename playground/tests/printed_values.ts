// deno-lint-ignore-file no-console no-empty no-sparse-arrays
// Prints values of every kind. It is run on Deno and in the playground, which must print the same.

class Point {
  static origin = 0;
  #secret = 1;
  constructor(public x = 1, public y = 2) {}
  get sum(): number {
    return this.x + this.y + this.#secret;
  }
}
class Named extends Point {
  name = "p";
}
class Tagged {
  get [Symbol.toStringTag](): string {
    return "Tag";
  }
}
class MyError extends Error {
  override name = "MyError";
  code = 3;
}
class Unnamed extends Error {}

// Stacks have different frames in both.
function thrown<E extends Error>(error: E): E {
  error.stack = `${error.name}: ${error.message}\n    at f (program.ts:1:1)`;
  return error;
}
const err = (message: string, options?: ErrorOptions) => thrown(new Error(message, options));
const upto = (end: number) => Array.from({ length: end }, (_, n) => n);

const circular: Record<string, unknown> = { name: "c" };
circular["self"] = circular;
const circular_array: unknown[] = [1];
circular_array.push(circular_array);
const circular_error = err("circular");
circular_error.cause = circular_error;

const VALUES: Readonly<Record<string, unknown>> = {
  text: "x",
  texts: ["a", "b'c", 'd"e', `f'"g`, "h'\"`i", "line\nline", "tab\t\\", "back\\x1B", ""],
  "control characters": ["\x1b[31m", "\v\x00\x7f\x9f", "\ud800", "äö🙂", "\b\f\r", "\\v'\\x0B"],
  "a text of many lines": { text: `${"A line of some length here.\n".repeat(4)}` },
  "a long text": { text: "x".repeat(200) },
  "too long a text": ["z".repeat(10_100)],
  numbers: [1, 1.5, -0, 0, NaN, -Infinity, 1e21, 123_456_789, 10n],
  "other primitives": [null, undefined, true, false],
  boxed: [new String("s'"), new Number(-0), new Boolean(false), Object(Symbol("q")), Object(1n)],
  symbols: [
    Symbol("a"),
    Symbol(),
    Symbol.for("x y"),
    Symbol.asyncIterator,
    Symbol("1a"),
    Symbol("it's"),
    Symbol("a-b"),
    Symbol("a.b"),
    Symbol("ä"),
    Symbol("$_"),
    Symbol("_a1"),
    Symbol("a\nb"),
  ],
  "an object": { a: "x", "foo-bar": 1, "it's": 2, 3: "n", "": 4, $x: 5, "1a": 6, "ä": 7, 'q"': 8 },
  "keys that are symbols": { [Symbol("a")]: 1, [Symbol("ok")]: "v", [Symbol.iterator]: null },
  "nested objects": { a: { b: { c: { d: { e: { f: 1 } } } } } },
  "nested arrays": [[[[[[1]]]]]],
  "nested in a map": new Map([["k", { a: { b: { c: { d: { e: 1 } } } } }]]),
  "a wide object": { first_property: "long enough", second_property: "also long", third: "x y z" },
  "objects in an array": [{ id: 1, tags: ["a", "b"] }, { id: 2, tags: [] }],
  "many keys": Object.fromEntries(upto(120).map((n) => [`key${n}`, n])),
  "no prototype": Object.assign(Object.create(null), { a: "x" }),
  "a prototype of its own": Object.create({ a: 1 }),
  "a child of an instance": Object.create(new Point()),
  "an instance": new Point(),
  "an instance of a subclass": new Named(),
  "an instance with a tag": new Tagged(),
  accessors: {
    get a(): number {
      return 1;
    },
    set b(_: number) {},
    get c(): number {
      return 1;
    },
    set c(_: number) {},
  },
  "a property that is hidden": Object.defineProperty({ a: 1 }, "hidden", { value: 2 }),
  frozen: Object.freeze({ a: "x" }),
  "an array": [1, 2, 3],
  words: ["one", "two", "three", "four", "five", "six", "seven", "eight"],
  sentences: ["a fairly long text, number one", "another one, number two", "and three", "four"],
  "seven of two kinds": [1, "a", 2, "b", 3, "c", 4],
  "numbers in columns": upto(30),
  "a long array": upto(250),
  "a long array of texts": upto(120).map((n) => `item ${n}`),
  "holes at the end": new Array(5),
  holes: [1, , , 4],
  "an array with a property": Object.assign([1, 2], { extra: "x" }),
  "booleans": Array(10).fill(true),
  "objects in columns": upto(8).map((n) => ({ n })),
  empty: [{}, [], new Map(), new Set()],
  "a map": new Map<unknown, unknown>([["a", 1], [{ k: 1 }, "v"], ["m", new Map([[1, "x"]])]]),
  "a set": new Set<unknown>(["a", 1, { x: "y" }, ["z"]]),
  "a long map": new Map(upto(130).map((n) => [`k${n}`, n])),
  "a long set": new Set(upto(130).map((n) => `k${n}`)),
  "iterators": [[1].values(), "ab"[Symbol.iterator]()],
  "subclasses of containers": [
    new (class Stack extends Array<number> {})(3).fill(1),
    new (class Registry extends Map<string, string> {})([["a", "b"]]),
    new (class Bag extends Set<number> {})([1]),
  ],
  circular,
  "a circular array": circular_array,
  "circular twice": { circular, again: circular },
  "a circular error": circular_error,
  "arguments": (function (..._args: unknown[]) {
    return arguments;
  })(1, "x"),
  "an error": err("plain"),
  "an error of another class": thrown(new TypeError("typed")),
  "an error without a message": err(""),
  "an error of two lines": err("line 1\nline 2"),
  "an error with causes": err("outer", { cause: err("middle", { cause: err("inner") }) }),
  "causes that are no errors": [err("a", { cause: "text" }), err("b", { cause: { code: "x" } })],
  "errors in an array": [err("a"), err("b", { cause: err("c") })],
  "an error in an object": { result: { error: err("a", { cause: err("c") }) } },
  "an error with properties": Object.assign(err("p"), { code: "E", details: { a: "x" } }),
  "a class of errors": thrown(new MyError("mine")),
  "a class of errors in an object": { deep: { error: thrown(new MyError("mine")) } },
  "a class of errors without a name": thrown(new Unnamed("unnamed")),
  "an aggregate error": thrown(
    new AggregateError([err("one"), thrown(new TypeError("two")), "three"], "all", {
      cause: err("why"),
    }),
  ),
  "aggregate errors in each other": {
    error: thrown(new AggregateError([thrown(new AggregateError([err("one")], "in"))], "out")),
  },
  "an error without a stack": Object.assign(new Error("bare"), { stack: undefined }),
  functions: [
    function named() {},
    () => {},
    async function af() {},
    function* g() {},
    async function* ag() {},
    Math.max,
    Point,
    Named,
    class {},
    class extends Point {},
  ],
  "a function with properties": Object.assign(function f() {}, { a: "x" }),
  methods: { m() {}, async am() {}, *g() {}, async *ag() {} },
  generators: [(function* g() {})(), (async function* ag() {})()],
  dates: [new Date(0), new Date(NaN)],
  "a regular expression": { pattern: /a"b'/gi },
  bytes: new Uint8Array([1, 2, 3]),
  "typed arrays": [new Float64Array([1.5, -0]), new BigInt64Array([1n]), new Int8Array()],
  "many bytes": new Uint8Array(150),
  "an array of bytes in an object": { chunk: new TextEncoder().encode("hello") },
  buffers: [new ArrayBuffer(2), new DataView(new ArrayBuffer(3), 1), { b: new ArrayBuffer(60) }],
  "weak ones": [new WeakMap(), new WeakSet()],
  proxies: [new Proxy({ a: "x" }, {}), new Proxy(function f() {}, {})],
  "a text of its own": [{
    [Symbol.for("nodejs.util.inspect.custom")]: () => "<first>\n<second>",
  }],
  namespaces: [Math, JSON, Reflect],
  "addresses": [new URL("http://example.org:81/a?b=1#c"), new URLSearchParams("a=1&b=it's")],
  "an empty address": new URLSearchParams(),
  headers: [new Headers({ a: "b", "content-type": "x" }), new Headers()],
  "an answer": new Response(null, { status: 204, headers: { a: "b" } }),
  "what aborts": [new AbortController(), AbortSignal.abort("r")],
  files: [new Blob(["x"], { type: "text/plain" }), new File(["x"], "name.txt")],
  encoders: [new TextEncoder(), new TextDecoder()],
  "objects that are too deep": [[[[[[new URL("a:b")], new ArrayBuffer(1)]]]]],
};

const FORMATS: readonly (readonly unknown[])[] = [
  [],
  [""],
  ["", 1],
  ["a", { b: "x" }, "c", ["d"], 1],
  [5, "%s", 1],
  ["%s %s %s", "a", 5n, { a: 1 }],
  ["%s %s", "only one"],
  ["%s", "a", "b", { c: "d" }],
  ["%s %s %s", null, undefined, Symbol("a")],
  ["%d %d %d %d %d", "5", 5.7, -0, 10n, true],
  ["%i %i %i %i", "5.9x", 1e21, null, ""],
  ["%f %f %f", "5.9x", 1.5, {}],
  ["%j %j", { a: "x" }, "y"],
  ["%j", undefined],
  ["%o %O", { a: "x", f() {} }, ["y"]],
  ["%O %o", "text", Symbol("a b")],
  ["%O", { a: { b: { c: { d: { e: { f: 1 } } } } } }],
  ["%c styled %c text", "color: red", ""],
  ["100%", 5],
  ["%%"],
  ["%% %x %5d", 1],
  ["%d%%%s", 50, "x"],
  ["%%s", "a"],
];

const TABLES: readonly (readonly [data: unknown, only?: string[]])[] = [
  [[{ a: 1, b: "x" }, { a: 22, c: true }]],
  [[1, 2]],
  [["a", "b'c", 'd"e', "two\nlines"]],
  [new Map<unknown, unknown>([["k", { x: 1 }], [{ o: 1 }, 2]])],
  [new Set<unknown>(["a", { b: 1 }])],
  [{ x: { y: 1 }, z: 2 }],
  [5],
  ["text"],
  [null],
  [undefined],
  [() => 1],
  [[]],
  [{}],
  [[[1, 2], [3, { a: "x" }]]],
  [[1, { a: 2 }, [3, "x"]]],
  [[{ a: 1, b: 2 }], ["b"]],
  [[{ a: 1 }, { b: 2 }], ["b", "c"]],
  [[{ a: 1 }], []],
  [[1, { a: 1 }], ["a"]],
  [[{ "ü🙂": "任务", a: "é" }]],
  [[{ a: { b: { c: { d: 1 } } }, f() {}, d: new Date(0), n: null, u: undefined }]],
  [[-1.5, 2]],
  [[1.5, 22]],
  [[-1, 22]],
  [[10n, 2n]],
  [[NaN, 1]],
  [[1e21, 1]],
  [[true, false]],
  [[undefined, null]],
  [[Symbol("s")]],
  [[() => 1]],
  [[[]]],
  [[new Map([["a", 1]])]],
  [[new Point(), new Named()]],
  [new Uint8Array([1, 20])],
  [[{ a: undefined, b: "" }]],
];

for (const [name, value] of Object.entries(VALUES)) {
  console.log(`=== ${name}`);
  console.log(value);
}
FORMATS.forEach((args, index) => {
  console.log(`=== format ${index}`);
  console.log(...args);
});
TABLES.forEach(([data, only], index) => {
  console.log(`=== table ${index}`);
  console.table(data, only);
});
console.log("=== groups");
console.group("group", 1);
console.log("inside\nof it");
console.group();
console.log({ a: "x" });
console.groupEnd();
console.groupEnd();
console.groupEnd();
console.log("behind it");
console.log("=== counts");
console.count();
console.count("a");
console.count();
console.countReset();
console.count();
console.log("=== dir");
console.dir("text");
console.dir({ a: { b: { c: { d: { e: { f: 1 } } } } } });
console.dir({ a: { b: 1 } }, { depth: 0 });
console.dirxml({ a: "x" });
console.info("info %s", 1);
console.debug({ debug: "x" });
