/** The form of the programs of this project that are explored. */

import type { ExploredProgram, ExploreOptions } from "../../../testing.ts";

export interface Explored {
  readonly name: string;
  readonly program: ExploredProgram<void>;
  readonly options?: ExploreOptions;
}
