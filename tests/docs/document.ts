/** The Markdown files of the repository, and what the tests need of them: code blocks, headings, links. */

import GithubSlugger from "github-slugger";
import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { toString } from "mdast-util-to-string";
import { visit } from "unist-util-visit";

/** The top folder of the repository. */
export const ROOT = new URL("../../", import.meta.url);

/** A fenced block of code. */
export interface Block {
  /** The language: `python`, `ts`, `text`, … */
  readonly language: string;
  /** What follows the language: `deno test --doc` leaves out what it says `ignore` of. */
  readonly meta: string;
  readonly code: string;
  /** The last heading above it. */
  readonly heading: string;
  /** Its line in the file, from 1. */
  readonly line: number;
  /** Where it starts and ends in the file, fences included. */
  readonly start: number;
  readonly end: number;
}

/** A link or an image. */
export interface Link {
  readonly url: string;
  readonly line: number;
}

/** A Markdown file. */
export interface Document {
  /** Its path from the top folder. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** What may follow `#` in a link to it. */
  readonly anchors: ReadonlySet<string>;
}

function links_of_html(html: string): string[] {
  return [...html.matchAll(/\b(?:href|src|srcset)="([^"]+)"/g)].map(([, url]) => url!);
}

function url_of(node: Nodes): string[] {
  if (node.type === "html") return links_of_html(node.value);
  return node.type === "link" || node.type === "image" || node.type === "definition"
    ? [node.url]
    : [];
}

/** The parts of a Markdown text. */
export function parse(path: string, text: string): Document {
  const slugger = new GithubSlugger();
  const blocks: Block[] = [];
  const links: Link[] = [];
  const anchors = new Set<string>();
  let heading = "";
  visit(fromMarkdown(text), (node) => {
    const line = node.position?.start.line ?? 0;
    for (const url of url_of(node)) links.push({ url, line });
    if (node.type === "heading") {
      heading = toString(node);
      anchors.add(slugger.slug(heading));
    } else if (node.type === "code") {
      blocks.push({
        language: node.lang ?? "",
        meta: node.meta ?? "",
        code: node.value,
        heading,
        line,
        start: node.position?.start.offset ?? 0,
        end: node.position?.end.offset ?? 0,
      });
    }
  });
  return { path, text, blocks, links, anchors };
}

/** Reads a Markdown file, by its path from the top folder. */
export async function read(path: string): Promise<Document> {
  return parse(path, await Deno.readTextFile(new URL(path, ROOT)));
}

const IGNORED = [".git", "node_modules", "npm", "coverage", "reference"];

/** The paths of all Markdown files in a folder and in those below it. */
export async function find_documents(folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(new URL(`./${folder}`, ROOT))) {
    if (isFile && name.endsWith(".md")) paths.push(`${folder}${name}`);
    if (isDirectory && !IGNORED.includes(name)) {
      paths.push(...await find_documents(`${folder}${name}/`));
    }
  }
  return paths.sort();
}
