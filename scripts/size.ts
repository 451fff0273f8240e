/**
 * Prints what the bundle of a program is made of: its size, the modules, and its largest classes, functions
 * and constants.
 *
 *     deno task size                                          of `import { run, sleep }`
 *     deno task size 'export * from "./mod.ts";'
 *     deno task size 'import { Queue } from "./mod.ts"; console.log(new Queue());'
 */

import { type ClassDeclaration, type ClassExpression, Node, Project } from "ts-morph";
import { measure_sources, readable_bundle } from "./bundle_size.ts";

const SMALLEST = `import { run, sleep } from "./mod.ts"; await run(sleep(1));`;

/** How many declarations are listed. */
const LISTED = 60;

/** A name with its size, in bytes or characters. */
type Sized = readonly [name: string, size: number];

function table(rows: Iterable<Sized>): string {
  return [...rows].sort(([, one], [, other]) => other - one).slice(0, LISTED)
    .map(([name, size]) => `${String(size).padStart(7)}  ${name}`).join("\n");
}

function sized(name: string, node: Node): Sized {
  return [name, node.getText().length];
}

/** A class with its methods, a function, a constant; the beginning of any other statement. */
function parts_of(node: Node): Sized[] {
  if (Node.isVariableStatement(node)) return node.getDeclarations().flatMap(parts_of);
  if (Node.isVariableDeclaration(node)) {
    const made = node.getInitializer();
    return Node.isClassExpression(made)
      ? parts_of_class(node.getName(), made)
      : [sized(node.getName(), node)];
  }
  if (Node.isClassDeclaration(node)) return parts_of_class(node.getName() ?? "", node);
  if (Node.isFunctionDeclaration(node)) return [sized(`${node.getName()}()`, node)];
  return [sized(node.getText().slice(0, 60), node)];
}

function parts_of_class(name: string, made: ClassDeclaration | ClassExpression): Sized[] {
  const methods = made.getMembers().filter(Node.isMethodDeclaration);
  return [
    sized(`class ${name}`, made),
    ...methods.map((method) => sized(`  ${name}.${method.getName()}()`, method)),
  ];
}

const [program = SMALLEST] = Deno.args;
const { minified, compressed, parts } = await measure_sources(program);
console.log(`${minified} bytes, ${compressed} compressed: ${program}\n`);
console.log(`Bytes of each module, minified:\n${table(parts)}\n`);
const text = await readable_bundle(program);
const file = new Project({ useInMemoryFileSystem: true }).createSourceFile("bundle.js", text);
const declarations = file.getStatements().flatMap(parts_of);
console.log(
  `Characters of the largest declarations, before names are shortened:\n${table(declarations)}`,
);
