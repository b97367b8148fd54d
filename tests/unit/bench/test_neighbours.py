import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

import pytest
from bench.neighbours import Neighbours, Watch, had, others
from bench.open_loop import Ack

PF_KTHREAD = 0x00200000

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
    threads = list(Path(f"/proc/{stranger}/task").glob("*/schedstat"))
    with Neighbours() as neighbours:
        begun, before = perf_counter(), sum(map(had, threads))
        sleep(0.5)
        over, worked_seconds = perf_counter(), (sum(map(had, threads)) - before) / 1e9
    # How much of the time it had depends on who else works here.
    assert sum(end - begin for begin, end in neighbours.moments) > worked_seconds / 2
    assert neighbours.undisturbed([Ack(begun, over)]) == []
    ends = [moment for both in neighbours.moments for moment in both]
    assert ends == sorted(ends)


def test_all_that_the_busy_ones_had_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, calm = tmp_path / "busy", tmp_path / "calm"
    threads = [busy]
    monkeypatch.setattr("bench.neighbours.others", lambda _: threads)
    microseconds = dict.fromkeys((busy, calm), 0)

    def works(thread: Path, of_us: int) -> None:
        microseconds[thread] += of_us
        thread.write_text(f"{microseconds[thread] * 1_000} 0 1\n")

    watch = Watch(1)
    works(busy, 5_000)
    watch.look_around()
    works(busy, 100)
    works(calm, 9_000)
    threads.append(calm)
    watch.look_around()  # the calm one is new, and what it had before nobody knows
    for at, of_busy, of_calm in [
        (1.000, 0, 0),
        (1.004, 300, 0),
        (1.008, 199, 0),  # no disturbance
        (1.012, 0, 4_000),  # nobody watches the calm one yet
        (1.020, 7_000, 0),  # of which some is of before the last sample
        (1.024, 4_000, 0),
    ]:
        works(busy, of_busy)
        works(calm, of_calm)
        watch.sample(at)
    works(busy, 100)
    watch.look_around()
    works(calm, 100)
    watch.sample(2.000)
    busy.unlink()  # it is over
    works(calm, 200)
    watch.sample(2.004)
    edges = [moment for both in watch.moments for moment in both]
    assert edges == pytest.approx([1.000, 1.004, 1.013, 1.024, 1.996, 2.004])


def test_strangers_are_neither_ours_nor_the_kernels(stranger: int) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = {int(path.parts[2]) for path in others(os.getpid())}
        child.communicate(b"\n")
    assert stranger in found
    assert not found & {os.getpid(), child.pid}
    assert not any(map(is_of_the_kernel, found))


def is_of_the_kernel(pid: int) -> bool:
    """Whether that is a thread of the kernel (proc_pid_stat(5), flags); what is over is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return bool(int(stat.rpartition(")")[2].split()[6]) & PF_KTHREAD)


def test_a_watcher_that_fails_is_no_proof_of_being_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.neighbours.python", lambda *_: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(RuntimeError, match="ended with 3"), Neighbours():
        pass
    monkeypatch.setattr("bench.neighbours.python", lambda *_: [sys.executable, "-c", "print(); exit(4)"])
    with pytest.raises(RuntimeError, match="ended with 4"), Neighbours():
        pass
