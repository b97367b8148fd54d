"""How values look on a page: sizes, counts, times, durations, and keys that may hold anything."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from elasticlake.clock import rfc3339_milliseconds, rfc3339_seconds

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEPS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
# What would reorder, hide or break the text around it: controls, formats (RTL marks, joiners), separators.
_ODD = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})


def size(size_bytes: float) -> str:
    """`1.4 MiB`: three digits, in powers of 1024."""
    unit, value = 0, float(size_bytes)
    while value >= 1023.5 and unit < len(_UNITS) - 1:
        unit, value = unit + 1, value / 1024
    digits = 0 if unit == 0 or value >= 99.95 else 1
    return f"{value:.{digits}f} {_UNITS[unit]}"


def count(number: int) -> str:
    """`1,234,567`."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(milliseconds: float | None) -> str:
    """`1.2 ms`, `340 ms`, `4.2 s`, `3 min`, `2 h`, `5 d`; a dash for none."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f}".removesuffix(".0") + " s" if seconds < 60 else _long(seconds)


def percent(ratio: float | None) -> str:
    """`99.5 %`; never 100 % for what is not whole; a dash for none."""
    if ratio is None:
        return "–"
    shown = f"{ratio * 100:.1f}"
    return f"{'99.9' if shown == '100.0' and ratio < 1 else shown.removesuffix('.0')} %"


def ago(time_ms: int | None, now_ms: int) -> Markup:
    """How long ago, or how soon; the exact time on hovering, and for scripts."""
    if time_ms is None:
        return Markup("–")
    seconds = (now_ms - time_ms) / 1000
    text = "now" if abs(seconds) < 1 else f"{_long(seconds)} ago" if seconds > 0 else f"in {_long(-seconds)}"
    return _time(time_ms, text)


def due(time_ms: int, now_ms: int) -> Markup:
    """How soon something happens that waits for its time and for an occasion: `in 5 s`, then `due`."""
    return ago(time_ms, now_ms) if time_ms > now_ms else _time(time_ms, "due")


def _time(time_ms: int, text: str) -> Markup:
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(rfc3339_milliseconds(time_ms), text)


def moment(time_ms: int | None) -> Markup:
    """The time itself, `2025-10-30 14:22:33 UTC`; a script shows it in the reader's zone on hovering."""
    if time_ms is None:
        return Markup("–")
    text = rfc3339_seconds(time_ms).replace("T", " ").replace("Z", " UTC")
    return Markup('<time datetime="{}">{}</time>').format(rfc3339_milliseconds(time_ms), text)


def key(value: bytes | str) -> Markup:
    """A key as text that cannot pass for another: what has no shape of its own is shown by its code, and what reads
    from right to left stays in its place."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    shown = Markup("").join(
        Markup('<span class="odd" title="{0}">{0}</span>').format(_code(one))
        if unicodedata.category(one) in _ODD
        else escape(one)
        for one in text
    )
    return Markup("<bdi>{}</bdi>").format(shown)


def json_text(data: bytes) -> Markup:
    """A body in JSON, line by line; anything else as it is. What has no shape of its own is shown by its code."""
    try:
        lines = json.dumps(json.loads(data), indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        lines = data.decode("utf-8", "replace").split("\n")
    return Markup("\n").join(key(line) for line in lines)


def name_of(value: bytes, prefix: bytes = b"") -> Markup:
    """A key without the prefix that the page is about."""
    return key(value[len(prefix) :])


def spoken(value: bytes, prefix: bytes = b"") -> str:
    """`name_of` as plain text, for what is read aloud."""
    text = value[len(prefix) :].decode("utf-8", "replace")
    return "".join(f" {_code(one)} " if unicodedata.category(one) in _ODD else one for one in text)


def in_url(value: bytes | str) -> str:
    """A value for a query parameter, or for one segment of a path."""
    return quote(value, safe="")


def _long(seconds: float) -> str:
    unit_seconds, unit = next((step for step in _STEPS if seconds >= step[0]), _STEPS[-1])
    return f"{int(seconds // unit_seconds)} {unit}"


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


FILTERS: dict[str, Callable[..., Any]] = {
    "size": size,
    "count": count,
    "counted": counted,
    "duration": duration,
    "percent": percent,
    "ago": ago,
    "due": due,
    "moment": moment,
    "key": key,
    "json_text": json_text,
    "name_of": name_of,
    "spoken": spoken,
    "in_url": in_url,
}
