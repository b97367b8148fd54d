"""A blob of any size passes through a remote store's client in bounded memory (I9)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MIB = 1024 * 1024
SIZES_MIB = [200, pytest.param(1024, marks=pytest.mark.soak)]
MAX_GROWTH_BYTES = 80 * MIB


@pytest.mark.parametrize("size_mib", SIZES_MIB)
def test_a_large_blob_is_never_held_whole(s3_url: str, size_mib: int) -> None:
    command = [sys.executable, str(Path(__file__).with_name("streamer.py")), s3_url, str(size_mib)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert ran.returncode == 0, ran.stderr
    assert 0 < int(ran.stdout) < MAX_GROWTH_BYTES
