"""Sharing the processor with whoever waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable


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


class Stretches:
    """Long work of a thread for which nobody waits, in short stretches: each piece gives way, each stretch is followed
    by a rest.

    Whoever works on the other side of a connection, such as a process of a database server, is not as nice as this
    thread, and gives way to nobody. While this thread rests, it rests too.
    """

    def __init__(self, seconds: float, rest: float, in_haste: Callable[[], bool]) -> None:
        """A stretch ends with the piece after which it has taken so many seconds of processor time; the rest is that
        multiple of what it took. There is none while `in_haste` says so."""
        self._seconds = seconds
        self._rest = rest
        self._in_haste = in_haste
        self._began_at = time.thread_time()

    def end_piece(self) -> None:
        """A piece of the work is done."""
        took = time.thread_time() - self._began_at  # gives way, too
        if took < self._seconds:
            return
        if not self._in_haste():
            time.sleep(self._rest * took)
        self._began_at = time.thread_time()
