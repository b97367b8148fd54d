"""What a process that serves asks of the interpreter and the C library."""

from __future__ import annotations

import ctypes
import gc
import sys

# The event loop and the threads that hash, write and commit hand the interpreter to each other: shortly, please.
SWITCH_SECONDS = 0.0005
# Almost nothing here is cyclic; looking for cycles every 700 allocations took a tenth of the time.
GC_THRESHOLD = 50_000
# Otherwise glibc returns the top of the heap after each large read and faults it in again at the next: body intake at a
# quarter of its speed.
_M_TOP_PAD = -2
TOP_PAD_BYTES = 16 * 1024 * 1024


def tune_process() -> None:
    """Call once, before serving."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_TOP_PAD, TOP_PAD_BYTES)
