/** The types of npm's robots-parser as it is imported here; its own describe another kind of module. */

interface Robot {
  isAllowed(url: string, user_agent?: string): boolean | undefined;
  getCrawlDelay(user_agent?: string): number | undefined;
}

export type { Robot };
export default function robots_parser(url: string, text: string): Robot;
