// explore(): finds the order of events in which a program fails, keeps it, and makes the same run again.
import * as asyncio from "@pythonic/asyncio";
import { ExplorationError, explore } from "@pythonic/asyncio/testing";

/** Two requests of a session that has expired. A refresh token can be used once; used again, it ends the session. */
async function two_requests() {
  let valid = 1;
  const refresh = (token: number) =>
    asyncio.from_promise(() =>
      token === valid
        ? Promise.resolve(++valid)
        : Promise.reject(new Error("refresh token used twice: the session is over"))
    );
  let refresh_token = 1;
  let is_expired = true;
  const request = async (delay: number) => {
    await asyncio.sleep(delay);
    if (!is_expired) return;
    refresh_token = await refresh(refresh_token);
    is_expired = false;
  };
  await asyncio.gather(() => request(0), () => request(0.05));
}

/** The schedule of an ExplorationError, from here or from a test elsewhere: then only that run is made. */
const replay: string | null = null;

try {
  const { runs } = await explore(two_requests, { replay });
  console.log(`${runs} runs, and none fails`);
} catch (error) {
  if (!(error instanceof ExplorationError)) throw error;
  console.log(error.message);
  // As often as one likes, on every host.
  const again = await explore(two_requests, { replay: error.schedule }).catch((error) => error);
  console.log(`\nAgain: ${(again as ExplorationError).cause}`);
}
