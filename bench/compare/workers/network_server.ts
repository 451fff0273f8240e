/**
 * How a server is asked for the CPU time of its process: each line that it receives on stdin is answered by
 * one with the microseconds so far.
 *
 * @module
 */

import process from "node:process";

/** Prints the port, and answers until stdin ends. */
export function answer_with_cpu_time(port: number): Promise<void> {
  console.log(JSON.stringify(port));
  return new Promise((resolve) => {
    process.stdin.on("data", () => {
      const { user, system } = process.cpuUsage();
      console.log(JSON.stringify(user + system));
    });
    process.stdin.on("end", resolve);
  });
}
