/** What `deno doc` knows of the module: every public name, its parameters, its docstring. */

import { ENTRY_POINTS } from "../../scripts/entry_points.ts";
import { ROOT } from "./document.ts";

interface Tag {
  readonly kind: string;
  /** The name of a parameter. */
  readonly name?: string;
  readonly tsType?: Type;
  readonly doc?: string;
}

interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly Tag[];
}

interface Type {
  readonly repr?: string;
  readonly kind: string;
  readonly value?: { readonly typeParams?: readonly Type[] };
}

interface Param {
  readonly kind: string;
  readonly name?: string;
  readonly left?: Param;
  readonly arg?: Param;
}

/** A function, or what a method has of one. */
interface Signature {
  readonly params?: readonly Param[];
  readonly returnType?: Type;
  readonly hasBody?: boolean;
}

interface Member extends Signature {
  readonly name: string;
  readonly kind?: string;
  readonly jsDoc?: JsDoc;
  readonly isAbstract?: boolean;
  readonly functionDef?: Signature;
}

interface Declaration {
  readonly kind: string;
  readonly jsDoc?: JsDoc;
  readonly def: Signature & {
    readonly isAbstract?: boolean;
    readonly constructors?: readonly Member[];
    readonly properties?: readonly Member[];
    readonly methods?: readonly Member[];
  };
}

interface Documentation {
  readonly nodes: {
    readonly [file: string]: {
      readonly symbols: readonly {
        readonly name: string;
        readonly declarations: readonly Declaration[];
      }[];
    };
  };
}

/** One public name, with all its overloads. */
export interface Entry {
  /** `sleep`, `Queue`, `Queue.get`, `Queue.constructor`. */
  readonly name: string;
  readonly kind: "function" | "class" | "method" | "constructor" | "value" | "type";
  readonly is_abstract: boolean;
  /** What its docstring says before the tags. */
  readonly text: string;
  readonly tags: readonly Tag[];
  readonly params: readonly string[];
  /** What it returns in the end, behind promises; `void` if nothing. */
  readonly returns: string;
}

function param_name({ name, left, arg }: Param): string {
  const inner = left ?? arg;
  return name ?? (inner === undefined ? "" : param_name(inner));
}

function result_of(type: Type | undefined): string {
  if (type === undefined) return "void";
  const behind = ["Promise", "Coroutine"].includes(type.repr ?? "") && type.value?.typeParams?.[0];
  return behind ? result_of(behind) : type.repr || type.kind;
}

function make_entry(
  name: string,
  kind: Entry["kind"],
  docs: readonly (JsDoc | undefined)[],
  signatures: readonly Signature[] = [],
  is_abstract = false,
): Entry {
  // Only the overloads are public, where there are some.
  const overloads = signatures.filter(({ hasBody }) => !hasBody);
  const shown = overloads.length > 0 ? overloads : signatures;
  return {
    name,
    kind,
    is_abstract,
    text: docs.map((doc) => doc?.doc ?? "").join("\n").trim(),
    tags: docs.flatMap((doc) => doc?.tags ?? []),
    params: [...new Set(shown.flatMap(({ params }) => (params ?? []).map(param_name)))]
      .filter((param) => param !== "this"),
    returns: result_of(shown[0]?.returnType),
  };
}

function members_of(owner: string, { def }: Declaration): Entry[] {
  const of = (member: Member) => `${owner}.${member.name}`;
  const by_name = Map.groupBy(def.methods ?? [], (method) => `${method.kind} ${method.name}`);
  return [
    ...(def.constructors ?? []).map((made) =>
      make_entry(of(made), "constructor", [made.jsDoc], [made])
    ),
    ...(def.properties ?? []).map((property) =>
      make_entry(of(property), "value", [property.jsDoc])
    ),
    ...[...by_name.values()].map((overloads) => {
      const is_value = overloads[0]!.kind === "getter";
      return make_entry(
        of(overloads[0]!),
        is_value ? "value" : "method",
        overloads.map(({ jsDoc }) => jsDoc),
        overloads.map((method) => method.functionDef ?? method),
      );
    }),
  ];
}

const KINDS: { [kind: string]: Entry["kind"] } = {
  function: "function",
  class: "class",
  variable: "value",
};

function entries_of(name: string, declarations: readonly Declaration[]): Entry[] {
  const { kind, def } = declarations[0]!;
  const own = make_entry(
    name,
    KINDS[kind] ?? "type",
    declarations.map(({ jsDoc }) => jsDoc),
    kind === "function" ? declarations.map(({ def }) => def) : [],
    def.isAbstract,
  );
  return [own, ...declarations.flatMap((declaration) => members_of(name, declaration))];
}

/** All names that the entry points export, with those of their members that are not internal. */
export async function read_reference(): Promise<Entry[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...ENTRY_POINTS.map(({ module }) => `${module}.ts`)],
    cwd: ROOT,
  }).output();
  if (code !== 0) throw new Error(`deno doc failed: ${new TextDecoder().decode(stderr)}`);
  const documentation: Documentation = JSON.parse(new TextDecoder().decode(stdout));
  return Object.values(documentation.nodes)
    .flatMap(({ symbols }) => symbols)
    .flatMap(({ name, declarations }) => entries_of(name, declarations))
    .filter(({ tags }) => !tags.some(({ kind }) => kind === "internal"));
}
