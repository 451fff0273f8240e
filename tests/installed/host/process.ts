/** What a dependency of the tests takes for granted in browsers. */
export const process = { env: {} };
