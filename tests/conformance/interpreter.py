"""Runs random programs (see program.ts) on CPython's asyncio under a virtual clock: their traces.

`run_program` takes and returns JSON.

Where CPython walks a set of tasks, its order is that of their addresses. `InsertionOrderedSet` takes
the place of `set` there, so that the order is defined: of the arguments (`wait`, `as_completed`) and
of creation (`TaskGroup`, `staggered_race`), as on the other side; so for the generators that a loop
closes, in the order of their first use. Nothing else of asyncio is changed.
"""

import asyncio
import asyncio.staggered
import contextlib
import contextvars
import functools
import gc
import inspect
import json
import logging
import re
import sys
import types
import warnings
from asyncio import base_events

# Coroutines and tasks that a program leaves behind are reported when they are collected, that is at
# no defined moment: these reports are not part of the trace.
sys.unraisablehook = lambda unraisable: None
warnings.simplefilter("ignore")
logging.getLogger("asyncio").disabled = True
asyncio._set_running_loop(None)


class InsertionOrderedSet(dict):
    """As much of a set as asyncio asks for."""

    def __init__(self, items=()):
        super().__init__((item, None) for item in items)

    def add(self, item):
        self[item] = None

    def remove(self, item):
        del self[item]

    def discard(self, item):
        self.pop(item, None)


class OpenGenerators(InsertionOrderedSet):
    """The async generators of a loop; the program refers to all, which keeps finished ones in CPython's set."""

    def __len__(self):
        return len(list(iter(self)))

    def __iter__(self):
        return (generator for generator in super().__iter__() if generator.ag_frame is not None)


def order_sets():
    asyncio.tasks.set = InsertionOrderedSet
    asyncio.taskgroups.set = InsertionOrderedSet
    asyncio.staggered.set = InsertionOrderedSet
    # A set comprehension does not look for the name `set`.
    iterator = asyncio.tasks._AsCompletedIterator
    source = inspect.getsource(iterator)
    comprehension = "{ensure_future(aw, loop=loop) for aw in set(aws)}"
    assert source.count(comprehension) == 1
    source = source.replace(comprehension, f"set({comprehension[1:-1]})")
    exec(source, asyncio.tasks.__dict__)


order_sets()


def order_tasks():
    """A runner that is closed cancels all tasks: in the order of their creation."""
    all_tasks = asyncio.tasks.all_tasks

    def in_order(loop=None):
        tasks = all_tasks(loop)
        created = (loop or asyncio.get_running_loop()).created
        return [task for task in created if task in tasks]

    asyncio.tasks.all_tasks = in_order


order_tasks()


class AppError(Exception):
    """An error of the program's own."""


class AppBaseError(BaseException):
    """An error of the program's own that `except Exception` does not catch."""


ERRORS = {
    error.__name__: error
    for error in (
        AppBaseError,
        AppError,
        BaseException,
        Exception,
        ExceptionGroup,
        RuntimeError,
        StopAsyncIteration,
        ValueError,
        asyncio.BrokenBarrierError,
        asyncio.CancelledError,
        asyncio.InvalidStateError,
        asyncio.QueueEmpty,
        asyncio.QueueFull,
        asyncio.QueueShutDown,
        asyncio.TimeoutError,
    )
}


class Deadlock(BaseException):
    """Nothing is ready and no timer is set."""


class VirtualClockLoop(base_events.BaseEventLoop):
    """A loop whose time jumps to the next timer; it is its own selector."""

    def __init__(self):
        super().__init__()
        self._now = 0.0
        self._clock_resolution = 1e-9
        self._selector = self
        self._asyncgens = OpenGenerators()
        self.created = []

    def create_task(self, coro, **options):
        task = super().create_task(coro, **options)
        self.created.append(task)
        return task

    def time(self):
        return self._now

    def select(self, timeout):
        if timeout is None:
            raise Deadlock
        if timeout > 0:
            # Not `+= timeout`, which rounds twice and may miss the timer.
            self._now = self._scheduled[0].when()
        return ()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass


def show(value):
    """What the trace says of a value, the same text in both languages."""
    if isinstance(value, BaseExceptionGroup):
        return f"{type(value).__name__}({value.message}: {show(list(value.exceptions))})"
    if isinstance(value, BaseException):
        # The repr of a task or a token in a message is not compared.
        return f"{type(value).__name__}({re.sub(r'<(Task|Token|Future).*>', '...', str(value))})"
    if isinstance(value, asyncio.Task):
        # A task that never ran a body has a name from a counter that counts over all programs.
        return re.sub(r"^Task-\d+$", "task", value.get_name())
    if isinstance(value, asyncio.Future):
        return "future"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def newest(items, index):
    """The item counted from the newest, around the corner."""
    return items[-1 - index % len(items)]


async def generate(run, index, plan):
    """The async generator of a plan; its events have numbers below 0."""
    number = -1 - index
    catches = ERRORS[plan["catches"]] if plan["catches"] else ()
    try:
        try:
            for step in plan["yields"]:
                if step["delay"] is not None:
                    await asyncio.sleep(step["delay"])
                sent = yield step["value"]
                run.plain_event(number, f"sent {show(sent)}")
            if plan["raises"] is not None:
                raise ERRORS[plan["raises"]]
        except catches as error:
            run.plain_event(number, f"except {show(error)}")
            yield 101 + index
    except GeneratorExit:
        # JavaScript closes a generator by a `return` in it, not by an error: one that yields all the
        # same, and is used again, ends.
        pass
    finally:
        run.plain_event(number, "finally")
        if run.trace is not None:
            if plan["cleanup"] is not None:
                await asyncio.sleep(plan["cleanup"])
            if plan["stubborn"]:
                yield 111 + index


class Run:
    """One run of one program."""

    def __init__(self, program):
        self.program = program
        self.trace = []
        self.loop = VirtualClockLoop()
        self.tasks = []
        self.body_of = {}
        self.suspended_at = {}
        self.groups = []
        self.timeouts = []
        self.handles = []
        self.callbacks = []
        self.tokens = []
        self.all_generators = []
        shared = program["shared"]
        self.queues = [
            getattr(asyncio, queue["kind"])(queue["maxsize"]) for queue in shared["queues"]
        ]
        self.semaphores = [
            (asyncio.BoundedSemaphore if semaphore["bounded"] else asyncio.Semaphore)(
                semaphore["value"]
            )
            for semaphore in shared["semaphores"]
        ]
        self.locks = [asyncio.Lock() for _ in range(shared["locks"])]
        self.events = [asyncio.Event() for _ in range(shared["events"])]
        self.conditions = [asyncio.Condition() for _ in range(shared["conditions"])]
        self.notified = [0] * shared["conditions"]
        self.barriers = [asyncio.Barrier(parties) for parties in shared["barriers"]]
        self.futures = [self.loop.create_future() for _ in range(shared["futures"])]
        self.variables = [
            contextvars.ContextVar(f"variable{index}", default=0)
            for index in range(shared["variables"])
        ]
        self.generators = [None] * len(shared["generators"])
        for index in range(len(self.generators)):
            self.generator_new(index)

    # The trace.

    def event(self, name, statement, what):
        if self.trace is not None:
            self.trace.append((self.loop.time(), name, statement, what))

    def task_event(self, statement, what):
        self.event(asyncio.current_task().get_name(), statement, what)

    def plain_event(self, statement, what):
        """An event that may happen outside of any task."""
        if self.trace is not None:
            task = asyncio.current_task()
            self.event(show(task) if task else "callback", statement, what)

    def begin(self, statement):
        task = asyncio.current_task()
        self.suspended_at[task].append(statement["id"])
        self.event(task.get_name(), statement["id"], "begin")

    def end(self, statement, result):
        self.suspended_at[asyncio.current_task()].pop()
        self.task_event(statement["id"], f"end {show(result)}")

    def fail(self, statement, error):
        if self.trace is None:
            return
        self.suspended_at[asyncio.current_task()].pop()
        self.task_event(statement["id"], f"fail {show(error)}")

    # Tasks.

    def register(self, task, body):
        task.set_name(f"t{len(self.tasks)}")
        self.tasks.append(task)
        self.body_of[task] = body
        self.suspended_at[task] = []

    def known(self, index):
        return self.tasks[index % len(self.tasks)]

    def waitable(self, index, body):
        """A task that may be waited for in `body`, or a future that is done."""
        tasks = [task for task in self.tasks if self.body_of[task] > body]
        if tasks:
            return tasks[index % len(tasks)]
        return self.done_future("no task")

    def done_future(self, value):
        future = self.loop.create_future()
        future.set_result(value)
        return future

    async def run_body(self, body):
        task = asyncio.current_task()
        if task not in self.body_of:
            self.register(task, body)
        self.task_event(0, f"body {body}")
        left = await self.run_block(self.program["bodies"][body]["block"], body, None)
        if left is not None:
            return left[0]

    async def call(self, depth, body):
        if depth == 0:
            return await self.run_body(body)
        return await self.call(depth - 1, body)

    # Statements. A block gives None when it ran to its end, a tuple of the value on `return`.

    async def run_block(self, block, body, handled):
        for statement in block:
            kind = statement["do"]
            left = None
            if kind in COMPOUND:
                left = await COMPOUND[kind](self, statement, body, handled)
            elif kind in MANAGERS:
                manager = MANAGERS[kind](self, statement)
                left = await self.run_with(manager, statement, body, handled)
            else:
                await self.run_simple(statement, body)
            if left is not None:
                return left

    async def run_simple(self, statement, body):
        self.begin(statement)
        try:
            waiting = WAITING.get(statement["do"])
            if waiting is not None:
                result = await waiting(self, statement, body)
            else:
                result = IMMEDIATE[statement["do"]](self, statement, body)
        except BaseException as error:
            self.fail(statement, error)
            raise
        self.end(statement, result)

    async def run_return(self, statement, body, handled):
        self.task_event(statement["id"], f"return {statement['value']}")
        return (statement["value"],)

    async def run_reraise(self, statement, body, handled):
        if handled is None:
            handled = RuntimeError("No active exception to reraise")
        self.task_event(statement["id"], f"reraise {show(handled)}")
        raise handled

    async def run_loop(self, statement, body, handled):
        for _ in range(statement["count"]):
            self.task_event(statement["id"], "round")
            left = await self.run_block(statement["block"], body, handled)
            if left is not None:
                return left

    async def run_try(self, statement, body, handled):
        try:
            try:
                left = await self.run_block(statement["block"], body, handled)
            except BaseException as error:
                for handler in statement["handlers"]:
                    if isinstance(error, ERRORS[handler["catches"]]):
                        self.task_event(statement["id"], f"except {show(error)}")
                        left = await self.run_block(handler["block"], body, error)
                        break
                else:
                    raise
            else:
                if left is None:
                    self.task_event(statement["id"], "else")
                    left = await self.run_block(statement["otherwise"], body, handled)
        finally:
            if self.trace is not None:
                self.task_event(statement["id"], "finally")
                await self.run_block(statement["finally"], body, handled)
        return left

    async def run_with(self, manager, statement, body, handled):
        self.begin(statement)
        left = None
        try:
            async with manager as entered:
                if isinstance(entered, asyncio.TaskGroup):
                    self.groups.append(entered)
                    entered = None
                elif isinstance(entered, asyncio.Timeout):
                    self.timeouts.append(entered)
                    entered = None
                elif inspect.isasyncgen(entered):
                    entered = None
                self.task_event(statement["id"], f"enter {show(entered)}")
                left = await self.run_block(statement["block"], body, handled)
        except BaseException as error:
            self.fail(statement, error)
            raise
        self.end(statement, None)
        return left

    def item(self, item, body):
        if "body" in item:
            return self.run_body(item["body"])
        if "task" in item:
            return self.waitable(item["task"], body)
        if "get" in item:
            return self.queues[item["get"]].get()
        return asyncio.sleep(item["sleep"], item["value"])

    def items(self, items, body):
        return [self.item(item, body) for item in items]

    def created(self, task, body):
        # An eager task has registered itself.
        if task not in self.body_of:
            self.register(task, body)
        return task.get_name()

    def spawn(self, body, **options):
        return self.created(asyncio.create_task(self.run_body(body), **options), body)

    def group_spawn(self, group, body):
        if not self.groups:
            return "no group"
        return self.created(newest(self.groups, group).create_task(self.run_body(body)), body)

    def cancel(self, task, message):
        if task.done():
            where = "done"
        elif task is asyncio.current_task(self.loop):
            where = "itself"
        else:
            where = f"#{self.suspended_at[task][-1]}" if self.suspended_at[task] else "start"
        return f"{task.get_name()} {task.cancel(message)} at {where}"

    def raise_error(self, error, message):
        raise ERRORS[error]() if message is None else ERRORS[error](message)

    # Primitives.

    def notify(self, condition, count=None):
        self.notified[condition] += 1
        if count is None:
            self.conditions[condition].notify_all()
        else:
            self.conditions[condition].notify(count)

    def predicate(self, statement, condition, remainder):
        def check():
            result = self.notified[condition] % 3 == remainder
            self.task_event(statement, f"check {result}")
            return result

        return check

    def reschedule(self, timeout, delay):
        if not self.timeouts:
            return "no timeout"
        when = None if delay is None else self.loop.time() + delay
        newest(self.timeouts, timeout).reschedule(when)

    def timeout_state(self, timeout):
        if not self.timeouts:
            return "no timeout"
        scope = newest(self.timeouts, timeout)
        return [scope.when(), scope.expired()]

    def variable_set(self, variable, value):
        self.tokens.append((self.variables[variable], self.variables[variable].set(value)))

    def variable_reset(self, token):
        if not self.tokens:
            return "no token"
        variable, token = newest(self.tokens, token)
        variable.reset(token)

    def generator_new(self, index):
        plan = self.program["shared"]["generators"][index]
        self.generators[index] = generate(self, index, plan)
        # One that nobody holds would be closed at no defined moment.
        self.all_generators.append(self.generators[index])

    async def generator_for(self, statement):
        generator = self.generators[statement["generator"]]
        rounds = 0
        async for value in generator:
            self.task_event(statement["id"], f"next {show(value)}")
            rounds += 1
            if rounds == statement["rounds"]:
                await generator.aclose()
                break

    async def as_completed(self, statement, body):
        completed = asyncio.as_completed(
            self.items(statement["items"], body), timeout=statement["timeout"]
        )
        if statement["style"] == "plain":
            for next_one in completed:
                self.task_event(statement["id"], f"next {show(await next_one)}")
        else:
            async for next_one in completed:
                self.task_event(statement["id"], f"next {show(next_one)}")

    async def wait(self, statement, body):
        tasks = [self.waitable(task, body) for task in statement["tasks"]]
        done, pending = await asyncio.wait(
            tasks, timeout=statement["timeout"], return_when=statement["return_when"]
        )
        return [sorted(map(show, done)), sorted(map(show, pending))]

    # Callbacks.

    def callback(self, statement, action):
        def run(*arguments):
            self.plain_event(statement, f"called {show(list(arguments))}")
            try:
                result = ACTIONS[action["act"]](self, action, statement)
            except BaseException as error:
                self.plain_event(statement, f"callback fails {show(error)}")
                raise
            self.plain_event(statement, f"callback {show(result)}")

        return run

    def timers(self, statement):
        handles = [
            self.loop.call_later(
                index * 7 % statement["spread"], self.plain_event, statement["id"], f"timer {index}"
            )
            for index in range(statement["count"])
        ]
        for index, handle in enumerate(handles):
            if index % statement["keep"] != 0:
                handle.cancel()

    def handle_cancel(self, index):
        if not self.handles:
            return "no handle"
        handle = newest(self.handles, index)
        handle.cancel()
        return handle.cancelled()

    def add_callback(self, statement, future, action):
        callback = self.callback(statement, action)
        self.callbacks.append((future, callback))
        future.add_done_callback(callback)

    def remove_callback(self, index):
        if not self.callbacks:
            return "no callback"
        future, callback = newest(self.callbacks, index)
        return future.remove_done_callback(callback)

    def schedule(self, statement, method, *when):
        callback = self.callback(statement["id"], statement["action"])
        self.handles.append(method(*when, callback))

    def future_new(self, index):
        self.futures[index] = self.loop.create_future()

    # The run.

    def phase(self, name, ended, work, *arguments):
        try:
            result = work(*arguments)
        except Deadlock:
            self.event(name, 0, "deadlock")
        except BaseException as error:
            self.event(name, 0, f"{ended} {show(error)}")
        else:
            self.event(name, 0, f"{ended} {show(result)}")

    async def finish(self):
        pending = [task for task in self.tasks if not task.done()]
        if self.program["finish"] == "cancel":
            for task in pending:
                task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return len(pending)

    def handle_exception(self, loop, context):
        message = context["message"]
        if not message.endswith(("never retrieved", "it is pending!")):
            # What follows in the message is a repr.
            message = message.partition(" <")[0].partition(" Run.")[0]
            self.event("loop", 0, f"{message}: {show(context.get('exception'))}")

    def state_of(self, task):
        if not task.done():
            return "pending"
        if task.cancelled():
            return "cancelled"
        return show(task.exception() or task.result())

    def run_on_loop(self):
        main = self.loop.create_task(self.run_body(0))
        self.register(main, 0)
        run_until_complete = self.loop.run_until_complete
        self.phase("loop", "stopped", run_until_complete, main)
        self.phase("loop", "stopped", run_until_complete, self.finish())
        if self.all_generators:
            shutdown = self.loop.shutdown_asyncgens()
            self.phase("loop", "stopped", run_until_complete, shutdown)

    def run_by_runner(self, runs):
        runner = asyncio.Runner(loop_factory=lambda: self.loop)
        for run in runs:
            context = contextvars.copy_context() if run["own_context"] else None
            main = self.run_body(run["body"])
            self.phase("runner", "ran", functools.partial(runner.run, context=context), main)
        self.phase("runner", "closed", runner.close)
        refused = self.run_body(0)
        self.phase("runner", "ran", runner.run, refused)
        refused.close()

    def run(self):
        self.loop.set_exception_handler(self.handle_exception)
        if "runs" in self.program:
            self.run_by_runner(self.program["runs"])
        else:
            self.run_on_loop()
        for task in self.tasks:
            self.event(task.get_name(), 0, f"{self.state_of(task)} {task.cancelling()}")
        primitives = [
            *self.queues,
            *self.semaphores,
            *self.locks,
            *self.events,
            *self.conditions,
            *self.barriers,
            *self.groups,
            *self.timeouts,
        ]
        for index, primitive in enumerate(primitives):
            # Without module and address, and a whole number of seconds as JavaScript has it.
            state = re.sub(r"asyncio\.\w+\.| object| at 0x\w+|\.0(?=>)", "", repr(primitive))
            self.event("final", 0, f"{index} {state}")
        trace, self.trace = self.trace, None
        # What is still suspended is closed when it is collected; nothing may be scheduled then.
        self.loop.close()
        return trace


COMPOUND = {
    "return": Run.run_return,
    "reraise": Run.run_reraise,
    "loop": Run.run_loop,
    "try": Run.run_try,
}

MANAGERS = {
    "semaphore_with": lambda run, s: run.semaphores[s["semaphore"]],
    "lock_with": lambda run, s: run.locks[s["lock"]],
    "condition_with": lambda run, s: run.conditions[s["condition"]],
    "barrier_with": lambda run, s: run.barriers[s["barrier"]],
    "group": lambda run, s: asyncio.TaskGroup(),
    "timeout": lambda run, s: asyncio.timeout(s["delay"]),
    "timeout_at": lambda run, s: asyncio.timeout_at(s["when"]),
    "generator_closing": lambda run, s: contextlib.aclosing(run.generators[s["generator"]]),
}


async def join(run, s, body):
    return await run.waitable(s["task"], body)


@types.coroutine
def await_itself(task):
    # `await task` would leave a flag of CPython's C task up, and every later `await` of this task,
    # by whatever other task, would fail with "await wasn't used with future".
    return (yield task)


async def join_self(run, s, body):
    return await await_itself(asyncio.current_task())


async def acquire(primitive):
    await primitive.acquire()


async def done_future(run, s, body):
    return await run.done_future(s["value"])


async def future_wait(run, s, body):
    return await run.futures[s["future"]]


WAITING = {
    "join": join,
    "join_self": join_self,
    "sleep": lambda run, s, body: asyncio.sleep(s["delay"], s.get("value")),
    "gather": lambda run, s, body: asyncio.gather(
        *run.items(s["items"], body), return_exceptions=s["return_exceptions"]
    ),
    "wait": Run.wait,
    "wait_for": lambda run, s, body: asyncio.wait_for(run.item(s["item"], body), s["timeout"]),
    "shield": lambda run, s, body: asyncio.shield(run.item(s["item"], body)),
    "as_completed": Run.as_completed,
    "staggered_race": lambda run, s, body: asyncio.staggered.staggered_race(
        [functools.partial(run.run_body, target) for target in s["bodies"]], s["delay"]
    ),
    "call": lambda run, s, body: run.call(s["depth"] - 1, s["body"]),
    "done_future": done_future,
    "queue_put": lambda run, s, body: run.queues[s["queue"]].put(s["item"]),
    "queue_get": lambda run, s, body: run.queues[s["queue"]].get(),
    "queue_join": lambda run, s, body: run.queues[s["queue"]].join(),
    "semaphore_acquire": lambda run, s, body: acquire(run.semaphores[s["semaphore"]]),
    "lock_acquire": lambda run, s, body: acquire(run.locks[s["lock"]]),
    "event_wait": lambda run, s, body: run.events[s["event"]].wait(),
    "condition_acquire": lambda run, s, body: acquire(run.conditions[s["condition"]]),
    "condition_wait": lambda run, s, body: run.conditions[s["condition"]].wait(),
    "condition_wait_for": lambda run, s, body: run.conditions[s["condition"]].wait_for(
        run.predicate(s["id"], s["condition"], s["remainder"])
    ),
    "barrier_wait": lambda run, s, body: run.barriers[s["barrier"]].wait(),
    "barrier_reset": lambda run, s, body: run.barriers[s["barrier"]].reset(),
    "barrier_abort": lambda run, s, body: run.barriers[s["barrier"]].abort(),
    "future_wait": future_wait,
    "generator_next": lambda run, s, body: anext(
        run.generators[s["generator"]], *([s["default"]] if "default" in s else [])
    ),
    "generator_send": lambda run, s, body: run.generators[s["generator"]].asend(s["value"]),
    "generator_throw": lambda run, s, body: run.generators[s["generator"]].athrow(
        ERRORS[s["error"]]()
    ),
    "generator_close": lambda run, s, body: run.generators[s["generator"]].aclose(),
    "generator_for": lambda run, s, body: run.generator_for(s),
}

IMMEDIATE = {
    "log": lambda run, s, body: s["value"],
    "spawn": lambda run, s, body: run.spawn(s["body"]),
    "spawn_eager": lambda run, s, body: run.spawn(s["body"], eager_start=True),
    "all_tasks": lambda run, s, body: sorted(
        task.get_name() for task in asyncio.all_tasks() if task in run.body_of
    ),
    "cancel": lambda run, s, body: run.cancel(run.known(s["task"]), s.get("message")),
    "cancelling": lambda run, s, body: run.known(s["task"]).cancelling(),
    "uncancel": lambda run, s, body: asyncio.current_task().uncancel(),
    "raise": lambda run, s, body: run.raise_error(s["error"], s.get("message")),
    "group_spawn": lambda run, s, body: run.group_spawn(s["group"], s["body"]),
    "timeout_reschedule": lambda run, s, body: run.reschedule(s["timeout"], s["delay"]),
    "timeout_state": lambda run, s, body: run.timeout_state(s["timeout"]),
    "queue_put_nowait": lambda run, s, body: run.queues[s["queue"]].put_nowait(s["item"]),
    "queue_get_nowait": lambda run, s, body: run.queues[s["queue"]].get_nowait(),
    "queue_task_done": lambda run, s, body: run.queues[s["queue"]].task_done(),
    "queue_shutdown": lambda run, s, body: run.queues[s["queue"]].shutdown(s["immediate"]),
    "semaphore_release": lambda run, s, body: run.semaphores[s["semaphore"]].release(),
    "lock_release": lambda run, s, body: run.locks[s["lock"]].release(),
    "event_set": lambda run, s, body: run.events[s["event"]].set(),
    "event_clear": lambda run, s, body: run.events[s["event"]].clear(),
    "condition_release": lambda run, s, body: run.conditions[s["condition"]].release(),
    "condition_notify": lambda run, s, body: run.notify(s["condition"], s["count"]),
    "condition_notify_all": lambda run, s, body: run.notify(s["condition"]),
    "call_soon": lambda run, s, body: run.schedule(s, run.loop.call_soon),
    "call_later": lambda run, s, body: run.schedule(s, run.loop.call_later, s["delay"]),
    "call_at": lambda run, s, body: run.schedule(s, run.loop.call_at, s["when"]),
    "timers": lambda run, s, body: run.timers(s),
    "handle_cancel": lambda run, s, body: run.handle_cancel(s["handle"]),
    "future_new": lambda run, s, body: run.future_new(s["future"]),
    "future_set_result": lambda run, s, body: run.futures[s["future"]].set_result(s["value"]),
    "future_set_exception": lambda run, s, body: run.futures[s["future"]].set_exception(
        ERRORS[s["error"]]()
    ),
    "future_cancel": lambda run, s, body: run.futures[s["future"]].cancel(s.get("message")),
    "future_result": lambda run, s, body: run.futures[s["future"]].result(),
    "future_add_callback": lambda run, s, body: run.add_callback(
        s["id"], run.futures[s["future"]], s["action"]
    ),
    "task_add_callback": lambda run, s, body: run.add_callback(
        s["id"], run.known(s["task"]), s["action"]
    ),
    "remove_callback": lambda run, s, body: run.remove_callback(s["callback"]),
    "variable_get": lambda run, s, body: run.variables[s["variable"]].get(),
    "variable_set": lambda run, s, body: run.variable_set(s["variable"], s["value"]),
    "variable_reset": lambda run, s, body: run.variable_reset(s["token"]),
    "generator_new": lambda run, s, body: run.generator_new(s["generator"]),
}

ACTIONS = {
    "log": lambda run, a, statement: a["value"],
    "raise": lambda run, a, statement: run.raise_error(a["error"], None),
    "cancel": lambda run, a, statement: run.cancel(run.known(a["task"]), None),
    "set_result": lambda run, a, statement: run.futures[a["future"]].set_result(a["value"]),
    "set_exception": lambda run, a, statement: run.futures[a["future"]].set_exception(
        ERRORS[a["error"]]()
    ),
    "call_soon": lambda run, a, statement: run.schedule(
        {"id": statement, "action": {"act": "log", "value": a["value"]}}, run.loop.call_soon
    ),
    "variable_get": lambda run, a, statement: run.variables[a["variable"]].get(),
    "variable_set": lambda run, a, statement: run.variable_set(a["variable"], a["value"]),
}


def run_program(program):
    return json.dumps(Run(json.loads(program)).run())


def collect():
    """The loops of many programs are garbage in cycles; none is collected in the middle of a run."""
    gc.collect()


gc.disable()
