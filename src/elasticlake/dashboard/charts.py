"""Charts: SVG made here, so that a page needs no script to show one. Colours come from the style sheet's classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT = 520, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 24
_LABELS = 6
_LATENCIES_MS = (1, 10, 100, 1000, 10_000, 100_000)


class Column(NamedTuple):
    """What stands above one step of time: a value for each series, and what hovering over it says."""

    label: str
    values: tuple[float | None, ...]
    title: str


def sparkline(
    values: Sequence[Sequence[float]], classes: Sequence[str], label: str, width: int = 120, height: int = 24
) -> Markup:
    """A small bar for each value, whose parts, a class for each, stand on each other; each is seen however little it
    is."""
    most = max((sum(parts) for parts in values), default=0) or 1
    step = width / max(1, len(values))
    bars = Markup("").join(
        _bar(index * step, step, [part / most * (height - 2) for part in parts], classes, height)
        for index, parts in enumerate(values)
    )
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>'
    ).format(label, width, height, width, height, bars)


def bars(columns: Sequence[Column], classes: Sequence[str], label: str) -> Markup:
    """Bars whose parts, a class for each, stand on each other: counts over time."""
    most = max((sum(value or 0 for value in column.values) for column in columns), default=0)
    top = _round_up(most)
    grid = [_grid_line(value / top, f"{value:,.0f}") for value in (0, top / 2, top) if value == int(value)]
    step = _step(columns)
    drawn = [_stack(column, classes, _LEFT + number * step, step, top) for number, column in enumerate(columns)]
    return _chart(label, [*grid, *drawn, *_time_labels(columns, step)])


def lines(columns: Sequence[Column], classes: Sequence[str], label: str) -> Markup:
    """A line for each class over time, in milliseconds on a logarithmic scale; it is broken where nothing is known."""
    known = [value for column in columns for value in column.values if value is not None]
    floor, ceiling = _decades(known)
    marks = [value for value in _LATENCIES_MS if floor <= value <= ceiling]
    grid = [_grid_line(_share(value, floor, ceiling), _milliseconds(value)) for value in marks]
    step = _step(columns)
    drawn = [
        _line([column.values[number] for column in columns], name, step, floor, ceiling)
        for number, name in enumerate(classes)
    ]
    hovers = [_hover(column, _LEFT + number * step, step) for number, column in enumerate(columns)]
    return _chart(label, [*grid, *drawn, *hovers, *_time_labels(columns, step)])


def steps(parts: Sequence[tuple[str, float]], label: str, width: int = 480, height: int = 14) -> Markup:
    """One bar of parts beside each other, a (class, length) each: what a request's time went to."""
    whole = sum(length for _, length in parts) or 1
    drawn, x = [], 0.0
    for name, length in parts:
        part = length / whole * width
        drawn.append(
            Markup('<rect class="{}" x="{:.1f}" y="0" width="{:.1f}" height="{}"/>').format(name, x, part, height)
        )
        x += part
    return Markup(
        '<svg class="steps" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
    ).format(label, width, height, Markup("").join(drawn))


def _chart(label: str, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        label, WIDTH, HEIGHT, Markup("").join(parts)
    )


def _step(columns: Sequence[Column]) -> float:
    return (WIDTH - _LEFT - _RIGHT) / max(1, len(columns))


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _grid_line(share: float, text: str) -> Markup:
    return Markup(
        '<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text x="{}" y="{text_y:.1f}" text-anchor="end">{}</text>'
    ).format(_LEFT, WIDTH - _RIGHT, _LEFT - 6, text, y=_y(share), text_y=_y(share) + 4)


def _stack(column: Column, classes: Sequence[str], x: float, step: float, top: float) -> Markup:
    drawn, below = [], 0.0
    gap = min(2.0, step * 0.2)
    for name, value in zip(classes, column.values, strict=True):
        if not value:
            continue
        # However few they are, they are seen.
        height = max(1.5, value / top * (HEIGHT - _TOP - _BOTTOM))
        below += height
        drawn.append(
            Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                name, x + gap / 2, _y(0) - below, step - gap, height
            )
        )
    return Markup("<g>{}{}</g>").format(_hover(column, x, step), Markup("").join(drawn))


def _hover(column: Column, x: float, step: float) -> Markup:
    return Markup('<rect class="hover" x="{:.1f}" y="{}" width="{:.1f}" height="{}"><title>{}</title></rect>').format(
        x, _TOP, step, HEIGHT - _TOP - _BOTTOM, column.title
    )


def _line(values: Sequence[float | None], name: str, step: float, floor: float, ceiling: float) -> Markup:
    drawn: list[Markup] = []
    piece: list[str] = []
    for number, value in enumerate([*values, None]):
        if value is not None:
            x = _LEFT + (number + 0.5) * step
            piece.append(f"{x:.1f},{_y(_share(value, floor, ceiling)):.1f}")
        elif len(piece) == 1:
            x_text, y_text = piece[0].split(",")
            drawn.append(Markup('<circle class="{}" cx="{}" cy="{}" r="2.5"/>').format(name, x_text, y_text))
            piece = []
        elif piece:
            drawn.append(Markup('<polyline class="{}" points="{}"/>').format(name, " ".join(piece)))
            piece = []
    return Markup("").join(drawn)


def _time_labels(columns: Sequence[Column], step: float) -> list[Markup]:
    every = max(1, math.ceil(len(columns) / _LABELS))
    return [
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            _LEFT + (number + 0.5) * step, HEIGHT - 6, column.label
        )
        for number, column in enumerate(columns)
        if number % every == every // 2
    ]


def _round_up(most: float) -> float:
    """The least of 2, 4, 10, 20, 40, 100 … that is enough: a scale's end, whose half is whole as well."""
    power = 1.0
    while True:
        for end in (2 * power, 4 * power, 10 * power):
            if end >= most:
                return end
        power *= 10


def _decades(known: Sequence[float]) -> tuple[float, float]:
    """The powers of ten around what is known, at least one apart."""
    least, greatest = min(known, default=1.0), max(known, default=100.0)
    floor = max(1.0, 10.0 ** math.floor(math.log10(max(least, 1.0))))
    return floor, max(10 * floor, 10.0 ** math.ceil(math.log10(max(greatest, 1.0))))


def _share(value: float, floor: float, ceiling: float) -> float:
    return math.log(max(value, floor) / floor) / math.log(ceiling / floor)


def _milliseconds(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"


def _bar(x: float, step: float, parts: Sequence[float], classes: Sequence[str], height: int) -> Markup:
    drawn, top = [], float(height)
    for kind, part in zip(classes, parts, strict=True):
        if part:
            top -= max(1.0, part)
            drawn.append(_spark(kind, x, top, step, max(1.0, part)))
    return Markup("").join(drawn or [_spark("none", x, height - 1, step, 1)])


def _spark(kind: str, x: float, top: float, step: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, x, top, step * 0.7, height
    )
