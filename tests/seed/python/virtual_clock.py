"""A loop on a virtual clock, and what makes a program run on it without knowing.

An hour's sleep takes no time, and the figures a program prints are the same on
every run. Other threads run while the loop has nothing to do, one after the other.
"""

import asyncio
import datetime
import threading
import time
from asyncio import base_events
from collections import deque


class Clock:
    now = 0.0
    # How far the loop's own looks at it move the clock.
    tick = 0.0
    threads = deque()

    @classmethod
    def advance(cls, seconds):
        cls.now += seconds


class VirtualDatetime(datetime.datetime):
    @classmethod
    def now(cls):
        # Two looks at a real clock never show the same time.
        Clock.advance(1e-6)
        return cls.fromtimestamp(Clock.now)


class VirtualClockEventLoop(base_events.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self._clock_resolution = 1e-9
        self._selector = self

    def time(self):
        Clock.advance(Clock.tick)
        return Clock.now

    def select(self, timeout):
        if timeout == 0:
            return []
        if Clock.threads:
            Clock.threads.popleft().run()
        elif timeout is None:
            raise RuntimeError("deadlock: nothing will ever happen")
        else:
            Clock.now = max(Clock.now, self._scheduled[0].when())
        return []

    def close(self):
        self._selector = None
        super().close()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


def install(real_ties):
    """Makes the loops, clocks and threads of the program to come virtual.

    With real_ties no two timers are due at the very same time: what was asked for
    first comes first, as on a real clock. Without, the heap of the loop decides.
    """
    Clock.now = 0.0
    Clock.tick = 1e-6 if real_ties else 0.0
    Clock.threads.clear()
    # A host that embeds Python may have a loop of its own running.
    asyncio._set_running_loop(None)
    asyncio.EventLoop = VirtualClockEventLoop
    asyncio.new_event_loop = asyncio.events.new_event_loop = VirtualClockEventLoop
    time.perf_counter = time.monotonic = lambda: Clock.now
    datetime.datetime = VirtualDatetime
    time.sleep = Clock.advance
    threading.Thread.start = lambda thread: Clock.threads.append(thread)
