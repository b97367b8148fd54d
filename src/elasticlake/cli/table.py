"""Tables: plain columns for pipes, and on a terminal columns that fit its width.

A terminal's row is one line. What one copies (ids, names of buckets, statuses) is never cut: the columns that may be
shortened are, and if that is not enough, the less important ones are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

COLUMN_GAP = "  "

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """How a column gets its value: a field of the item's document, or what makes the value of it.

    `shortens_to`: to how many cells a narrow terminal may cut it, with `…`; 0 if never. `shortens_last`: only if all
    else does not help. `spare`: 0 if it always stays; else the highest is the first to be left out. `is_time`: its
    value is an RFC 3339 time, which a terminal shows short.
    """

    of: str | Callable[[Item], Any]
    shortens_to: int = 0
    shortens_last: bool = False
    spare: int = 0
    is_time: bool = False

    def value(self, item: Item) -> Any:
        """The value of `item`; None where an older or newer server has no such field."""
        return item.get(self.of) if isinstance(self.of, str) else self.of(item)


def is_on_terminal() -> bool:
    return sys.stdout.isatty()


def short_time(value: str, now: datetime) -> str:
    """An RFC 3339 time in `now`'s zone: `17:36:23`, or `2026-01-02 17:36` on another day; no time stays as it is."""
    try:
        time = datetime.fromisoformat(value).astimezone(now.tzinfo)
    except ValueError:
        return value
    return f"{time:%H:%M:%S}" if time.date() == now.date() else f"{time:%Y-%m-%d %H:%M}"


def plain(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of an aligned table, however wide."""
    table = [headings, *rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(headings))]
    return [
        COLUMN_GAP.join(f"{value:<{width}}" for value, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]  # fmt: skip


def fitted_widths(columns: Sequence[Column], widths: Sequence[int], room: int) -> dict[int, int]:
    """The width of each column (by its index) that a terminal of `room` cells shows; `widths` are the full ones.

    More than `room` in all if even the columns that must stay whole do not fit.
    """
    shown = dict(enumerate(widths))
    first, last = (
        {index: column.shortens_to for index, column in enumerate(columns) if column.shortens_last is is_last}
        for is_last in (False, True)
    )
    while any(columns[index].spare for index in shown) and _total(_shrunk(shown, first, room)) > room:
        del shown[max(shown, key=lambda index: columns[index].spare)]
    return _shrunk(_shrunk(shown, first, room), last, room)


def _shrunk(widths: Mapping[int, int], least: Mapping[int, int], room: int) -> dict[int, int]:
    """The widths with the widest of those in `least` taken in until all fit, or none of them can give more."""
    shrunk = dict(widths)
    while _total(shrunk) > room:
        wide = [index for index in shrunk if 0 < least.get(index, 0) < shrunk[index]]
        if not wide:
            break
        shrunk[max(wide, key=lambda index: shrunk[index])] -= 1
    return shrunk


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(COLUMN_GAP) * (len(widths) - 1)


def write_fitted(columns: Mapping[str, Column], rows: Sequence[Sequence[str]]) -> None:
    """The table on a terminal, one line a row."""
    from rich.cells import cell_len  # only a terminal pays for its import
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    headings = list(columns)
    console = Console(highlight=False)
    full = [max(cell_len(row[index]) for row in [headings, *rows]) for index in range(len(headings))]
    widths = fitted_widths(list(columns.values()), full, console.width)
    table = Table(box=None, pad_edge=False, padding=(0, len(COLUMN_GAP), 0, 0), header_style="bold")
    for index, width in widths.items():
        table.add_column(headings[index], no_wrap=True, overflow="ellipsis", width=width)
    for row in rows:
        table.add_row(*(Text(row[index]) for index in widths))  # Text: brackets in a key are no markup
    console.width = max(console.width, _total(widths))  # else it would cut what must stay whole
    console.print(table)
