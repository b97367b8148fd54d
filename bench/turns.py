"""How long a gateway's threads wait for a processor that a dispatcher keeps busy: left alone, and giving way.

Run by `python -m bench.turns`. Four processes share one processor. The neighbour is as nice as a dispatcher and never
rests. The two others have a gateway's short turns and hand a byte back and forth, as its event loop and its committing
thread do. A round of that is begun every millisecond, and takes half of one by itself.
"""

import os
import signal
import sys
from collections.abc import Callable
from time import perf_counter, sleep, thread_time

from bench.stats import percentiles
from elasticlake.processor import give_way
from elasticlake.server.dispatcher import NICENESS
from elasticlake.server.tuning import ask_for_short_turns

HANDOVERS = 4
PAUSE_SECONDS = 0.001
ASKED_SECONDS, ANSWER_SECONDS, AFTERWARDS_SECONDS = 0.00007, 0.00005, 0.0001
SECONDS = 6.0
NUMBERS = range(500)


def rounds_beside(neighbour: Callable[[], None], seconds: float) -> list[float]:
    """How long each round took, in seconds, beside one that calls this again and again."""
    to_other, from_other = os.pipe(), os.pipe()
    others = [_forked(lambda: _keep_busy(neighbour)), _forked(lambda: _answer(to_other[0], from_other[1]))]
    ask_for_short_turns()
    took: list[float] = []
    try:
        until = perf_counter() + seconds
        while (begun := perf_counter() + PAUSE_SECONDS) < until:
            sleep(PAUSE_SECONDS)
            for _ in range(HANDOVERS):
                os.write(to_other[1], b"?")
                _work(ASKED_SECONDS)
                os.read(from_other[0], 1)
            took.append(perf_counter() - begun)
    finally:
        for pid in others:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for end in (*to_other, *from_other):
            os.close(end)
        ask_for_short_turns(0)
    return took


def _forked(run: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            run()
        finally:
            os._exit(1)
    return pid


def _keep_busy(pause: Callable[[], None]) -> None:
    os.nice(NICENESS)
    while True:
        sum(NUMBERS)  # asks nobody for the time: that would be giving way
        pause()


def _answer(asked: int, answers: int) -> None:
    ask_for_short_turns()
    while os.read(asked, 1):
        _work(ANSWER_SECONDS)
        os.write(answers, b"!")
        _work(AFTERWARDS_SECONDS)


def _work(seconds: float) -> None:
    until = thread_time() + seconds
    while thread_time() < until:
        pass


def main(seconds: float = SECONDS) -> None:
    """Print both."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for name, neighbour in (("left alone", lambda: None), ("giving way", give_way)):
        took = percentiles(rounds_beside(neighbour, seconds))
        print(f"neighbour {name}: p50 {took.p50_ms:.2f} ms, p99 {took.p99_ms:.2f} ms, max {took.max_ms:.2f} ms")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
