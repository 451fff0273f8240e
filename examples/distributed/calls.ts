/** What goes through the queue, and under which names: both sides keep to it. */

/** A call as BullMQ keeps it; its name is the job's. */
export interface CallData {
  /** The arguments, encoded. */
  readonly args: string;
  /** The seconds that an attempt may take. */
  readonly time_limit: number | null;
}

/** The queue of calls, where no other is named. */
export const DEFAULT_QUEUE = "calls";

/** The channel on which the ids of cancelled calls are published. */
export function cancel_channel(queue: string): string {
  return `asyncio:${queue}:cancel`;
}

/** The key that says that a call was cancelled, for a worker that was not listening at that moment. */
export function cancel_key(queue: string, id: string): string {
  return `asyncio:${queue}:cancelled:${id}`;
}

/** The id of the call with a key: BullMQ allows no colon in it. */
export function id_of_key(key: string): string {
  return `key-${encodeURIComponent(key)}`;
}
