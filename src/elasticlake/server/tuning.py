"""What a process that serves asks of the interpreter, the C library and the kernel."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import struct
import sys

# The event loop and the threads that hash, write and commit hand the interpreter to each other: shortly, please.
SWITCH_SECONDS = 0.0005
# Almost nothing here is cyclic; looking for cycles every 700 allocations took a tenth of the time.
GC_THRESHOLD = 50_000
# Otherwise glibc returns memory to the kernel after each large read and faults it in again at the next: body intake at
# a quarter of its speed. What one option of mallopt(3) sets, the others no longer adapt, so all three are set.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES = 16 * 1024 * 1024
# sched_setattr(2), which neither Python nor older C libraries have: its number, and `struct sched_attr` at first.
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_SCHED_ATTR = struct.Struct("=IIQiIQQQ")
SLICE_NANOSECONDS = 100_000


def tune_process() -> None:
    """Call once, before serving."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            for option in (_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD):
                library.mallopt(option, KEPT_BYTES)


def ask_for_short_turns(slice_nanoseconds: int = SLICE_NANOSECONDS) -> None:
    """Ask the kernel for short slices of processor time, so that whoever waits for this process waits little: it then
    comes, when it wakes, before one that is in the middle of a longer slice. For the threads and processes that are
    made later, too. A slice of 0 is the kernel's own.

    Linux before 6.12 takes no notice, a sandbox may refuse, and whoever runs this in another class knows why: then all
    goes on as it was.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_OTHER, 0, niceness, 0, slice_nanoseconds, 0, 0)
    ctypes.CDLL(None).syscall(number, 0, wanted, 0)
