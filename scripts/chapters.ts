/** The names of the programs of `examples/seed/`, in the order in which each builds on those before. */
export const CHAPTERS: Readonly<Record<string, readonly string[]>> = {
  "Generators": ["lazy_range", "jumping_range", "yield_from", "bottom_middle_top"],
  "Coroutines": ["countdown_generators", "countdown_async", "awaitables"],
  "Several at once": ["countasync", "rand", "create_task", "mygen", "wait_timeout"],
  "Patterns": ["chained", "async_queue"],
  "Callbacks": ["call_soon", "call_later", "call_at"],
  "From outside": ["call_soon_threadsafe", "run_coroutine_threadsafe"],
  "Loops": ["get_running_loop", "two_loops", "sleeping_loop"],
};
