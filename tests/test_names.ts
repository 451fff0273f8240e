/** The names of tests, as they stand in the texts of test files. */

/** Makes a function that tells whether there is a test of a name. */
export function finder_of_tests(text: string): (name: string) => boolean {
  // Names of families are templates, in which anything may stand for a part.
  const families = [...text.matchAll(/Deno\.test\(\s*`([^`]*)`/g)].map(([, template = ""]) =>
    new RegExp(`^${template.split(/\$\{[^}]*\}/).map((part) => RegExp.escape(part)).join(".*")}$`)
  );
  return (name) =>
    text.includes(JSON.stringify(name)) || families.some((family) => family.test(name));
}
