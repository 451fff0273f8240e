/** Bugs planted into the replicated store. */

import { RaftNode } from "../../../examples/raft/node.ts";

/** Answers before its state would last over a crash. */
class Unsynced extends RaftNode {
  protected override async save(): Promise<void> {
    const { term, voted_for, log } = this;
    await this.options.disk.write("state", JSON.stringify({ term, voted_for, log }));
  }
}

/** Commits what a single node has. */
class NoMajority extends RaftNode {
  protected override get majority(): number {
    return Math.ceil((this.options.peers.length + 1) / 2) - 1;
  }
}

/** Votes for candidates that have not got what is committed. */
class VotesForAny extends RaftNode {
  protected override grants(candidate: string): boolean {
    return this.voted_for === null || this.voted_for === candidate;
  }
}

export const BUGS: Readonly<Record<string, typeof RaftNode>> = {
  "answers before it is synced": Unsynced,
  "commits without a majority": NoMajority,
  "votes for a shorter log": VotesForAny,
};
