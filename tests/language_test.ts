/** What a machine can check of how the library speaks, in its comments and in the messages of its errors. */

import { assertEquals } from "@std/assert";
import { type NewExpression, Node, Project, type SourceFile, ts } from "ts-morph";

const ROOT = new URL("../", import.meta.url).pathname;

/** A rule, and what to write in the place of what it forbids. */
interface Rule {
  readonly advice: string;
  /** What is wrong in a file, as it stands there. */
  find(file: SourceFile): { readonly text: string; readonly position: number }[];
  /** The files in which there is something wrong today, to become none. */
  readonly known: readonly string[];
}

interface Comment {
  readonly text: string;
  readonly position: number;
}

/** Every comment; lines of `//` one after the other are several. */
function comments_of(file: SourceFile): Comment[] {
  const text = file.getFullText();
  const found = new Map<number, Comment>();
  const visit = (node: ts.Node) => {
    for (
      const range of [
        ...ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [],
        ...ts.getTrailingCommentRanges(text, node.getEnd()) ?? [],
      ]
    ) {
      found.set(range.pos, { text: text.slice(range.pos, range.end), position: range.pos });
    }
    node.getChildren(file.compilerNode).forEach(visit);
  };
  visit(file.compilerNode);
  return [...found.values()];
}

/** The words of a comment, without the marks at the beginnings of its lines and without code. */
function words_of({ text }: Comment): string {
  return text.replace(/^\/\*\*?|\*\/$/g, "").replaceAll(/^\s*(?:\*|\/\/) ?/gm, "")
    .replaceAll(/```[^]*?```/g, "").replaceAll(/`[^`]*`/g, "").trim();
}

function comments_with(pattern: RegExp) {
  return (file: SourceFile) =>
    comments_of(file).flatMap((comment) => {
      const [match] = words_of(comment).match(pattern) ?? [];
      return match === undefined ? [] : [{ text: match, position: comment.position }];
    });
}

/** CPython's own texts, kept though they have words of Python's. */
const KEPT: readonly string[] = [
  `"can't send non-None value to a just-started async generator"`,
  `"can't send non-None value to a just-started coroutine"`,
];

const ERROR = /(?:Error|Exception|Group|Iteration|Interrupt|ShutDown|Full|Empty)$/;

/** The texts of what an error is made with. */
function texts_in(made: NewExpression): Node[] {
  return made.getArguments().flatMap((argument) => [
    argument,
    ...argument.getDescendants(),
  ]).filter((node) =>
    Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node) ||
    Node.isTemplateHead(node) || Node.isTemplateMiddle(node) || Node.isTemplateTail(node)
  );
}

function messages_with(pattern: RegExp) {
  return (file: SourceFile) =>
    file.getDescendants().filter(Node.isNewExpression)
      .filter((made) => ERROR.test(made.getExpression().getText()))
      .flatMap(texts_in)
      .filter((node) => pattern.test(node.getText()) && !KEPT.includes(node.getText()))
      .map((node) => ({ text: node.getText(), position: node.getStart() }));
}

const RULES: Readonly<Record<string, Rule>> = {
  "no comment begins with What or Whether": {
    advice: 'begin with a verb: "Returns …", "Checks whether …", or name the thing',
    find: comments_with(/^(?:What|Whether)\b.*/),
    known: [],
  },
  "no comment speaks of who": {
    advice: "say the waiter, the caller, the owner, the task; nothing, no task",
    find: comments_with(/.*\b(?:who|whoever|whom|nobody|somebody)\b.*/i),
    known: [],
  },
  "comments have the words of the field": {
    advice:
      "say resume, continue, settle, deliver, retrieve, abandon; the native promise, the foreign wait",
    find: comments_with(
      /.*\b(?:go(?:es)? on|went on|g(?:ave|ives?|iven) up|(?:is|are|be|been|was) told (?:of|to)|asked for|looks? at|elsewhere|of ours|not ours|comes? to (?:its|their))\b.*/i,
    ),
    known: [],
  },
  "no message of an error has a word of Python's": {
    advice: "say null, string, array, function; what is CPython's own text is listed in KEPT",
    find: messages_with(/\b(?:None|str|tuple|callable)\b/),
    known: [
      "src/core/futures.ts",
    ],
  },
  "no message of an error says what was received after a comma": {
    advice: "say `Cannot <do what>: <why>: received <what>`",
    find: messages_with(/, received /),
    known: [],
  },
};

const FILES = new Project({ compilerOptions: { allowImportingTsExtensions: true } })
  .addSourceFilesAtPaths([`${ROOT}*.ts`, `${ROOT}src/**/*.ts`]);

for (const [name, { advice, find, known }] of Object.entries(RULES)) {
  Deno.test(`language: ${name}`, () => {
    const wrong = new Map<string, string[]>();
    for (const file of FILES) {
      const path = file.getFilePath().slice(ROOT.length);
      const places = find(file).map(({ text, position }) => {
        const { line } = file.getLineAndColumnAtPos(position);
        return `${path}:${line}: ${text}`;
      });
      if (places.length > 0) wrong.set(path, places);
    }
    const unknown = [...wrong].filter(([path]) => !known.includes(path)).flatMap(([, at]) => at);
    assertEquals(unknown, [], advice);
    const mended = known.filter((path) => !wrong.has(path));
    assertEquals(mended, [], "nothing is wrong here any more: taken off the list");
  });
}
