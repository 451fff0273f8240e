/** What goes through the crawler: a URL that waits for its visit, and the page that comes of it. */

/** A URL that is to be visited. */
export interface Target {
  readonly url: string;
  /** How many links lead to it from the start page. */
  readonly depth: number;
  /** How many redirects in a row have led to it. */
  readonly redirects: number;
}

/** How a visit ended. */
export type Outcome = "page" | "redirect" | "error" | "disallowed";

/** A URL that has been visited. */
export interface Page {
  readonly url: string;
  readonly depth: number;
  readonly outcome: Outcome;
  /** The status of the last answer; `null` if there was none. */
  readonly status: number | null;
  readonly content_type: string | null;
  readonly title: string | null;
  /** The size of the body that was read, in bytes. */
  readonly size: number;
  /** Where a redirect leads. */
  readonly location: string | null;
  /** What went wrong. */
  readonly problem: string | null;
  /** How many requests were made. */
  readonly attempts: number;
  /** When the visit ended. */
  readonly fetched_at: Date;
  /** How long the last request took. */
  readonly seconds: number;
  /** The URLs that it links to, each once. */
  readonly links: readonly string[];
}
