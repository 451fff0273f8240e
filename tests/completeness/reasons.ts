/** Why a name of Python's asyncio is not here. The reason for a class is that for its members. */

/** One reason, and the names it is given for. */
export interface Reason {
  reason: string;
  names: string[];
}

export const REASONS: readonly Reason[] = [
  {
    reason: "a type here, which `Server` implements",
    names: ["AbstractServer"],
  },
  {
    reason: "later: the call graph",
    names: [
      "FrameCallGraphEntry",
      "FutureCallGraph",
      "capture_call_graph",
      "format_call_graph",
      "future_add_to_awaited_by",
      "future_discard_from_awaited_by",
      "print_call_graph",
    ],
  },
  {
    reason: "JavaScript has no raw sockets and no file descriptors to send from",
    names: [
      "EventLoop.sendfile",
      "EventLoop.sock_accept",
      "EventLoop.sock_connect",
      "EventLoop.sock_recv",
      "EventLoop.sock_recv_into",
      "EventLoop.sock_recvfrom",
      "EventLoop.sock_recvfrom_into",
      "EventLoop.sock_sendall",
      "EventLoop.sock_sendfile",
      "EventLoop.sock_sendto",
      "SendfileNotAvailableError",
    ],
  },
  {
    reason: "JavaScript has no file descriptors to watch; the host watches its I/O itself",
    names: [
      "EventLoop.add_reader",
      "EventLoop.add_writer",
      "EventLoop.remove_reader",
      "EventLoop.remove_writer",
    ],
  },
  {
    reason: "the host has one way to wait for I/O and no selectors: use `EventLoop`",
    names: ["SelectorEventLoop"],
  },
  {
    reason: "deprecated, to go in Python 3.16: use `loop_factory` of `run` and `Runner`",
    names: ["get_event_loop_policy", "set_event_loop_policy"],
  },
  {
    reason: "for authors of loops in Python; a loop here sees to it itself",
    names: [
      "_enter_task",
      "_get_running_loop",
      "_leave_task",
      "_register_task",
      "_set_running_loop",
      "_unregister_task",
    ],
  },
];

/** What is here under another name, or is a type only. */
export const SPELLINGS: Readonly<Record<string, string>> = {
  AbstractEventLoop: "the type `AbstractEventLoop`",
  BaseEventLoop: "`EventLoop`",
};

/** The reason for a name, or for the class whose member it is. */
export function reason_for(name: string): string | undefined {
  const [owner = ""] = name.split(".");
  return REASONS.find(({ names }) => names.includes(name) || names.includes(owner))?.reason;
}
