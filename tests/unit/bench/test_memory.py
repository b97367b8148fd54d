import os
import subprocess
import sys

from bench.memory import Sampler, cpu_seconds, rss_anon_bytes, tree
from bench.result import MIB

HOLD_64_MIB = "import sys; held = b'x' * (64 << 20); print(len(held), flush=True); sys.stdin.read()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD_64_MIB!r}])"


def test_a_childs_memory_is_seen_below_the_root() -> None:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    with Sampler([process.pid]) as sampler:
        assert len(tree(process.pid)) == 2
    process.communicate(b"")
    root, child = sampler.uses
    assert root.pid == process.pid
    assert root.rss_anon_max_bytes < 64 * MIB <= child.rss_anon_max_bytes < 96 * MIB
    assert "python" in child.name
    assert child.cpu_seconds >= 0


def test_own_process_is_measured() -> None:
    before = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) < before + 0.02:
        sum(range(10_000))
    assert rss_anon_bytes(os.getpid()) > MIB


def test_a_process_that_is_gone_uses_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert tree(process.pid) == []
    assert rss_anon_bytes(process.pid) == 0
    assert cpu_seconds(process.pid) == 0
