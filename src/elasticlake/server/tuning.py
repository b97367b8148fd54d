"""What a process that serves asks of the interpreter and the C library."""

from __future__ import annotations

import ctypes
import gc
import sys

# The event loop and the threads that hash, write and commit hand the interpreter to each other: shortly, please.
SWITCH_SECONDS = 0.0005
# Almost nothing here is cyclic; looking for cycles every 700 allocations took a tenth of the time.
GC_THRESHOLD = 50_000
# Otherwise glibc returns memory to the kernel after each large read and faults it in again at the next: body intake at
# a quarter of its speed. What one option of mallopt(3) sets, the others no longer adapt, so all three are set.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES = 16 * 1024 * 1024


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
