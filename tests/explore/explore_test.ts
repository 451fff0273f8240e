/** `explore()` itself: what varies, what fails, what an error says, and that a run can be made again. */

// deno-lint-ignore-file require-await -- callbacks whose parameter is async

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  DeadlockError,
  ExplorationError,
  explore,
  type ExploredProgram,
  type ExploreOptions,
} from "../../testing.ts";

/** Explores a program; returns what was found. */
async function find<T>(
  program: ExploredProgram<T>,
  options: ExploreOptions = {},
): Promise<ExplorationError> {
  return await assertRejects(() => explore(program, options), ExplorationError);
}

/** All values that runs of a program give. */
async function outcomes(
  program: ExploredProgram<string>,
  options: ExploreOptions = {},
): Promise<string[]> {
  const found = new Set<string>();
  const { name } = program;
  await explore(
    {
      [name]: async (world: Parameters<typeof program>[0]) =>
        void found.add(await program(world) as string),
    }[name]!,
    { runs: 300, ...options },
  );
  return [...found].sort();
}

const answer = <T>(value: T) => asyncio.from_promise(Promise.resolve(value));

Deno.test("explore: a program without choices is run in its only order", async () => {
  const { runs, orders } = await explore(() => asyncio.sleep(1), { runs: 20 });
  assertEquals([runs, orders], [20, 1]);
});

Deno.test("explore: the first run is that of the virtual clock", async () => {
  const program = async () => {
    const order: string[] = [];
    const work = (name: string, delay: number) => async () => {
      await asyncio.sleep(delay);
      order.push(name);
      await answer(null);
      order.push(name.toUpperCase());
    };
    await asyncio.gather(work("a", 2), work("b", 1), work("c", 1));
    return order.join("");
  };
  let first = "";
  await explore(async () => void (first ||= await program()), { runs: 5 });
  assertEquals(first, "bcBCaA");
});

Deno.test("explore: native promises come back in any order", async () => {
  const program = async () => {
    const order: string[] = [];
    await asyncio.gather(...["a", "b", "c"].map((name) => async () => {
      order.push(await answer(name));
    }));
    return order.join("");
  };
  assertEquals(await outcomes(program), ["abc", "acb", "bac", "bca", "cab", "cba"]);
});

Deno.test("explore: timers that are further apart than the jitter keep their order", async () => {
  const program = async () => {
    const order: string[] = [];
    await asyncio.gather(...[1, 1.005, 1.02].map((delay, index) => async () => {
      await asyncio.sleep(delay);
      order.push("abc"[index]!);
    }));
    return order.join("");
  };
  assertEquals(await outcomes(program), ["abc", "bac"]);
  assertEquals(await outcomes(program, { jitter: 0 }), ["abc"]);
  assertEquals((await outcomes(program, { jitter: 0.1 })).length, 6);
});

Deno.test("explore: what is ready stays in order, but for the stricter level", async () => {
  const program = async () => {
    const order: string[] = [];
    await asyncio.gather(...["a", "b"].map((name) => async () => {
      order.push(name);
      await asyncio.sleep(0);
      order.push(name);
    }));
    return order.join("");
  };
  assertEquals(await outcomes(program), ["abab"]);
  assertEquals(await outcomes(program, { strict: true }), [
    "aabb",
    "abab",
    "abba",
    "baab",
    "baba",
    "bbaa",
  ]);
});

Deno.test("explore: calls in executors begin and end in any order", async () => {
  const program = async () => {
    const order: string[] = [];
    await asyncio.gather(...["a", "b"].map((name) => async () => {
      await asyncio.to_thread(() => order.push(name));
      order.push(name.toUpperCase());
    }));
    return order.join("");
  };
  const found = await outcomes(program);
  for (const order of ["abAB", "aAbB", "baAB", "bBaA"]) assert(found.includes(order), order);
});

Deno.test("explore: packets of two connections come in any order, those of one in theirs", async () => {
  const program: ExploredProgram<string> = async () => {
    const received: string[] = [];
    await using _server = await asyncio.start_server(
      async (reader, writer) => {
        for await (const line of reader) received.push(new TextDecoder().decode(line).trim());
        writer.close();
      },
      "server",
      80,
    );
    const [, a] = await asyncio.open_connection("server", 80);
    const [, b] = await asyncio.open_connection("server", 80);
    a.write("a\n");
    b.write("b\n");
    a.write("A\n");
    for (const writer of [a, b]) writer.close();
    await asyncio.sleep(1);
    return received.join("");
  };
  const found = await outcomes(program, { network: { latency: [0.01, 0.05] } });
  assertEquals(found, ["aAb", "abA", "baA"]);
});

Deno.test("explore: a hang is found and says what each task waits for", async () => {
  const error = await find(async () => {
    const locks = [new asyncio.Lock(), new asyncio.Lock()] as const;
    const take = (first: 0 | 1, second: 0 | 1) => async () => {
      using _first = await locks[first].acquire();
      await answer(null);
      using _second = await locks[second].acquire();
    };
    const one = asyncio.create_task(take(0, 1), { name: "one" });
    await answer(null);
    await answer(null);
    await asyncio.gather(one, asyncio.create_task(take(1, 0), { name: "other" }));
  });
  assert(error.cause instanceof DeadlockError);
  assertStringIncludes(error.message, "one (<lambda>()) waits on Lock.acquire()");
  assertStringIncludes(error.message, "other (<lambda>()) waits on Lock.acquire()");
});

Deno.test("explore: a program that does not end is found by its steps", async () => {
  const error = await find(async () => {
    while (true) await asyncio.sleep(1);
  }, { max_steps: 50 });
  assertStringIncludes(error.message, "did not end within 50 steps");
  assertStringIncludes(error.message, "main (program()) waits on sleep()");
});

Deno.test("explore: a promise that only the host settles is a hang, unless patience is given", async () => {
  let settle = () => {};
  const program = () => new Promise<void>((resolve) => settle = resolve);
  const error = await find(program, { runs: 1 });
  assertStringIncludes(error.message, "give");
  const settling = setInterval(() => settle(), 1);
  try {
    assertEquals((await explore(program, { runs: 3, patience: 60 })).runs, 3);
  } finally {
    clearInterval(settling);
  }
});

Deno.test("World.always: a condition is checked between all steps", async () => {
  const program: ExploredProgram<void> = async (world) => {
    let free = 1;
    world.always(() => free >= 0, "as many as there are");
    const take = async () => {
      if (free === 0) return;
      await answer(null);
      free--;
      await answer(null);
    };
    await asyncio.gather(take, async () => {
      await asyncio.sleep(0.05);
      await take();
    });
  };
  const error = await find(program);
  assertEquals((error.cause as Error).message, "as many as there are does not hold");
});

Deno.test("World.choose: choices are part of the schedule", async () => {
  const program: ExploredProgram<void> = async (world) => {
    const chosen = [1, 2, 3].map(() => world.choose(["a", "b"])).join("");
    assert(chosen !== "bab", "chosen");
  };
  const error = await find(program);
  assertEquals(error.schedule.split("/")[1], "w0.1,w2.1");
});

Deno.test("World.random: a run has the same numbers when it is made again", async () => {
  const drawn: number[] = [];
  const program: ExploredProgram<void> = async (world) => {
    drawn.push(world.random());
    assert(drawn.at(-1)! < 0.9, "large");
  };
  const error = await find(program);
  const large = drawn.at(-1);
  await assertRejects(() => explore(program, { replay: error.schedule }), ExplorationError);
  assertEquals(drawn.at(-1), large);
});

Deno.test("explore: an error of a task that nothing awaits is found", async () => {
  const error = await find(async () => {
    asyncio.create_task(async () => {
      throw new Error("in the background");
    });
    await asyncio.sleep(1);
  });
  assertEquals((error.cause as Error).message, "in the background");
});

Deno.test("explore: tasks are cancelled at every await, the program's own never", async () => {
  const places = new Set<string>();
  await explore(async () => {
    const task = asyncio.create_task(async () => {
      let place = "first";
      try {
        await asyncio.sleep(1);
        place = "second";
        await answer(null);
        place = "third";
        await new asyncio.Event().wait();
      } catch (error) {
        places.add(place);
        throw error;
      }
    });
    await asyncio.sleep(5);
    task.cancel();
    await asyncio.wait([task]);
  }, { faults: { cancel: 1 }, runs: 300 });
  assertEquals([...places].sort(), ["first", "second", "third"]);
});

Deno.test("explore: calls of from_promise() fail, with the error that is given", async () => {
  const error = await find(() => answer(1), {
    faults: { fail: 1, make_error: () => new TypeError("no network") },
  });
  assert(error.cause instanceof TypeError);
  assertEquals(error.schedule.split("/")[1], "f0.1");
});

Deno.test("explore: promises are slow by as much as is given", async () => {
  const error = await find(() => asyncio.wait_for(answer(1), 30), {
    faults: { slow: 1, slow_by: 31 },
  });
  assert(error.cause instanceof asyncio.TimeoutError);
  await explore(() => asyncio.wait_for(answer(1), 30), { faults: { slow: 1, slow_by: 29 } });
});

async function lost_update(): Promise<void> {
  let balance = 0;
  const deposit = async () => {
    const before = await answer(balance);
    await answer(null);
    balance = before + 1;
  };
  const first = asyncio.create_task(deposit);
  await asyncio.sleep(0.05);
  await asyncio.gather(first, deposit);
  assertEquals(balance, 2);
}

Deno.test("explore: the schedule is as short as can be, and makes the same run again", async () => {
  for (const strategy of ["pct", "random"] as const) {
    const error = await find(lost_update, { strategy, seed: 3 });
    assertEquals(error.schedule.split("/")[1], "o0.1");
    const again = await find(lost_update, { replay: error.schedule });
    assertEquals(again.schedule, error.schedule);
    assertEquals((again.cause as Error).message, (error.cause as Error).message);
  }
});

Deno.test("explore: the same seed finds the same, another seed other runs", async () => {
  const [one, other, third] = [
    await find(lost_update, { seed: 5 }),
    await find(lost_update, { seed: 5 }),
    await find(lost_update, { seed: 6 }),
  ];
  assertEquals(one.message, other.message);
  assert(one.schedule !== third.schedule);
});

Deno.test("ExplorationError: says what deviates, how to run it again, and shows both timelines", async () => {
  const { message, seed, run, timeline } = await find(lost_update);
  assertEquals([seed, run > 1], [0, true]);
  assertStringIncludes(message, "sleep() of main comes before the outcome of a promise, at 0 s");
  assertStringIncludes(message, 'explore(program, { replay: "');
  assertStringIncludes(message, timeline);
  assertStringIncludes(timeline, "the plain order");
  assertStringIncludes(timeline, "|    0.0500  main resumes");
});

Deno.test("ExplorationError: notes of the program are in the timeline", async () => {
  const { timeline } = await find(async (world) => {
    world.note("now it goes wrong");
    await asyncio.sleep(1);
    throw new Error("wrong");
  });
  assertStringIncludes(timeline, "now it goes wrong");
});

Deno.test("explore: a program that depends on something else is said to", async () => {
  let runs = 0;
  const error = await find(async () => {
    await answer(null);
    if (++runs === 4) throw new Error("the fourth time");
  });
  assertStringIncludes(error.message, "did not fail again with the same decisions");
  assertEquals((error.cause as Error).message, "the fourth time");
});

Deno.test("explore: what is left of a run ends with it", async () => {
  const ended: string[] = [];
  await explore(async () => {
    asyncio.create_task(async () => {
      try {
        await asyncio.sleep(100);
      } finally {
        ended.push("ended");
      }
    });
    await asyncio.sleep(1);
  }, { runs: 3 });
  assertEquals(ended.length, 3);
});

Deno.test("explore: function* programs and generators of the library are explored, too", async () => {
  await explore(function* () {
    yield* asyncio.sleep(1);
  }, { runs: 2 });
});

Deno.test("explore: no run begins after the time limit", async () => {
  const { runs } = await explore(() => asyncio.sleep(1), { runs: Infinity, time_limit: 0.05 });
  assert(runs >= 1);
});

Deno.test("explore: wrong options are refused", async () => {
  const program = () => asyncio.sleep(0);
  await assertRejects(
    () => explore(program, { sed: 1 } as ExploreOptions),
    TypeError,
    "unexpected option 'sed'",
  );
  await assertRejects(() => explore(program, { seed: -1 }), asyncio.ValueError, "seed");
  await assertRejects(
    () => explore(program, { strategy: "best" as "pct", runs: 1 }),
    asyncio.ValueError,
    "received 'best'",
  );
  await assertRejects(
    () => explore(program, { replay: "x" }),
    asyncio.ValueError,
    "no schedule",
  );
  await assertRejects(
    () => explore(program, { faults: { crash: 1 } } as ExploreOptions),
    TypeError,
    "unexpected option 'crash'",
  );
  for (const name of ["may_cancel", "make_error"]) {
    await assertRejects(() => explore(program, { faults: { [name]: 1 } }), TypeError, name);
  }
  await assertRejects(
    () => explore(Promise.resolve() as never),
    TypeError,
    "must be an async function",
  );
});

Deno.test("World.choose, World.always: what is no array or no function is refused by the call", async () => {
  let refused = 0;
  await explore(async (world) => {
    await asyncio.sleep(0);
    assertThrows(() => world.choose("ab" as never), TypeError, "it must be of an array");
    assertThrows(() => world.always(false as never), TypeError, "check must be a function");
    refused++;
  }, { runs: 1 });
  assertEquals(refused, 1);
});

Deno.test("explore: cannot be called from a running loop", async () => {
  await asyncio.run(async () => {
    await assertRejects(() => explore(() => asyncio.sleep(0), { runs: 1 }), asyncio.RuntimeError);
  });
});

Deno.test("explore: a long exploration says every five seconds how far it is, once after a pause", async () => {
  const { now } = performance;
  const { error } = console;
  // When each run begins, in seconds: between the third and the fourth the machine was paused.
  const times = [0, 0, 1, 4, 64, 65, 66, 70];
  const lines: string[] = [];
  try {
    performance.now = () => (times.shift() ?? 70) * 1000;
    console.error = (line) => lines.push(line);
    const { seconds, orders } = await explore(() => asyncio.sleep(1), { runs: 7 });
    assertEquals([seconds, orders], [70, 1]);
  } finally {
    performance.now = now;
    console.error = error;
  }
  assertEquals(lines, [
    "explore: 3 runs in 64 s, 0 a second, 1 different orders, none failed",
    "explore: 6 runs in 70 s, 0 a second, 1 different orders, none failed",
  ]);
});
