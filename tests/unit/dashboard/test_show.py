"""How values look, and that nothing in them becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.dashboard import show


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1 << 20, "1.0 MiB"),
        (150 << 10, "150 KiB"),
        (1 << 60, "1024 PiB"),
    ],
)
def test_sizes(size_bytes: int, text: str) -> None:
    assert show.size(size_bytes) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "–"),
        (1.25, "1.2 ms"),
        (340.2, "340 ms"),
        (4200, "4.2 s"),
        (30_000, "30 s"),
        (180_000, "3 min"),
        (7_200_000, "2 h"),
    ],
)
def test_durations(milliseconds: float | None, text: str) -> None:
    assert show.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(None, "–"), (1.0, "100 %"), (0.99999, "99.9 %"), (0.5, "50 %"), (0.0, "0 %"), (0.1234, "12.3 %")],
)
def test_percentages_never_round_up_to_whole(ratio: float | None, text: str) -> None:
    assert show.percent(ratio) == text


def test_times_say_when_and_how_long_ago() -> None:
    assert ">3 min ago<" in show.ago(1_000_000, 1_000_000 + 180_000)
    assert ">in 2 h<" in show.ago(1_000_000 + 7_200_000, 1_000_000)
    assert 'datetime="1970-01-01T00:16:40.000Z"' in show.ago(1_000_000, 2_000_000)
    assert show.ago(None, 0) == "–"


def test_what_is_to_come_is_never_said_to_be_past() -> None:
    assert ">in 5 s<" in show.due(1_005_000, 1_000_000)
    assert ">due<" in show.due(998_000, 1_000_000)
    assert 'datetime="1970-01-01T00:16:38.000Z"' in show.due(998_000, 1_000_000)


def test_a_key_cannot_pass_for_another() -> None:
    shown = show.key(b"a\x00b\xe2\x80\xaegpj.exe")
    assert "\x00" not in shown
    assert "\u202e" not in shown
    assert "U+0000" in shown
    assert "U+202E" in shown


@given(st.text())
def test_a_key_is_never_markup(text: str) -> None:
    shown = show.key(text)
    for ours in ("<bdi>", "</bdi>", '<span class="odd"', "</span>"):
        shown = shown.replace(ours, "")
    assert "<" not in shown
