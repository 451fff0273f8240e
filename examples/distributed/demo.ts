// Submits calls to the workers of a queue: results, progress, an error, a key.
// Run it: deno run -A examples/distributed/demo.ts redis://127.0.0.1:6379

import * as asyncio from "../../mod.ts";
import { QueueExecutor } from "./queue_executor.ts";
import type * as work from "./work.ts";

async function main(url: string) {
  await using cluster = new QueueExecutor<typeof work>(url);
  const loop = asyncio.get_running_loop();
  const found: number[] = await asyncio.gather(
    [1000, 10_000, 100_000].map((below) => loop.run_in_executor(cluster, "count_primes", below)),
  );
  console.log("primes:", ...found);

  const on_progress = (value: unknown) => console.log("progress:", value);
  const rendered = loop.run_in_executor(cluster.with({ on_progress }), "render", 3, 0.1);
  console.log("rendered:", await rendered);

  const stubborn = cluster.with({ retries: 2, backoff: 0.1 });
  try {
    await loop.run_in_executor(stubborn, "charge", 99);
  } catch (error) {
    console.log("error:", (error as Error).message);
  }

  // Submitted as often as one likes, made once.
  const order = cluster.with({ key: `order ${crypto.randomUUID()}` });
  for (let n = 0; n < 3; n++) console.log("charged:", await order.submit("charge", 0));
}

await asyncio.run(() => main(Deno.args[0] ?? "redis://127.0.0.1:6379"));
