/** What the pages of the generated site say. */

import type { SeededRandom } from "../../seed/support/seeded_random.ts";

/** A language, and the character sets in which it was once written. */
interface Language {
  readonly article: string;
  readonly words: readonly string[];
}

export const LANGUAGES = {
  english: { article: "Article", words: ["river", "winter", "copper", "silent", "harbour"] },
  french: { article: "Été", words: ["forêt", "château", "élève", "naïf", "œuvre"] },
  russian: { article: "Статья", words: ["река", "зима", "медь", "тишина", "гавань"] },
  japanese: { article: "記事", words: ["川", "冬", "銅", "静か", "港"] },
  chinese: { article: "文章", words: ["河流", "冬天", "铜", "安静", "港口"] },
} as const satisfies Record<string, Language>;

export type LanguageName = keyof typeof LANGUAGES;

export function words(random: SeededRandom, language: LanguageName, count: number): string {
  const { words } = LANGUAGES[language];
  return Array.from({ length: count }, () => words[random.randint(0, words.length - 1)]).join(" ");
}

/** A page with a list of links. `head` goes before the title. */
export function html(title: string, text: string, links: readonly string[], head = ""): string {
  const items = links.map((link) => `<li><a href="${link}">${link}</a></li>`).join("\n");
  return `<!doctype html>
<html><head>${head}<title>${title}</title></head>
<body><h1>${title}</h1>
<p>${text}</p>
<ul>
${items}
</ul></body></html>
`;
}

/** The same as people wrote it by hand. */
export function broken_html(title: string, text: string, links: readonly string[]): string {
  const items = links.map((link) => `<li><A HREF=${link}>${link}<b><i>more</b></i>`).join("\n");
  return `<TITLE>${title}</TITLE><table><tr><p>${text} & so on <3
<ul>${items}<td></table></div><!-- never closed`;
}
