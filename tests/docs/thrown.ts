/** Which errors the public functions and methods throw by themselves, as their source has it. */

import {
  type ConstructorDeclaration,
  type FunctionDeclaration,
  type MethodDeclaration,
  Node,
  Project,
  SyntaxKind,
} from "ts-morph";
import { ENTRY_POINTS } from "../../scripts/entry_points.ts";

/** A function and the class of an error that a `throw` in its own body makes. */
export interface Thrown {
  /** As `deno doc` names it: `sleep`, `Queue.get`, `Queue.constructor`. */
  readonly name: string;
  readonly error: string;
}

type Callable = FunctionDeclaration | MethodDeclaration | ConstructorDeclaration;

/** The classes of errors that are made and thrown in a function, and not in one inside of it. */
function thrown_in(callable: Callable): string[] {
  const errors = callable.getDescendantsOfKind(SyntaxKind.ThrowStatement)
    .filter((statement) => statement.getFirstAncestor(Node.isFunctionLikeDeclaration) === callable)
    .map((statement) => statement.getExpression())
    .filter(Node.isNewExpression)
    .map((made) => made.getExpression().getText());
  return [...new Set(errors)];
}

function callables_of(name: string, declaration: Node): [name: string, callable: Callable][] {
  if (Node.isFunctionDeclaration(declaration)) return [[name, declaration]];
  if (!Node.isClassDeclaration(declaration)) return [];
  return [
    ...declaration.getConstructors().map((
      made,
    ): [string, Callable] => [`${name}.constructor`, made]),
    ...declaration.getMethods().map((method): [string, Callable] => [
      `${name}.${method.getName()}`,
      method,
    ]),
  ];
}

/** What all that the entry points export throws by itself. */
export function read_thrown(): Thrown[] {
  const project = new Project({ compilerOptions: { allowImportingTsExtensions: true } });
  const entries = project.addSourceFilesAtPaths(ENTRY_POINTS.map(({ file }) => file.pathname));
  project.resolveSourceFileDependencies();
  return entries.flatMap((entry) => [...entry.getExportedDeclarations()])
    .flatMap(([name, declarations]) => declarations.flatMap((found) => callables_of(name, found)))
    .flatMap(([name, callable]) => thrown_in(callable).map((error) => ({ name, error })));
}
