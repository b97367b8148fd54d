"""The tree of errors is the one that its docstring draws."""

import inspect
import re

import pytest

from elasticlake import errors
from elasticlake.errors import ElasticLakeError, EventsExpired, InvalidBucketName, InvalidInput, NoSuchKey

ALL = [one for _, one in inspect.getmembers(errors, inspect.isclass)]
SAMPLES: dict[str, tuple[object, ...]] = {
    "InvalidInput": ("field", "It is wrong."),
    "InvalidWebhook": ("field", "It is wrong."),
    "InvalidDestination": ("field", "It is wrong."),
    "InvalidBucketName": ("It is wrong.",),
    "EventsExpired": (7,),
    "PositionExpired": ("bucket", 7),
    "PreconditionFailed": ("If-Match",),
    "ChecksumMismatch": ("CRC32",),
}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_is_ours_drawn_and_says_something(kind: type[ElasticLakeError]) -> None:
    assert issubclass(kind, ElasticLakeError)
    assert re.search(rf"\b{kind.__name__}\b", errors.__doc__ or "")
    text = str(kind(*SAMPLES.get(kind.__name__, ())))
    assert text
    assert text != "None"


def test_the_docstring_draws_nothing_else() -> None:
    drawn = set(re.findall(r"\b[A-Z][a-z]+[A-Z]\w+|\bNotFound\b|\bConflict\b", errors.__doc__ or ""))
    assert drawn - {"ElasticLake"} <= {kind.__name__ for kind in ALL}


def test_a_message_of_its_own_comes_before_the_usual_one() -> None:
    assert str(NoSuchKey()) == "The specified key does not exist."
    assert str(NoSuchKey("Gone.")) == "Gone."


def test_what_callers_look_at() -> None:
    assert InvalidInput("field", "wrong").field == "field"
    assert InvalidBucketName("wrong").field == "bucket"
    assert EventsExpired(7).first_sequence == 7
    assert "7" in str(EventsExpired(7))
    assert errors.PreconditionFailed("If-Match").condition == "If-Match"
    assert errors.ChecksumMismatch("CRC32").algorithm == "CRC32"


def test_a_missing_thing_is_never_a_conflict() -> None:
    for kind in ALL:
        assert not (issubclass(kind, errors.NotFound) and issubclass(kind, errors.Conflict))
