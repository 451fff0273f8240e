/** A race, and the same program without it. */

import * as asyncio from "@pythonic/asyncio";

/** Makes a program in which two requests refresh an expired token. */
function refreshing(refresh_of) {
  return async () => {
    let valid = 1;
    const refresh = refresh_of((used) =>
      asyncio.from_promise(() => {
        if (used !== valid) throw new Error("refresh token used twice");
        return Promise.resolve(++valid);
      })
    );
    let token = null;
    const request = async (delay) => {
      await asyncio.sleep(delay);
      token ??= await refresh(1);
    };
    await asyncio.gather(() => request(0), () => request(0.05));
  };
}

export const two_requests = refreshing((refresh) => refresh);

export const mended = refreshing((refresh) => {
  let running = null;
  return (used) => asyncio.shield(running ??= asyncio.create_task(() => refresh(used)));
});
