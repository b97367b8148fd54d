"""When other processes of this machine had a processor: what they did to a figure is not the server's doing.

`python -m bench.neighbours PID` watches all but that process's tree and the kernel's threads, until its input ends, and
then prints the moments. It is a process of its own so that it takes nothing from the load's interpreter. (Linux,
/proc/PID/task/TID/schedstat: nanoseconds on a processor.)
"""

import json
import os
import select
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import perf_counter, sleep
from typing import IO, Self

from bench.memory import tree
from bench.open_loop import Ack
from bench.processes import python, search_path

LOOK_AROUND_SECONDS = 1.5
"""Who does nothing for so long at first is not watched."""
BUSY_NANOSECONDS = 100_000
SAMPLE_SECONDS = 0.002
DISTURBING_NANOSECONDS = 200_000
"""Of a sample."""

Moment = tuple[float, float]
"""From when to when, on the clock of `perf_counter`."""


class Neighbours:
    """Watches from its beginning to its end as a context manager; then knows the `moments`, in order."""

    def __init__(self, moments: Iterable[Moment] = ()) -> None:
        self.moments = list(moments)
        self._watcher: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        command = python("-m", "bench.neighbours", str(os.getpid()))
        env = {**os.environ, "PYTHONPATH": search_path()}
        pipe = subprocess.PIPE
        self._watcher = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)
        _output_of(self._watcher).readline()  # it has looked around
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._watcher is not None
        printed, _ = self._watcher.communicate()
        self.moments = [(begin, end) for begin, end in json.loads(printed or "[]")]

    def undisturbed(self, acks: Iterable[Ack]) -> list[float]:
        """How long those requests took, in seconds, during which nobody else had a processor."""
        ends = [end for _, end in self.moments]
        took: list[float] = []
        for ack in acks:
            following = bisect_right(ends, ack.sent_at)
            if following == len(ends) or self.moments[following][0] >= ack.answered_at:
                took.append(ack.answered_at - ack.sent_at)
        return took


def _output_of(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def watch(root: int) -> list[Moment]:
    """Until standard input ends."""
    files = _busy_threads(root)
    print(flush=True)
    moments: list[Moment] = []
    at, had = perf_counter(), sum(map(_had, files))
    while not select.select([sys.stdin], [], [], SAMPLE_SECONDS)[0]:
        begin, before = at, had
        at, had = perf_counter(), sum(map(_had, files))
        if had - before >= DISTURBING_NANOSECONDS:
            moments.append((begin, at))
    return moments


def _busy_threads(root: int) -> list[int]:
    """Open files that tell of the threads of others that do something."""
    files = [os.open(path, os.O_RDONLY) for path in others(root)]
    before = list(map(_had, files))
    sleep(LOOK_AROUND_SECONDS)
    return [file for file, had in zip(files, before, strict=True) if _had(file) - had >= BUSY_NANOSECONDS]


def others(root: int) -> Iterable[Path]:
    """Where the kernel tells of the threads of every process that is neither its own nor of that tree."""
    own = set(tree(root))
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # Threads of the kernel, which work for all, have no command line.
            if int(folder.name) not in own and (folder / "cmdline").read_bytes():
                yield from folder.glob("task/*/schedstat")


def _had(file: int) -> int:
    """How long that thread has had a processor, in nanoseconds; 0 when it is over."""
    try:
        return int(os.pread(file, 100, 0).split(None, 1)[0])
    except OSError:
        return 0


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]))))
