"""Charts: well-formed SVG whose heights are the numbers, whatever they are and are called."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from elasticlake.dashboard.charts import HEIGHT, WIDTH, Column, bars, lines, sparkline, steps

CLASSES = ("good", "warn", "bad")


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def heights(svg: str, kind: str) -> list[float]:
    return [float(rect.get("height", "")) for rect in parsed(svg).iter("rect") if rect.get("class") == kind]


def column(*values: float | None, title: str = "") -> Column:
    return Column("12:00", values, title)


def test_bars_stand_on_each_other_and_are_as_high_as_they_count() -> None:
    svg = bars([column(10, 5, 0), column(20, 0, 1)], CLASSES, "Attempts")
    first, second = heights(svg, "good")
    assert second == pytest.approx(2 * first, rel=0.01)
    assert heights(svg, "warn") == [pytest.approx(first / 2, rel=0.02)]
    (bad,) = (rect for rect in parsed(svg).iter("rect") if rect.get("class") == "bad")
    (good,) = (
        rect for rect in parsed(svg).iter("rect") if rect.get("x") == bad.get("x") and rect.get("class") == "good"
    )
    assert float(bad.get("y", "")) + float(bad.get("height", "")) == pytest.approx(float(good.get("y", "")), abs=0.11)


def test_one_failure_among_a_million_is_seen() -> None:
    assert heights(bars([column(1_000_000, 0, 1)], CLASSES, "Attempts"), "bad") == [1.5]


@pytest.mark.parametrize(("most", "top"), [(0, "2"), (1, "2"), (3, "4"), (99, "100"), (101, "200"), (4500, "10,000")])
def test_the_scale_ends_at_a_round_number(most: int, top: str) -> None:
    texts = [text.text for text in parsed(bars([column(most, 0, 0)], CLASSES, "")).iter("text")]
    assert top in texts


def test_a_sparkline_s_parts_stand_on_each_other_and_the_least_is_seen() -> None:
    svg = sparkline([(1000, 1, 0), (0, 0, 0)], CLASSES, "Last hours")
    drawn = [(rect.get("class"), rect.get("y"), rect.get("height")) for rect in parsed(svg).iter("rect")]
    assert drawn == [("good", "2.0", "22.0"), ("warn", "1.0", "1.0"), ("none", "23.0", "1.0")]


def test_nothing_at_all_is_still_a_chart() -> None:
    for svg in (bars([], CLASSES, "none"), lines([], ("p50",), "none"), steps([], "none"), sparkline([], (), "none")):
        assert parsed(svg).get("aria-label") == "none"


def test_a_line_is_broken_where_nothing_is_known_and_a_lone_point_is_a_dot() -> None:
    columns = [column(value) for value in (5.0, 50.0, None, 500.0)]
    svg = parsed(lines(columns, ("p50",), "Latency"))
    assert [len((line.get("points") or "").split()) for line in svg.iter("polyline")] == [2]
    assert len(list(svg.iter("circle"))) == 1


def test_latencies_lie_on_a_logarithmic_scale_within_the_chart() -> None:
    columns = [column(value) for value in (0.2, 1.0, 10.0, 100.0, 30_000.0, 30_000.0)]
    (line,) = parsed(lines(columns, ("p50",), "Latency")).iter("polyline")
    points = [tuple(map(float, point.split(","))) for point in (line.get("points") or "").split()]
    ys = [y for _, y in points]
    assert ys[0] == ys[1] > ys[2] > ys[3] > ys[4]
    assert ys[1] - ys[2] == pytest.approx(ys[2] - ys[3], abs=0.2)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in points)


def test_steps_share_the_bar_by_their_length() -> None:
    svg = parsed(steps([("dns", 1.0), ("wait", 3.0)], "Time", width=400))
    assert [(rect.get("class"), rect.get("width")) for rect in svg.iter("rect")] == [
        ("dns", "100.0"),
        ("wait", "300.0"),
    ]


def test_words_cannot_become_markup() -> None:
    hostile = '"><script>alert(1)</script>'
    for svg in (
        bars([Column(hostile, (1, 0, 0), hostile)], CLASSES, hostile),
        lines([Column(hostile, (1.0,), hostile)], ("p50",), hostile),
        steps([("dns", 1.0)], hostile),
    ):
        assert not list(parsed(svg).iter("script"))
        assert not re.search("<script", svg)
