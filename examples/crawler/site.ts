/**
 * A site to crawl without a network: thousands of linked pages, generated from a seed.
 *
 * ```sh
 * deno task crawl:site --port 8080 --articles 3000 --seed 1
 * ```
 */

import { parseArgs } from "node:util";
import { parsed, whole_number } from "../seed/support/command_line.ts";
import { Site } from "./site/serve.ts";

const HELP = `Serves a generated site to crawl, on this machine, until Ctrl-C.

  deno task crawl:site [options]

  --port N      the port; 0 takes a free one (8080)
  --articles N  how many articles the site has (3000)
  --seed N      another number makes another site (1)
  --help, -h    this text`;

const { port, articles, seed } = parsed(() => {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8080" },
      articles: { type: "string", default: "3000" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    Deno.exit();
  }
  return {
    port: whole_number("--port", values.port, 0, 65535),
    articles: whole_number("--articles", values.articles, 1),
    seed: whole_number("--seed", values.seed),
  };
});

function serve(): Site {
  try {
    return new Site({ port, articles, seed });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    console.error(`Port ${port} is taken: choose another by --port`);
    Deno.exit(2);
  }
}

const site = serve();
console.log(site.url);
await site.finished;
