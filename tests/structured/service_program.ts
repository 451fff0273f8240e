/** A service that the tests of `run_service()` start on each host; its first argument says how it behaves. */

import { argv } from "node:process";
import * as asyncio from "../../mod.ts";
import { CancelScope, run_service, type Service, type ServiceOptions } from "../../structured.ts";

/** Tells the test that the next signal may come. */
function ask_for_signal(): void {
  console.log("signal");
}

const BEHAVIOURS: Record<string, (service: Service) => Promise<unknown>> = {
  async in_order(service) {
    console.log(service.health);
    await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      for (const name of ["first", "second"]) {
        group.create_task(() => asyncio.sleep(60).finally(() => console.log(`${name} ends`)));
      }
      await asyncio.sleep(0);
      service.ready();
      console.log(service.health);
      ask_for_signal();
      await asyncio.sleep(60);
    }).finally(async () => {
      await asyncio.async_with(new CancelScope({ shield: true }), () => asyncio.sleep(0.001));
      console.log(`${service.health} by ${service.signal}`);
    });
  },
  async slow(service) {
    try {
      service.ready();
      ask_for_signal();
      await asyncio.sleep(60);
    } finally {
      ask_for_signal();
      await asyncio.sleep(60);
      console.log("never");
    }
  },
  async blocked() {
    ask_for_signal();
    await new Promise(() => setInterval(() => {}, 1000)); // no cancellation reaches it
  },
  async failing() {
    await asyncio.sleep(0);
    throw new TypeError("no database");
  },
  async failing_clean_up() {
    ask_for_signal();
    await asyncio.sleep(60).finally(() => {
      throw new TypeError("not closed");
    });
  },
  async returning() {
    await asyncio.sleep(0);
    return 3;
  },
  async stopping(service) {
    asyncio.get_running_loop().call_later(0.001, () => service.stop());
    await asyncio.sleep(60).finally(() => console.log(service.health));
  },
};

const [, , behaviour, options] = argv;
const code = await run_service(
  BEHAVIOURS[behaviour as string] as (service: Service) => Promise<unknown>,
  JSON.parse(options ?? "{}") as ServiceOptions,
);
console.log(`code ${code}`);
