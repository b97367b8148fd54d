import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

import pytest
from bench.neighbours import Neighbours, others
from bench.open_loop import Ack

# Its parent is gone, so it belongs to no tree of ours.
ORPHAN = """
import os, sys, time
if os.fork():
    os._exit(0)
print(os.getpid(), flush=True)
os.close(1)
until = time.monotonic() + 60
while time.monotonic() < until:
    sum(range(100_000))
"""


@pytest.fixture
def stranger() -> Iterator[int]:
    """Another process, busy all the time."""
    pid = int(subprocess.check_output([sys.executable, "-c", ORPHAN], timeout=30))
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_request_beside_another_process_is_left_out() -> None:
    moments = [(1.0, 2.0), (3.0, 4.0)]
    before, within, across, touching, between, after = (
        Ack(0.0, 0.9), Ack(1.2, 1.3), Ack(2.5, 3.5), Ack(2.0, 3.0), Ack(2.1, 2.9), Ack(4.5, 6.0),
    )  # fmt: skip
    took = Neighbours(moments).undisturbed([before, within, across, touching, between, after])
    assert took == pytest.approx([0.9, 1.0, 0.8, 1.5])
    assert Neighbours().undisturbed([before]) == [0.9]


def test_a_stranger_is_seen_while_it_works(stranger: int) -> None:
    with Neighbours() as neighbours:
        begun = perf_counter()
        sleep(0.5)
    requests = [Ack(begun + number / 1000, begun + (number + 1) / 1000) for number in range(500)]
    assert len(neighbours.undisturbed(requests)) < 25
    ends = [moment for both in neighbours.moments for moment in both]
    assert ends == sorted(ends)


def test_strangers_are_neither_ours_nor_the_kernels(stranger: int) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = {int(path.parts[2]) for path in others(os.getpid())}
        child.communicate(b"\n")
    assert stranger in found
    assert not found & {os.getpid(), child.pid}
    assert all(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in found if Path(f"/proc/{pid}").exists())


def test_a_watcher_that_fails_is_no_proof_of_being_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.neighbours.python", lambda *_: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(RuntimeError, match="ended with 3"), Neighbours():
        pass
    monkeypatch.setattr("bench.neighbours.python", lambda *_: [sys.executable, "-c", "print(); exit(4)"])
    with pytest.raises(RuntimeError, match="ended with 4"), Neighbours():
        pass
