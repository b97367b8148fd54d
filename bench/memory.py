"""Memory and CPU of every process of a tree, sampled while the load runs (Linux, proc(5))."""

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SAMPLE_SECONDS = 0.05
RESCAN_SAMPLES = 10
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class ProcessUse:
    """One process: the highest anonymous resident memory seen, and the CPU time used so far."""

    pid: int
    name: str
    rss_anon_max_bytes: int = 0
    cpu_seconds: float = 0.0


def tree(root: int) -> list[int]:
    """The process and all its descendants that are alive."""
    found = [root] if _stat(root) else []
    for pid in found:  # grows while it is walked: children of children follow
        found.extend(_children(pid))
    return found


def rss_anon_bytes(pid: int) -> int:
    """Anonymous resident memory now; 0 for a process that is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    at = status.find("RssAnon:")
    return int(status[at + 8 :].split(None, 1)[0]) * 1024 if at >= 0 else 0


def cpu_seconds(pid: int) -> float:
    """User and system time used so far; 0 for a process that is gone."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND if fields else 0.0


def _children(pid: int) -> list[int]:
    """Each thread's own. To walk over all of /proc for them would hold up a load in this interpreter."""
    found: dict[int, None] = {}
    with suppress(OSError):  # it may end meanwhile
        for listed in Path(f"/proc/{pid}/task").glob("*/children"):
            found.update(dict.fromkeys(map(int, listed.read_text().split())))
    return list(found)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on: the name before it may itself contain spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[-1].split()
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "?"
    return " ".join(os.path.basename(word) for word in words[:5] if word)[:60]


class Sampler:
    """Samples the trees of the given root processes in a thread, as a context manager."""

    def __init__(self, roots: list[int]) -> None:
        self._roots = roots
        self._uses: dict[int, ProcessUse] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.sample(rescan=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def uses(self) -> list[ProcessUse]:
        return list(self._uses.values())

    def sample(self, *, rescan: bool) -> None:
        """Take one sample; with `rescan`, look for new processes first."""
        if rescan:
            for root in self._roots:
                for pid in tree(root):
                    self._uses.setdefault(pid, ProcessUse(pid, _name(pid)))
        for use in tuple(self._uses.values()):
            use.rss_anon_max_bytes = max(use.rss_anon_max_bytes, rss_anon_bytes(use.pid))
            use.cpu_seconds = max(use.cpu_seconds, cpu_seconds(use.pid))

    def _run(self) -> None:
        count = 0
        while not self._stopped.wait(SAMPLE_SECONDS):
            count += 1
            self.sample(rescan=count % RESCAN_SAMPLES == 0)
