"""The folders on the way."""

from __future__ import annotations

import pytest

from elasticlake.dashboard.listing import steps_to


@pytest.mark.parametrize(
    ("prefix", "steps"),
    [
        (b"", []),
        (b"a/", [(b"a/", b"a")]),
        (b"a/b/", [(b"a/", b"a"), (b"a/b/", b"b")]),
        (b"a//", [(b"a/", b"a"), (b"a//", b"")]),
        (b"a/be", [(b"a/", b"a"), (b"a/be", b"be")]),
    ],
)
def test_each_folder_has_its_prefix_and_name(prefix: bytes, steps: list[tuple[bytes, bytes]]) -> None:
    assert steps_to(prefix) == steps
