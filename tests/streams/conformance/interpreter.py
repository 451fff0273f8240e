"""Runs programs for a StreamReader (see program.ts) on CPython: their traces, as JSON lines."""

import asyncio
import json
from asyncio import base_events

asyncio._set_running_loop(None)


class Loop(base_events.BaseEventLoop):
    """A loop without time and input; it is its own selector."""

    def __init__(self):
        super().__init__()
        self._selector = self

    def select(self, timeout):
        if timeout is None:
            raise RuntimeError("deadlock")
        return ()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass


class Transport:
    def __init__(self, trace):
        self.trace = trace

    def pause_reading(self):
        self.trace.append("pause")

    def resume_reading(self):
        self.trace.append("resume")

    def __repr__(self):
        return "transport"


class Reader(asyncio.StreamReader):
    """CPython's, but for what this library does otherwise: a read to the end that fails puts back its bytes."""

    async def read(self, n=-1):
        if n >= 0:
            return await super().read(n)
        blocks = []
        try:
            while block := await super().read(self._limit):
                blocks.append(block)
        except BaseException:
            self._buffer[0:0] = b"".join(blocks)
            raise
        return b"".join(blocks)


def short(data):
    text = data.decode("latin-1")
    return text if len(text) <= 80 else f"{text[:20]}...{text[-20:]} {len(text)}"


def show(error):
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, asyncio.IncompleteReadError):
        expected = "null" if error.expected is None else error.expected
        return f"{text} [{short(error.partial)}] {expected}"
    if isinstance(error, asyncio.LimitOverrunError):
        return f"{text} {error.consumed}"
    return text


async def read(reader, what):
    match what["read"]:
        case "read":
            return await reader.read(what["n"])
        case "readexactly":
            return await reader.readexactly(what["n"])
        case "readline":
            return await reader.readline()
        case "readuntil":
            separators = [one.encode() for one in what["separators"]]
            return await reader.readuntil(
                separators[0] if len(separators) == 1 else tuple(separators)
            )


async def read_lines(reader, count):
    lines = []
    async for line in reader:
        lines.append(line)
        if len(lines) == count:
            break
    return b"|".join(lines)


async def run_task(trace, number, reader, reads):
    for what in reads:
        try:
            if what["read"] == "lines":
                result = await read_lines(reader, what["count"])
            else:
                result = await read(reader, what)
            trace.append(f"{number} {what['read']} [{short(result)}]")
        except asyncio.CancelledError:
            trace.append(f"{number} {what['read']} cancelled")
            raise
        except Exception as error:
            trace.append(f"{number} {what['read']} {show(error)}")


async def run_program(program, trace):
    reader = Reader(limit=program["limit"])
    if program["transport"]:
        reader.set_transport(Transport(trace))
    tasks = []
    for action in program["actions"]:
        try:
            match action["do"]:
                case "feed":
                    reader.feed_data(action["data"].encode())
                case "feed_many":
                    data = action["data"].encode()
                    for _ in range(action["times"]):
                        reader.feed_data(data)
                case "eof":
                    reader.feed_eof()
                case "error":
                    reader.set_exception(KeyError("broken"))
                case "task":
                    coroutine = run_task(trace, len(tasks), reader, action["reads"])
                    tasks.append(asyncio.create_task(coroutine))
                case "cancel":
                    if tasks:
                        tasks[action["task"] % len(tasks)].cancel()
                case "turns":
                    for _ in range(action["count"]):
                        await asyncio.sleep(0)
        except Exception as error:
            trace.append(f"{action['do']} {show(error)}")
        trace.append(f"{action['do']} {reader.at_eof()} {reader.exception() is None}")
        if reader._waiter is None and reader.exception() is None:
            trace.append(repr(reader))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # What is left is all there: no byte was lost.
    if reader.exception() is None:
        reader.feed_eof()
        trace.append(short(await reader.read()))


def run_programs(lines):
    traces = []
    for line in lines.split("\n"):
        trace = []
        loop = Loop()
        try:
            loop.run_until_complete(run_program(json.loads(line), trace))
        finally:
            loop.close()
        traces.append(json.dumps(trace))
    return "\n".join(traces)
