/** Which runs of the seed's programs are compared with CPython's output, and where that is kept. */

/** One run of one program. */
export interface Run {
  /** The program: `examples/seed/NAME.ts`, and `tests/seed/python/NAME.py` in Python. */
  readonly program: string;
  /** Its command line. */
  readonly args: readonly string[];
  /**
   * Whether its time is virtual in the test: not so where something outside the loop takes part, where
   * the program brings a loop in real time of its own, and where timers that are asked for one after
   * the other would be due at the same virtual time.
   */
  readonly virtual: boolean;
  /** True if CPython 3.14 can no longer run it; then its output is the one in its documentation. */
  readonly documented: boolean;
}

function run(program: string, ...args: string[]): Run {
  return { program, args, virtual: true, documented: false };
}

/** Every run, in the order in which a reader meets the programs. */
export const RUNS: readonly Run[] = [
  run("lazy_range"),
  run("jumping_range"),
  run("yield_from"),
  run("bottom_middle_top"),
  { ...run("countdown_generators"), documented: true },
  run("countdown_async"),
  run("awaitables"),
  run("countasync"),
  run("rand"),
  run("chained"),
  run("chained", "9", "6", "3"),
  run("chained", "--seed", "7", "1", "2", "3", "4"),
  run("async_queue"),
  run("async_queue", "-p", "2", "-c", "5"),
  run("async_queue", "--nprod", "1", "--ncon", "1", "--seed", "7"),
  run("async_queue", "-p", "4", "-c", "1"),
  run("mygen"),
  run("create_task"),
  { ...run("wait_timeout"), virtual: false },
  run("sleeping_loop"),
  run("call_soon"),
  run("call_later"),
  run("call_at"),
  { ...run("call_soon_threadsafe"), virtual: false },
  { ...run("run_coroutine_threadsafe"), virtual: false },
  run("get_running_loop"),
  { ...run("two_loops"), virtual: false },
];

/** The file with the output of a run: `async_queue_p_2_c_5.txt`. */
export function expected_file({ program, args }: Run): URL {
  const name = [program, ...args.map((arg) => arg.replace(/^-+/, ""))].join("_");
  return new URL(`./expected/${name}.txt`, import.meta.url);
}
