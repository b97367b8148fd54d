"""Which keys a browser can ask for."""

from __future__ import annotations

import pytest

from elasticlake.dashboard.links import is_browsable


@pytest.mark.parametrize(
    "key", [b"a", b"a//b", b"/a", b"a/", b"...", b"a/.b", b"a..", b"%2e%2e", b"a\x00", b"a\\..\\b"]
)
def test_a_browser_asks_for_these_as_they_are(key: bytes) -> None:
    assert is_browsable(key)


@pytest.mark.parametrize("key", [b".", b"..", b"../x", b"a/./b", b"a/..", b"a/."])
def test_a_browser_takes_these_for_steps(key: bytes) -> None:
    assert not is_browsable(key)
