/** The replicated store: nothing is found in it, and each planted bug is. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { RaftNode } from "../../examples/raft/node.ts";
import { ExplorationError, explore } from "../../testing.ts";
import { BUGS } from "./raft/bugs.ts";
import { RAFT_OPTIONS, run_cluster } from "./raft/cluster.ts";
import { is_linearisable, type Operation } from "./raft/history.ts";

const options = { ...RAFT_OPTIONS, progress: false };

Deno.test("explore: nothing is found in the replicated store", async () => {
  const { orders } = await explore(run_cluster(RaftNode), { ...options, runs: 100 });
  assert(orders > 50);
});

for (const [name, node_class] of Object.entries(BUGS)) {
  Deno.test(`explore: finds that the replicated store ${name}`, async () => {
    const error = await assertRejects(
      () => explore(run_cluster(node_class), { ...options, runs: 1000 }),
      ExplorationError,
      "the history is not linearisable",
    );
    assert(error.run > 1);
  });
}

function history(
  ...lines: [put: string | null, called: number, returned: number, result?: string | null][]
) {
  return lines.map(([put, called, returned, result = null], index): Operation => ({
    client: String(index),
    put,
    called,
    returned,
    result,
  }));
}

Deno.test("is_linearisable: a get gives what was put last, or is put at the same time", () => {
  assertEquals(is_linearisable(history(["a", 0, 1], [null, 2, 3, "a"])), true);
  assertEquals(is_linearisable(history(["a", 0, 1], [null, 2, 3, null])), false);
  assertEquals(is_linearisable(history(["a", 0, 2], [null, 1, 3, null])), true);
  assertEquals(is_linearisable(history(["a", 0, 1], ["b", 2, 3], [null, 4, 5, "a"])), false);
  // Two gets must agree on the order of two puts.
  const puts = [["a", 0, 9], ["b", 0, 9]] as const;
  assertEquals(
    is_linearisable(history([...puts[0]], [...puts[1]], [null, 1, 2, "a"], [null, 3, 4, "b"])),
    true,
  );
  assertEquals(
    is_linearisable(
      history([...puts[0]], [...puts[1]], [null, 1, 2, "a"], [null, 3, 4, "b"], [null, 5, 6, "a"]),
    ),
    false,
  );
});

Deno.test("is_linearisable: a put without an answer may have taken effect, or not", () => {
  assertEquals(is_linearisable(history(["a", 0, Infinity], [null, 5, 6, "a"])), true);
  assertEquals(is_linearisable(history(["a", 0, Infinity], [null, 5, 6, null])), true);
});

Deno.test("examples/raft: the store works on the sockets and files of the host", async () => {
  const listeners = [1, 2, 3].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => String((addr as Deno.NetAddr).port));
  for (const listener of listeners) listener.close();
  const program = new URL("../../examples/raft/main.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, ...ports],
  }).output();
  assertEquals(
    new TextDecoder().decode(stdout),
    "greeting: hello\nalice has stopped\ngreeting: hello again\n",
  );
});
