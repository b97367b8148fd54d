"""A record is a frozen dataclass to the type checker, and a quick one at run time."""

import pytest

from elasticlake.record import record


@record
class Point:
    x: int
    y: int = 2


def test_records_are_values() -> None:
    assert Point(1) == Point(1, 2) != Point(2)
    assert {Point(1), Point(1, 2)} == {Point(1)}
    assert repr(Point(1)) == "Point(x=1, y=2)"


def test_a_record_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]


def test_the_type_checker_refuses_to_change_one() -> None:
    """mypy reports an ignore that nothing needs, so this line fails the build if a record could be changed."""
    point = Point(1)
    point.x = 2  # type: ignore[misc]
    assert point != Point(1)
