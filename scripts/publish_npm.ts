/** Packs and publishes on npm: `deno task publish:npm`; what is given to it is given to `npm publish`. */

import { pack } from "./pack.ts";

const { code } = await new Deno.Command("npm", {
  args: ["publish", await pack(), "--access", "public", ...Deno.args],
}).spawn().status;
Deno.exit(code);
