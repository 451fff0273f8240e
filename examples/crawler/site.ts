/**
 * A site to crawl without a network: thousands of linked pages, generated from a seed.
 *
 * ```sh
 * deno task crawl:site --port 8000 --articles 3000 --seed 1
 * ```
 */

import { parseArgs } from "node:util";
import { parsed, whole_number } from "../seed/support/command_line.ts";
import { Site } from "./site/serve.ts";

const { port, articles, seed } = parsed(() => {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8000" },
      articles: { type: "string", default: "3000" },
      seed: { type: "string", default: "1" },
    },
  });
  return {
    port: whole_number("--port", values.port),
    articles: whole_number("--articles", values.articles, 1),
    seed: whole_number("--seed", values.seed),
  };
});
const site = new Site({ port, articles, seed });
console.log(site.url);
await site.finished;
