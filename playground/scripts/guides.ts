/** The guides of `docs/`, as pages beside the playground's own. */

import { Marked, type Tokens } from "marked";
import { gfmHeadingId } from "marked-gfm-heading-id";

const GUIDES = new URL("../../docs/", import.meta.url);

const ROOT = new URL("../../", import.meta.url);

/** The file of a guide: the index has a server's usual name. */
function page_of(guide: string): string {
  return `${guide === "README.md" ? "index" : guide.replace(/\.md$/, "")}.html`;
}

/**
 * Where a link in a guide leads from its page.
 *
 * @param href the link, as it is in the guide
 * @param sources where the files of the repository are on the web; `null` if nowhere
 * @returns the address; `null` for a file of the repository that is not on the web
 */
export function address_of(href: string, sources: string | null): string | null {
  if (/^([a-z]+:|#)/i.test(href)) return href;
  const { pathname, hash } = new URL(href, GUIDES);
  const guide = pathname.startsWith(GUIDES.pathname) ? pathname.slice(GUIDES.pathname.length) : "";
  if (/^\w+\.md$/.test(guide)) return page_of(guide) + hash;
  if (/^\w+\.svg$/.test(guide)) return guide;
  return sources === null ? null : `${sources}/${pathname.slice(ROOT.pathname.length)}${hash}`;
}

function renderer(sources: string | null): Marked {
  return new Marked(gfmHeadingId(), {
    renderer: {
      link({ href, tokens }: Tokens.Link) {
        const text = this.parser.parseInline(tokens);
        const address = address_of(href, sources);
        return address === null ? text : `<a href="${address}">${text}</a>`;
      },
    },
  });
}

function page(title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} – asyncio for TypeScript</title>
    <link rel="icon" href="../icon.svg">
    <link rel="stylesheet" href="../style.css">
  </head>
  <body class="guide">
    <nav aria-label="Site"><a href="../">Playground</a> <a href="index.html">Documentation</a></nav>
    <main>
${body}
    </main>
  </body>
</html>
`;
}

/**
 * Writes all guides as pages.
 *
 * @param folder where to; it is made if it is not there
 * @param sources where the files of the repository are on the web, for links to them; `null` if nowhere: then they
 * are no links
 */
export async function write_guides(folder: string, sources: string | null): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const { name } of Deno.readDirSync(GUIDES)) {
    const file = new URL(name, GUIDES);
    if (name.endsWith(".svg")) await Deno.copyFile(file, `${folder}/${name}`);
    if (!name.endsWith(".md")) continue;
    const text = await Deno.readTextFile(file);
    const [, title = name] = text.match(/^# (.*)$/m) ?? [];
    const body = await renderer(sources).parse(text);
    await Deno.writeTextFile(
      `${folder}/${page_of(name)}`,
      page(title.replaceAll("`", ""), body),
    );
  }
}
