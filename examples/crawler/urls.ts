/** URLs in the one form in which they are compared and stored. */

/** Longer ones are traps more often than pages, and databases have limits. */
const LONGEST = 2000;

/** The characters that mean the same whether they are escaped or not. */
const UNRESERVED = /[A-Za-z0-9._~-]/;

/**
 * The canonical form of a link: absolute, without fragment and credentials, escapes in one spelling;
 * `null` if it is nothing that this crawler can visit.
 */
export function canonical(href: string, base?: string): string | null {
  const url = URL.parse(href, base);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  // Each assignment has the URL parsed again: most links need none.
  if (url.href.includes("#")) url.hash = "";
  if (url.username !== "") url.username = "";
  if (url.password !== "") url.password = "";
  if (url.pathname.includes("%")) url.pathname = one_spelling(url.pathname);
  if (url.search.includes("%")) url.search = one_spelling(url.search);
  return url.href.length <= LONGEST ? url.href : null;
}

function one_spelling(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (escape, code) => {
    const character = String.fromCharCode(parseInt(code, 16));
    return UNRESERVED.test(character) ? character : escape.toUpperCase();
  });
}
