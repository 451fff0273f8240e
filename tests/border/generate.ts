/** Makes a random program of a profile; the same seed makes the same program. */

import { Random } from "../conformance/random.ts";
import { type Profile, type ProfileName, PROFILES } from "./profiles.ts";
import type {
  Cancel,
  Combinator,
  Kind,
  Native,
  OnAbort,
  Program,
  Statement,
  Wait,
} from "./program.ts";

const MAX_DEPTH = 5;

/** Where a statement stands. */
interface Place {
  depth: number;
  /** In no task: there are no blocks, and nothing to cancel. */
  is_callback: boolean;
  /** The index of the task that the code belongs to, by which tasks do not wait in a circle. */
  task: number;
  /** Calls that have begun before, in the same task. */
  slots: number[];
}

const NOT_IN_CALLBACKS = new Set<Kind>([
  "timeout",
  "wait_for",
  "aborted_by",
  "group",
  "callback",
  "cancel_self",
  "hold",
  "forget",
]);

class Generator {
  readonly #random: Random;
  readonly #statements: ReadonlyMap<Kind, number>;
  readonly #waits: ReadonlyMap<Wait["wait"], number>;
  readonly #profile: Profile;
  #left: number;
  #slots = 0;
  #tasks = 0;

  constructor(profile: Profile, seed: number) {
    this.#random = new Random(seed);
    this.#profile = profile;
    this.#statements = new Map(Object.entries(profile.statements) as [Kind, number][]);
    this.#waits = new Map(Object.entries(profile.waits) as [Wait["wait"], number][]);
    this.#left = this.#random.between(2, 15);
  }

  program(): Program {
    const random = this.#random;
    this.#tasks = random.pick([1, 1, 2, 2, 3, 4]);
    const virtual_clock = random.chance(0.15);
    const tasks: Statement[][] = [];
    for (let task = 0; task < this.#tasks; task++) {
      const place = { depth: 0, is_callback: false, task, slots: [] };
      tasks.push(this.#block(place, random.between(1, 4)));
    }
    const cancels: Cancel[] = [];
    for (let i = random.pick([0, 1, 1, 1, 2, 3]); i > 0; i--) {
      cancels.push({
        at: random.between(0, 8),
        task: random.between(0, this.#tasks - 1),
        times: random.chance(0.15) ? 2 : 1,
        by: random.pick(["loop", "host"]),
      });
    }
    const program: Program = {
      tasks,
      cancels,
      events: [random.between(0, 8), random.chance(0.5) ? null : random.between(0, 8)],
      queues: [
        { maxsize: random.pick([0, 1, 2]), puts: this.#moments(random.between(0, 3)) },
      ],
      semaphores: [random.between(1, 2)],
      locks: 1,
      host_seed: random.next(),
      busy: random.chance(0.1),
      virtual_clock,
      mode: random.chance(0.1) ? random.pick(["debug", "traced"]) : "plain",
      main_ends: random.chance(0.2) ? random.between(0, 6) : null,
    };
    if (virtual_clock) keep_to_the_loop(program);
    return program;
  }

  #moments(count: number): number[] {
    return Array.from({ length: count }, () => this.#random.between(0, 8));
  }

  #ticks(low = 0): number {
    return Math.max(low, this.#random.pick([0, 1, 1, 2, 2, 3, 4, 6]));
  }

  #block(place: Place, length = this.#random.pick([1, 1, 2, 2, 3])): Statement[] {
    const block: Statement[] = [];
    const inner = { ...place, depth: place.depth + 1, slots: [...place.slots] };
    for (let i = 0; i < length; i++) {
      if (this.#left <= 0 && block.length > 0) break;
      this.#left--;
      block.push(this.#statement(inner));
    }
    return block;
  }

  #statement(place: Place): Statement {
    const random = this.#random;
    const kind = random.weighted(this.#statements);
    const is_deep = place.depth > MAX_DEPTH || this.#left <= 0;
    if (is_deep || place.is_callback && NOT_IN_CALLBACKS.has(kind)) return this.#await(place);
    switch (kind) {
      case "timeout":
        return this.#guarded({
          do: kind,
          ticks: this.#ticks(),
          at: random.chance(0.2),
          body: this.#block(place),
        });
      case "wait_for":
        return this.#guarded({ do: kind, ticks: this.#ticks(1), body: this.#block(place) });
      case "aborted_by":
        return this.#guarded({
          do: kind,
          ticks: this.#ticks(),
          by: random.pick(["host", "loop"]),
          body: this.#block(place),
        });
      case "group": {
        const children = Array.from(
          { length: random.pick([0, 1, 1, 2]) },
          // A child is a task of its own: it holds none of its parent's calls.
          () => this.#block({ ...place, slots: [] }),
        );
        return this.#guarded({ do: kind, children, body: this.#block(place) });
      }
      case "lock":
        return { do: kind, lock: 0, async_with: random.chance(0.4), body: this.#block(place) };
      case "semaphore":
        return { do: kind, semaphore: 0, async_with: random.chance(0.4), body: this.#block(place) };
      case "try": {
        const catches = random.pick(["nothing", "nothing", "errors", "everything"] as const);
        const body = this.#block(place);
        const has_clean_up = catches === "nothing" || random.chance(0.3);
        return {
          do: kind,
          catches,
          uncancels: catches === "everything" && random.chance(0.25),
          body,
          clean_up: has_clean_up ? this.#clean_up(place) : [],
        };
      }
      case "hold": {
        const body = this.#block(place);
        const slot = this.#slots++;
        place.slots.push(slot);
        return { do: kind, slot, body };
      }
      case "forget":
        return { do: kind, body: this.#block(place) };
      case "throw":
        return { do: kind, what: random.pick(["error", "error", "error", "null", "undefined"]) };
      case "cancel":
        return {
          do: kind,
          task: random.between(0, this.#tasks - 1),
          times: random.chance(0.1) ? 2 : 1,
        };
      case "cancel_self":
        return { do: kind };
      case "set":
        return { do: kind, event: random.between(0, 1) };
      case "callback":
        return {
          do: kind,
          by: random.pick(["call_soon", "call_later", "host", "interval"]),
          ticks: this.#ticks(1),
          body: this.#block({ ...place, is_callback: true, slots: [] }),
        };
      case "await":
        return this.#await(place);
    }
  }

  // Most blocks end with an error of their own: often the code catches it and works on.
  #guarded(block: Statement): Statement {
    if (this.#random.chance(0.4)) return block;
    return { do: "try", catches: "errors", uncancels: false, body: [block], clean_up: [] };
  }

  // What waits for a short time, as clean-ups do.
  #clean_up(place: Place): Statement[] {
    const kinds: Wait["wait"][] = ["sleep", "sleep", "sleep", "from_promise"];
    const known = kinds.filter((kind) => kind in this.#profile.waits);
    const count = this.#random.pick([1, 1, 2]);
    return Array.from({ length: count }, () => {
      const wait = this.#wait(place, this.#random.pick(known.length > 0 ? known : ["sleep"]));
      // Nothing ends a clean-up by force.
      if ("native" in wait && wait.native.by === "never") wait.native.by = "loop";
      return { do: "await", wait };
    });
  }

  #await(place: Place): Statement {
    return { do: "await", wait: this.#wait(place) };
  }

  #wait(place: Place, kind = this.#random.weighted(this.#waits)): Wait {
    const random = this.#random;
    const sleep = (): Wait => ({ wait: "sleep", ticks: this.#ticks() });
    switch (kind) {
      case "sleep":
        return sleep();
      case "get":
      case "put":
        return { wait: kind, queue: 0 };
      case "event":
        return { wait: kind, event: random.between(0, 1) };
      case "join": {
        if (place.task === 0 || place.is_callback) return sleep();
        return {
          wait: kind,
          task: random.between(0, place.task - 1),
          shield: random.chance(0.3),
        };
      }
      case "native":
        return { wait: kind, native: this.#native() };
      case "from_promise":
        return this.#from_promise();
      case "all":
      case "race":
      case "any":
      case "allSettled":
        return this.#combinator(place, kind);
      case "gather": {
        if (place.is_callback || place.depth > MAX_DEPTH) return sleep();
        const inner = { ...place, depth: place.depth + 1, slots: [] };
        const bodies = Array.from(
          { length: random.pick([1, 2, 2]) },
          () => this.#block(inner),
        );
        return { wait: kind, bodies };
      }
      case "call":
        if (place.depth > MAX_DEPTH) return sleep();
        return { wait: kind, lazy: random.chance(0.25), body: this.#block(place) };
      case "limited": {
        if (place.is_callback) return sleep();
        const of = random.pick(["sleep", "sleep", "get", "event"] as const);
        return { wait: kind, ticks: this.#ticks(1), of, after: this.#ticks() };
      }
      case "held": {
        if (place.slots.length === 0) return sleep();
        return { wait: kind, slot: random.pick(place.slots) };
      }
    }
  }

  #combinator(place: Place, kind: Combinator): Wait {
    if (place.depth > MAX_DEPTH + 1) return { wait: "sleep", ticks: this.#ticks() };
    const inner = { ...place, depth: place.depth + 1 };
    const length = this.#random.pick([2, 2, 2, 3]);
    this.#left -= length - 1;
    return { wait: kind, of: Array.from({ length }, () => this.#wait(inner)) };
  }

  #native(): Native {
    const by = this.#random.pick(["host", "host", "loop", "turns", "microtask"] as const);
    return { by, after: this.#ticks(), fails: this.#random.chance(0.15) };
  }

  #from_promise(): Wait {
    const random = this.#random;
    const on_abort: OnAbort = random.pick(["reason", "reason", "own error", "fulfil", "ignore"]);
    const takes_function = random.chance(0.7);
    const native: Native = this.#native();
    const abandon = random.chance(0.2);
    // One that ignores its signal has to end by itself.
    const can_wait = takes_function && on_abort === "ignore" && !abandon;
    if (!can_wait && random.chance(0.3)) native.by = "never";
    return {
      wait: "from_promise",
      native,
      function: takes_function,
      on_abort,
      late: random.pick([0, 0, 0, 1, 2]),
      abandon,
    };
  }
}

/** On the virtual clock natives are settled by the loop: its time goes on without the host's. */
function keep_to_the_loop(program: Program): void {
  const change = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const it = value as { do?: string; by?: string; late?: number };
    if (it.by === "host") it.by = it.do === "callback" ? "call_later" : "loop";
    if (it.by === "interval") it.by = "call_later";
    if (it.late !== undefined) it.late = 0;
    for (const inner of Object.values(value)) change(inner);
  };
  change(program);
}

/** The program of a profile and a seed. */
export function generate(profile: ProfileName, seed: number): Program {
  return new Generator(PROFILES[profile], seed).program();
}
