"""Positions in many logs, as text."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from elasticlake.errors import InvalidInput
from elasticlake.model.positions import EVERYTHING, MAX_BUCKETS, Positions

NUMBERS = some.integers(1, 2**40)
SEQUENCES = some.dictionaries(NUMBERS, some.integers(0, 2**50), max_size=20)
NOW_MS = 1_767_323_045_678


@given(some.integers(0, 2**50), SEQUENCES)
def test_what_was_written_is_read(boundary_ms: int, sequences: dict[int, int]) -> None:
    positions = Positions(boundary_ms, sequences)
    assert Positions.parse(str(positions), "after") == positions


@given(SEQUENCES, NUMBERS, some.integers(0, 2**50))
def test_one_bucket_moves_and_the_others_stay(sequences: dict[int, int], bucket_id: int, sequence: int) -> None:
    moved = Positions(NOW_MS, {**sequences, bucket_id: sequence})
    assert Positions(NOW_MS, sequences).moving(bucket_id)(sequence) == str(moved)


def test_the_beginning_of_everything() -> None:
    assert Positions.parse(EVERYTHING, "after") == Positions(0, {})


def test_a_position_in_a_header_line_that_proxies_take() -> None:
    full = Positions(NOW_MS, {number: 100_000 + number for number in range(1, MAX_BUCKETS + 1)})
    assert len(str(full)) < 7000
    assert Positions.parse(str(full), "after") == full


@given(some.text(max_size=30) | some.from_regex(r"[A-Za-z0-9_-]{1,30}", fullmatch=True))
def test_what_is_taken_is_what_would_be_written(text: str) -> None:
    with suppress(InvalidInput):
        assert str(Positions.parse(text, "after")) == text or text == EVERYTHING


@pytest.mark.parametrize("text", ["", "1", "AQ", "AA", "AQA=", str(Positions(NOW_MS, {1: 2}))[:-1] + "?"])
def test_what_is_no_position(text: str) -> None:
    with pytest.raises(InvalidInput, match="no position of this stream") as refused:
        Positions.parse(text, "after")
    assert refused.value.field == "after"


def test_more_buckets_than_there_can_be_are_refused() -> None:
    with pytest.raises(InvalidInput):
        Positions.parse(str(Positions(NOW_MS, dict.fromkeys(range(1, MAX_BUCKETS + 2), 1))), "after")
