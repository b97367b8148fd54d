"""The supervisor, in a process of its own: children come back, and end with it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from elasticlake.server.supervisor import BACKOFF_SECONDS

PREAMBLE = """
import os, signal, sys, time
from pathlib import Path
from elasticlake.server import supervisor as module
from elasticlake.server.supervisor import Supervisor
notes = Path(sys.argv[1])
def note(text):
    with notes.open("a") as file:
        file.write(f"{text} {os.getpid()} {time.monotonic()}\\n")
def wait_for_term():
    note("up")
    signal.sigwait({signal.SIGTERM})
    note("down")
def work():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    wait_for_term()
supervisor = Supervisor()
"""


class Supervised:
    """A supervisor with the children that `script` adds."""

    def __init__(self, notes: Path, script: str) -> None:
        self._notes = notes
        command = [sys.executable, "-c", f"{PREAMBLE}\n{script}\nsys.exit(supervisor.run())", str(notes)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)

    def notes(self, text: str) -> list[tuple[int, float]]:
        """The processes that noted it, and when."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        split = [line.split() for line in lines]
        return [(int(pid), float(at)) for what, pid, at in split if what == text]

    def wait_for(self, text: str, count: int) -> list[tuple[int, float]]:
        until(lambda: len(self.notes(text)) >= count)
        return self.notes(text)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    give_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


Supervise = Callable[[str], Supervised]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    made: list[Supervised] = []

    def start(script: str) -> Supervised:
        made.append(Supervised(tmp_path / f"notes{len(made)}", script))
        return made[-1]

    yield start
    for supervised in made:
        supervised.end()


TWO_WORKERS = 'supervisor.add("one", work)\nsupervisor.add("two", work)'


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_children_in_order(supervise: Supervise, number: signal.Signals) -> None:
    supervised = supervise(TWO_WORKERS)
    children = {pid for pid, _ in supervised.wait_for("up", 2)}
    supervised.process.send_signal(number)
    assert supervised.process.wait(20) == 0
    assert {pid for pid, _ in supervised.notes("down")} == children
    assert not any(is_alive(pid) for pid in children)


def test_a_killed_child_is_started_again_at_once_and_alone(supervise: Supervise) -> None:
    supervised = supervise(TWO_WORKERS)
    (killed, _), (other, _) = supervised.wait_for("up", 2)
    os.kill(killed, signal.SIGKILL)
    again, _ = supervised.wait_for("up", 3)[2]
    assert again not in (killed, other)
    assert is_alive(other)
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(20) == 0
    assert {pid for pid, _ in supervised.notes("down")} == {again, other}


@pytest.mark.parametrize("ending", ['raise RuntimeError("broken")', "return", "os._exit(3)"])
def test_a_child_that_keeps_ending_is_started_more_and_more_rarely(supervise: Supervise, ending: str) -> None:
    supervised = supervise(f'def fail():\n    note("up")\n    {ending}\nsupervisor.add("fails", fail)')
    times = [at for _, at in supervised.wait_for("up", 4)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap >= wait for gap, wait in zip(gaps, BACKOFF_SECONDS, strict=False))
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(20) == 0


def test_children_end_when_the_supervisor_is_killed(supervise: Supervise) -> None:
    supervised = supervise(TWO_WORKERS)
    children = [pid for pid, _ in supervised.wait_for("up", 2)]
    supervised.process.kill()
    supervised.process.wait()
    until(lambda: not any(is_alive(pid) for pid in children))
    # They heard SIGTERM, so they ended as in any stop.
    assert sorted(pid for pid, _ in supervised.notes("down")) == sorted(children)


def test_a_child_that_will_not_end_is_killed(supervise: Supervise) -> None:
    supervised = supervise(
        "module.STOP_SECONDS = 0.5\n"
        "def deaf():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        '    note("up")\n'
        "    while True:\n"
        "        time.sleep(60)\n"
        'supervisor.add("deaf", deaf)'
    )
    ((child, _),) = supervised.wait_for("up", 1)
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(20) == 0
    assert not is_alive(child)


def test_the_terminals_interrupt_leaves_children_to_the_supervisor(supervise: Supervise) -> None:
    supervised = supervise(TWO_WORKERS)
    (child, _), _ = supervised.wait_for("up", 2)
    os.kill(child, signal.SIGINT)
    time.sleep(0.3)
    assert is_alive(child)
    assert len(supervised.notes("up")) == 2
