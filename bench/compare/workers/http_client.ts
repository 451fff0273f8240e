/**
 * Requests the address given as last argument again and again; prints how long each took, in milliseconds.
 *
 * @module
 */

const REQUESTS = 300;
const WARM_UP = 20;

const address = Deno.args.at(-1) ?? "";
const taken: number[] = [];
for (let request = -WARM_UP; request < REQUESTS; request++) {
  const began = performance.now();
  await (await fetch(address)).text();
  if (request >= 0) taken.push(performance.now() - began);
}
console.log(JSON.stringify(taken));
