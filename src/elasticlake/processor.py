"""Sharing the processor with whoever waits for it."""

from __future__ import annotations

import time


def give_way() -> None:
    """Let whoever waits for this thread's processor have it, if it is their turn; half a microsecond if it is not.

    Linux decides whose turn it is when a thread wakes, and otherwise at its tick, every 4 ms where that comes 250 times
    a second. One that wakes a moment before its turn may wait for the tick, however nice this thread is. Who asks for
    the time that it has run (clock_gettime(2), `CLOCK_THREAD_CPUTIME_ID`) makes the kernel bring its accounts up to
    date, and decide. Unlike sched_yield(2), that gives away nothing of this thread's share.

    It helps those of the same session or control group who asked for short turns (`server/tuning.py`), so from Linux
    6.12 on; elsewhere it does nothing.
    """
    time.thread_time()
