"""Where the numbers come from: without it a table of numbers says nothing."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from bench.result import Detail

IN_MEMORY = ("tmpfs", "ramfs")


def environment(directory: Path) -> dict[str, Detail]:
    """The machine, the Python and the file system that holds the data."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memoryBytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "dataDirectory": str(directory),
        "fileSystem": file_system(directory),
    }


def file_system(directory: Path) -> str:
    """The type of the file system that holds a directory; an fsync on tmpfs costs nothing and proves nothing."""
    resolved, best = str(directory.resolve()), ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split(" ")
        inside = resolved == mount or resolved.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
