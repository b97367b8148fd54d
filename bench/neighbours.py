"""When other processes of this machine had a processor: what they did to a figure is not the server's doing.

`python -m bench.neighbours PID` watches all but that process's tree and the kernel's threads, until its input ends, and
then prints the moments. It is a process of its own so that it takes nothing from the load's interpreter; of the
processors it takes a fiftieth of one. (Linux, /proc/PID/task/TID/schedstat: nanoseconds on a processor.)
"""

import json
import os
import select
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter, sleep
from typing import Self

from bench.memory import tree
from bench.open_loop import Ack
from bench.processes import python, search_path

LOOK_AROUND_SECONDS = 1.5
"""Whoever begins to work is watched from then on at the latest."""
BUSY_NANOSECONDS = 100_000
SAMPLE_SECONDS = 0.004
DISTURBING_NANOSECONDS = 200_000
"""Of a sample."""

Moment = tuple[float, float]
"""From when to when, on the clock of `perf_counter`."""


class Neighbours:
    """Watches from its beginning to its end as a context manager; then knows the `moments`, in order and apart.

    Raises RuntimeError if there is nobody who could tell: that is not the same as being alone.
    """

    def __init__(self, moments: Iterable[Moment] = ()) -> None:
        self.moments = list(moments)
        self._watcher: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        command = python("-m", "bench.neighbours", str(os.getpid()))
        env = {**os.environ, "PYTHONPATH": search_path()}
        pipe = subprocess.PIPE
        self._watcher = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)
        assert self._watcher.stdout is not None
        if not self._watcher.stdout.readline():
            raise RuntimeError(f"the watcher of other processes ended with {self._watcher.wait()}")
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        assert self._watcher is not None
        printed, _ = self._watcher.communicate()
        if self._watcher.returncode == 0:
            self.moments = [(begin, end) for begin, end in json.loads(printed)]
        elif kind is None:
            raise RuntimeError(f"the watcher of other processes ended with {self._watcher.returncode}")

    def undisturbed(self, acks: Iterable[Ack]) -> list[float]:
        """How long those requests took, in seconds, that no such moment touched."""
        ends = [end for _, end in self.moments]
        took: list[float] = []
        for ack in acks:
            following = bisect_right(ends, ack.sent_at)
            if following == len(ends) or self.moments[following][0] >= ack.answered_at:
                took.append(ack.answered_at - ack.sent_at)
        return took


class Watch:
    """The threads of others: all are looked at now and then, and those that do something all the time."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._had: dict[Path, int] = {}
        self._busy: dict[Path, int] = {}
        """How long each has had a processor, in nanoseconds, when looked at last."""
        self.moments: list[Moment] = []

    def look_around(self) -> None:
        """Find who has been busy since the last look."""
        before, self._had = self._had, {path: had(path) for path in others(self._root)}
        for path, now in self._had.items():
            if path not in self._busy and now - before.get(path, now) >= BUSY_NANOSECONDS:
                self._busy[path] = now

    def sample(self, at: float) -> None:
        """Note what the busy ones had since the last sample."""
        taken = 0
        for path, before in self._busy.items():
            self._busy[path] = now = had(path)
            taken += max(0, now - before)
        if taken >= DISTURBING_NANOSECONDS:
            # The kernel tells of a thread at its tick, or when another follows it: some of it may be of before.
            self._add(at - max(SAMPLE_SECONDS, taken / 1e9), at)

    def _add(self, begin: float, end: float) -> None:
        while self.moments and self.moments[-1][1] >= begin:
            begin = min(begin, self.moments.pop()[0])
        self.moments.append((begin, end))


def others(root: int) -> Iterator[Path]:
    """Where the kernel tells of the threads of every process that is neither its own nor of that tree."""
    own = set(tree(root))
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # Threads of the kernel, which work for all, have no command line.
            if int(folder.name) not in own and (folder / "cmdline").read_bytes():
                yield from list(folder.glob("task/*/schedstat"))


def had(schedstat: Path) -> int:
    """How long that thread has had a processor, in nanoseconds; 0 when it is over."""
    try:
        return int(schedstat.read_bytes().split(None, 1)[0])
    except OSError:
        return 0


def main(root: int) -> None:
    """Watch until standard input ends."""
    watch = Watch(root)
    watch.look_around()
    sleep(LOOK_AROUND_SECONDS)
    watch.look_around()
    print(flush=True)
    looked_at = perf_counter()
    while not select.select([sys.stdin], [], [], SAMPLE_SECONDS)[0]:
        if perf_counter() - looked_at > LOOK_AROUND_SECONDS:
            watch.look_around()
            looked_at = perf_counter()
        watch.sample(perf_counter())
    print(json.dumps(watch.moments))


if __name__ == "__main__":
    main(int(sys.argv[1]))
