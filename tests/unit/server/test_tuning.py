"""What a process asks of the kernel, asked back from it."""

import os
import platform
import re
import subprocess
import sys

from elasticlake.server.tuning import SLICE_NANOSECONDS

# sched_getattr(2) is the next number on both machines.
ASK = """
import ctypes, os, sys, threading
from elasticlake.server import tuning

os.nice(3)
tuning.ask_for_short_turns()

def tell():
    kept = ctypes.create_string_buffer(tuning._SCHED_ATTR.size)
    number = tuning._SCHED_SETATTR[sys.argv[1]] + 1
    assert ctypes.CDLL(None).syscall(number, 0, kept, len(kept), 0) == 0
    _, policy, _, niceness, _, slice_ns, _, _ = tuning._SCHED_ATTR.unpack(kept.raw)
    print(policy, niceness, slice_ns, flush=True)

tell()
thread = threading.Thread(target=tell)
thread.start()
thread.join()
"""


def test_turns_are_short_from_then_on_and_nothing_else_changes() -> None:
    told = subprocess.check_output([sys.executable, "-c", ASK, platform.machine()], text=True, timeout=60)
    of_process, of_thread = (line.split() for line in told.splitlines())
    niceness = str(os.getpriority(os.PRIO_PROCESS, 0) + 3)
    assert of_process[:2] == of_thread[:2] == [str(os.SCHED_OTHER), niceness]
    release = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
    if release >= (6, 12):
        assert of_process[2] == of_thread[2] == str(SLICE_NANOSECONDS)
