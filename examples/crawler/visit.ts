/** A visit: what a URL and the reply to its request come to. */

import type { Answer } from "./download.ts";
import type { Reply } from "./client.ts";
import type { Outcome, Page, Target } from "./page.ts";
import { parse_page } from "./parsing.ts";
import { canonical } from "./urls.ts";

export interface Visit {
  readonly page: Page;
  /** Where it leads. */
  readonly targets: readonly Target[];
}

/** More redirects in a row are a trap. */
const MOST_REDIRECTS = 10;

/** What comes of a target that may not be visited. */
export function disallowed(target: Target, objection: string): Visit {
  return { page: blank(target, "disallowed", objection), targets: [] };
}

/** What comes of a target that was asked for. */
export function visit(target: Target, { answer, problem, attempts, seconds }: Reply): Visit {
  const { page, targets } = answer === null
    ? { page: blank(target, "error", problem), targets: [] }
    : read(target, answer);
  return { page: { ...page, attempts, seconds }, targets };
}

function read(target: Target, answer: Answer): Visit {
  const { status, content_type, body, location } = answer;
  const answered = { status, content_type, size: body.length };
  if (status >= 300 && status < 400) {
    const leads_to = location === null ? null : canonical(location, target.url);
    const page = { ...blank(target, "redirect"), ...answered, location: leads_to };
    return follow(target, page);
  }
  if (status >= 400) {
    return { page: { ...blank(target, "error", `status ${status}`), ...answered }, targets: [] };
  }
  const { title, links } = parse_page(target.url, answer);
  return {
    page: { ...blank(target, "page"), ...answered, title, links },
    targets: links.map((url) => ({ url, depth: target.depth + 1, redirects: 0 })),
  };
}

function follow({ depth, redirects }: Target, page: Page): Visit {
  const outcome = "error";
  if (page.location === null) {
    return { page: { ...page, outcome, problem: "a redirect to nowhere" }, targets: [] };
  }
  if (redirects === MOST_REDIRECTS) {
    const problem = `more than ${MOST_REDIRECTS} redirects in a row`;
    return { page: { ...page, outcome, problem }, targets: [] };
  }
  return { page, targets: [{ url: page.location, depth, redirects: redirects + 1 }] };
}

function blank({ url, depth }: Target, outcome: Outcome, problem: string | null = null): Page {
  return {
    url,
    depth,
    outcome,
    problem,
    status: null,
    content_type: null,
    title: null,
    size: 0,
    location: null,
    attempts: 0,
    fetched_at: new Date(),
    seconds: 0,
    links: [],
  };
}
