/**
 * How late the host's timers and HTTP requests are served while as many tasks as the last argument says are
 * busy with `sleep(0)`; prints the delays in milliseconds.
 *
 * @module
 */

import { create_task, gather, run, sleep } from "../../../mod.ts";
import { deno_command, run_worker } from "../child.ts";

/** What is printed. */
export interface Delays {
  readonly timer: readonly number[];
  readonly http: readonly number[];
}

const TIMERS = 200;
const TIMER_MS = 5;

const busy_tasks = Number(Deno.args.at(-1));

async function timer_lateness(): Promise<number[]> {
  const late: number[] = [];
  while (late.length < TIMERS) {
    const due = performance.now() + TIMER_MS;
    await new Promise((resolve) => setTimeout(resolve, TIMER_MS));
    late.push(performance.now() - due);
  }
  return late;
}

async function http_delays(): Promise<number[]> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    return new Response("served");
  });
  const address = `http://127.0.0.1:${server.addr.port}/`;
  const delays: number[] = JSON.parse(
    await run_worker([...deno_command("http_client.ts"), address]),
  );
  await server.shutdown();
  return delays;
}

await run(async () => {
  let busy = true;
  const spin = async () => {
    while (busy) await sleep(0);
  };
  const tasks = Array.from({ length: busy_tasks }, () => create_task(spin));
  await sleep(0);
  const delays: Delays = { timer: await timer_lateness(), http: await http_delays() };
  busy = false;
  await gather(tasks);
  console.log(JSON.stringify(delays));
});
