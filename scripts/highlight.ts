/** Colours for a few kinds of words in TypeScript source: enough to read it by, not a parser. */

/** The kinds of words that are told apart. */
export type Kind = "comment" | "string" | "keyword" | "number";

const KEYWORDS = [
  ..."as async await break case catch class const continue else extends finally for from".split(
    " ",
  ),
  ..."function if import in instanceof interface let new of readonly return switch this".split(" "),
  ..."throw try typeof using void while yield false null true undefined".split(" "),
];

/** One kind of word each; what stands between `${` and `}` in a template is part of the string. */
const PATTERNS: Readonly<Record<Kind, string>> = {
  comment: String.raw`//.*|/\*[^]*?\*/`,
  string: String.raw`"(?:\\.|[^"\\])*"|\`(?:\\.|[^\`\\])*\``,
  keyword: String.raw`\b(?:${KEYWORDS.join("|")})\b`,
  number: String.raw`\b\d[\w.]*`,
};

const KINDS: readonly Kind[] = ["comment", "string", "keyword", "number"];

const WORDS = new RegExp(KINDS.map((kind) => `(${PATTERNS[kind]})`).join("|"), "g");

/** The source with `paint` applied to every word of a kind, line by line where it has several. */
export function highlight(source: string, paint: (kind: Kind, text: string) => string): string {
  return source.replace(WORDS, (word: string, ...groups: unknown[]) => {
    const kind = KINDS[groups.findIndex((group) => group !== undefined)];
    return word.split("\n").map((line) => paint(kind!, line)).join("\n");
  });
}
