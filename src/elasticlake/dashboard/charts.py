"""Charts: SVG made here, so that a page needs no script to show one. Colours come from the style sheet's classes."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup


def sparkline(values: Sequence[tuple[int, int]], label: str, width: int = 120, height: int = 24) -> Markup:
    """A bar for each (delivered, failed): what failed stands on top, and is seen however little it is."""
    most = max((good + bad for good, bad in values), default=0) or 1
    step = width / max(1, len(values))
    bars = Markup("").join(
        _bar(index * step, step, good / most * (height - 2), bad / most * (height - 2), height)
        for index, (good, bad) in enumerate(values)
    )
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>'
    ).format(label, width, height, width, height, bars)


def _bar(x: float, step: float, good: float, bad: float, height: int) -> Markup:
    if not good and not bad:
        return Markup('<rect class="none" x="{:.1f}" y="{}" width="{:.1f}" height="1"/>').format(
            x, height - 1, step * 0.7
        )
    good, bad = (max(1.0, part) if part else 0.0 for part in (good, bad))
    pieces = [
        Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            kind, x, top, step * 0.7, part
        )
        for kind, top, part in (("good", height - good, good), ("bad", height - good - bad, bad))
        if part
    ]
    return Markup("").join(pieces)
