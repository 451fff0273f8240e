/** All programs of this project that are explored. */

import { RaftNode } from "../../../examples/raft/node.ts";
import { RAFT_OPTIONS, run_cluster } from "../raft/cluster.ts";
import { EXAMPLES } from "./examples.ts";
import { PRIMITIVES } from "./primitives.ts";
import type { Explored } from "./program.ts";

const RAFT: Explored = {
  name: "replicated store",
  program: run_cluster(RaftNode),
  options: RAFT_OPTIONS,
};

export const PROGRAMS: readonly Explored[] = [...PRIMITIVES, ...EXAMPLES, RAFT];
