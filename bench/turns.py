"""How long two threads that work hand in hand take beside a dispatcher that is busy: left alone, and giving way.

Run by `python -m bench.turns`, which prints how long a round takes. Three processes share one processor. One stands for
the dispatcher: as nice, and never resting. The two others stand for a gateway's event loop and its committing thread:
they have a gateway's short turns, and in a round hand a byte to each other and back four times, which is about a
millisecond of work. Nobody asks for the time while working: that would be giving way.
"""

import argparse
import os
import signal
from collections.abc import Callable
from math import ceil
from time import perf_counter, sleep

from bench.stats import percentiles
from elasticlake.processor import give_way
from elasticlake.server.dispatcher import NICENESS
from elasticlake.server.tuning import ask_for_short_turns

HANDOVERS = 4
REST_SECONDS = 0.001
ASKED_SECONDS, ANSWER_SECONDS, AFTERWARDS_SECONDS = 0.00007, 0.00005, 0.0001
LATE_SECONDS = 0.002
SECONDS = 10.0
_NUMBERS = range(100)


def rounds_beside(pause: Callable[[], None], seconds: float) -> list[float]:
    """How long each round took, in seconds, beside a dispatcher that calls this again and again."""
    per_second = _loops_per_second()
    asked, ask = os.pipe()
    answered, answer = os.pipe()
    others: list[int] = []
    took: list[float] = []
    try:
        others.append(_forked(seconds, lambda: _keep_busy(pause)))
        others.append(_forked(seconds, lambda: _answer(asked, answer, per_second), ask, answered))
        for end in (asked, answer):
            os.close(end)
        ask_for_short_turns()
        until = perf_counter() + seconds
        while (begun := perf_counter() + REST_SECONDS) < until:
            sleep(REST_SECONDS)
            for _ in range(HANDOVERS):
                os.write(ask, b"?")
                _work(ASKED_SECONDS, per_second)
                if not os.read(answered, 1):
                    raise RuntimeError("who answers has ended")
            took.append(perf_counter() - begun)
    finally:
        for pid in others:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for end in (ask, answered):
            os.close(end)
        ask_for_short_turns(0)
    return took


def _forked(seconds: float, run: Callable[[], None], *not_its_own: int) -> int:
    pid = os.fork()
    if pid == 0:
        signal.alarm(ceil(seconds) + 10)  # whatever becomes of its parent
        for end in not_its_own:
            os.close(end)
        try:
            run()
        finally:
            os._exit(1)
    return pid


def _keep_busy(pause: Callable[[], None]) -> None:
    os.nice(NICENESS)
    while True:
        sum(_NUMBERS)
        pause()


def _answer(asked: int, answer: int, per_second: float) -> None:
    ask_for_short_turns()
    while os.read(asked, 1):
        _work(ANSWER_SECONDS, per_second)
        os.write(answer, b"!")
        _work(AFTERWARDS_SECONDS, per_second)


def _work(seconds: float, per_second: float) -> None:
    for _ in range(round(seconds * per_second)):
        sum(_NUMBERS)


def _loops_per_second(loops: int = 20_000) -> float:
    begun = perf_counter()
    for _ in range(loops):
        sum(_NUMBERS)
    return loops / (perf_counter() - begun)


def main(seconds: float = SECONDS) -> None:
    """Print both."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for name, pause in (("left alone", lambda: None), ("giving way", give_way)):
        took = rounds_beside(pause, seconds)
        points, late = percentiles(took), sum(one > LATE_SECONDS for one in took)
        print(
            f"beside a dispatcher {name}: {len(took):,} rounds, p50 {points.p50_ms:.2f} ms, p99 {points.p99_ms:.2f} ms,"
            f" max {points.max_ms:.2f} ms, {late} above {LATE_SECONDS * 1000:.0f} ms"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.turns", description=__doc__)
    parser.add_argument(
        "seconds", type=float, nargs="?", default=SECONDS, help=f"for each of the two (default {SECONDS:g})"
    )
    main(parser.parse_args().seconds)
