"""Amounts as people write them: `5m`, `1.5 MiB`, `0.25`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_AMOUNT = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,30})?) ?([A-Za-z]*)", re.ASCII)


def read_amount(text: str, units: Mapping[str, int]) -> float | None:
    """`1.5 MiB` in the smallest of the units, which goes without saying; None for what is no such thing."""
    match = _AMOUNT.fullmatch(text)
    if match is None or (match[2] and match[2] not in units):
        return None
    number = int(match[1]) if match[1].isdigit() else float(match[1])
    return number * units.get(match[2], 1)


def number_text(number: float | None) -> str:
    """`30`, `0.5`; empty for none."""
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else f"{Decimal(repr(number)):f}"


def wait_text(seconds: float | None) -> str:
    """`90s`, `5m`, `2h`, `1d`: in the largest unit that it is whole in; empty for none."""
    if seconds is None:
        return ""
    unit = next((unit for unit in ("d", "h", "m") if seconds and seconds % SECONDS[unit] == 0), "s")
    return f"{number_text(seconds / SECONDS[unit])}{unit}"
