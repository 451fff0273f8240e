/** What the library has beside Python's asyncio and contextvars: from elsewhere in Python, or its own. */

import type { Name } from "./names.ts";

/** Names of one origin. */
export interface Addition {
  title: string;
  text: string;
  names: Name[];
}

function plain(...names: string[]): Name[] {
  return names.map((name) => ({ name }));
}

export const ADDITIONS: readonly Addition[] = [
  {
    title: "From elsewhere in Python",
    text: "Builtins, built-in exceptions, and what `contextlib`, `inspect` have.",
    names: [
      ...plain("isawaitable", "aiter", "anext", "aclosing", "closing"),
      ...plain("asynccontextmanager", "nullcontext", "suppress"),
      {
        name: "AsyncExitStack",
        members: [
          ...["aclose", "callback", "enter_async_context", "enter_context", "pop_all", "push"],
          ...["push_async_callback", "push_async_exit"],
        ],
      },
      ...plain("BaseException", "KeyboardInterrupt", "LookupError", "RuntimeError"),
      ...plain("StopAsyncIteration", "ValueError"),
      ...plain("OSError", "ConnectionError", "BrokenPipeError", "ConnectionAbortedError"),
      ...plain("ConnectionRefusedError", "ConnectionResetError", "FileNotFoundError"),
      ...plain("PermissionError", "ProcessLookupError", "gaierror", "SSLError"),
      ...plain(
        "subprocess",
        "SSLCertVerificationError",
        "open_unix_connection",
        "start_unix_server",
      ),
      { name: "BaseExceptionGroup", members: ["derive", "split", "subgroup"] },
      { name: "ExceptionGroup", members: ["derive", "split", "subgroup"] },
    ],
  },
  {
    title: "For what is syntax or built in there",
    text: "`async def`, `async with`, asynchronous generators and `concurrent.futures.Future`.",
    names: [
      { name: "Coroutine", members: ["close", "send", "throw"] },
      ...plain("coroutine", "async_with", "async_generator"),
      { name: "AsyncGeneratorObject", members: ["aclose", "ag_running", "asend", "athrow"] },
      {
        name: "ConcurrentFuture",
        members: ["add_done_callback", "cancel", "cancelled", "done", "exception", "result"],
      },
      ...plain("BrokenExecutor"),
    ],
  },
  {
    title: "This library's own",
    text: "For JavaScript's own ways to wait, and for `using`.",
    names: [
      ...plain("from_promise", "detached", "aborted_by", "next_event"),
      ...plain("Permit", "set_loop_factory", "ServerSocket", "transfer"),
      {
        name: "WorkerPoolExecutor",
        members: ["full", "map", "ready", "shutdown", "stream", "submit", "terminate_workers"],
      },
      { name: "EventLoop", members: ["slow_callback_duration"] },
      { name: "Queue", members: ["size"] },
      { name: "Context", members: ["has", "size"] },
      { name: "Future", members: ["catch", "finally", "then"] },
    ],
  },
  {
    title: "Tools over iterables and AsyncIterables: `@pythonic/asyncio/itertools`",
    text:
      "`amerge_sorted` is `heapq.merge`; `borrow`, `scoped_iter` are asyncstdlib's; `amerge` is new.",
    names: [
      ...plain("alist", "aset", "adict", "amap", "afilter", "aenumerate", "azip", "asum", "amin"),
      ...plain("amax", "aany", "aall", "asorted", "achain", "aislice", "atakewhile", "adropwhile"),
      ...plain("abatched", "apairwise", "aaccumulate", "acompress", "acycle", "afilterfalse"),
      ...plain("agroupby", "astarmap", "azip_longest", "atee", "areduce", "amerge_sorted"),
      ...plain("anlargest", "ansmallest", "borrow", "scoped_iter", "amerge"),
      ...plain("ToolIterator"),
    ],
  },
  {
    title: "From CPython's main branch and AnyIO",
    text: "`cancel()` is CPython's, with a message; `start()` is AnyIO's and Trio's.",
    names: [{ name: "TaskGroup", members: ["cancel", "start"] }],
  },
  {
    title: "Structured concurrency: `@pythonic/asyncio/structured`",
    text: "What Trio, AnyIO and Erlang have; [how it is used](structured.md).",
    names: [
      {
        name: "CancelScope",
        members: ["cancel", "cancel_called", "cancelled_caught", "deadline", "shield"],
      },
      ...plain("move_on_after", "move_on_at", "fail_after", "fail_at"),
      ...plain("current_effective_deadline", "open_channel", "open_broadcast"),
      ...plain("EndOfChannel", "BrokenChannelError", "ClosedResourceError", "WouldBlock"),
      {
        name: "CapacityLimiter",
        members: [
          "acquire",
          "acquire_nowait",
          "acquire_on_behalf_of",
          "acquire_on_behalf_of_nowait",
          "available_tokens",
          "borrowed_tokens",
          "release",
          "release_on_behalf_of",
          "statistics",
          "total_tokens",
        ],
      },
      { name: "RWLock", members: ["locked", "readers", "reading", "writing"] },
      { name: "RateLimiter", members: ["acquire", "has_capacity"] },
      { name: "Notifier", members: ["notify", "notify_all", "wait"] },
      { name: "ResultGroup", members: ["as_completed", "create_task", "results"] },
      ...plain("retry", "supervise", "run_service"),
    ],
  },
  {
    title: "Caches: `@pythonic/asyncio/functools`",
    text: "As in Python's `functools`, of what is awaited; `single_flight` is new.",
    names: plain("lru_cache", "cache", "cached_property", "single_flight"),
  },
  {
    title: "For tests: `@pythonic/asyncio/testing`",
    text: "[How they are used](testing.md).",
    names: plain(
      "VirtualClockEventLoop",
      "VirtualNetwork",
      "VirtualDisk",
      "DeadlockError",
      "explore",
      "ExplorationError",
    ),
  },
  {
    title: "Seeing what happens, and rules for linters: `@pythonic/asyncio/cli`, `/lint`",
    text: "[How they are used](debugging.md).",
    names: plain("format_all_tasks", "print_all_tasks", "main", "default"),
  },
  {
    title: "Recording what tasks do: `@pythonic/asyncio/trace`",
    text: "`deno task trace FILE` does it for a whole program.",
    names: [
      ...plain("set_default_trace", "format_trace_json", "format_trace_svg"),
      { name: "TraceRecorder", members: ["clear"] },
    ],
  },
];
