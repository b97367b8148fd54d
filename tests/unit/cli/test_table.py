from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from elasticlake.cli.table import Column, fitted_widths, plain, short_time

NOW = datetime(2026, 1, 2, 18, 0, tzinfo=UTC)
COLUMNS = [Column("id"), Column("key", shortens_to=12), Column("size", spare=1), Column("at", spare=2)]

# Deliveries as a server has them, on a terminal.
PROGRAM = """
from elasticlake.cli.delivery import COLUMNS
from elasticlake.cli.output import Output
row = {"id": "dlv_" + "a" * 32, "sequence": 7, "event": "object:created", "key": KEY, "status": "delivered",
       "attempts": 1, "lastStatusCode": 200, "kind": "event", "lastAttemptAt": "2026-01-02T03:04:05.678Z"}
Output(as_json=False).items([row], COLUMNS)
"""


def shown(key: str, width: int) -> list[str]:
    """The lines of the deliveries' table on a terminal of this width."""
    controller, terminal = pty.openpty()
    env = {**os.environ, "COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1", "TZ": "UTC"}
    program = PROGRAM.replace("KEY", repr(key))
    subprocess.run([sys.executable, "-c", program], stdout=terminal, env=env, check=True, timeout=30)
    os.close(terminal)
    written = os.read(controller, 65536).decode()
    os.close(controller)
    return re.sub(r"\x1b\[\d*m", "", written).splitlines()


def test_columns_are_aligned() -> None:
    assert plain(["A", "LONGER"], [["wide cell", "1"], ["x", "2"]]) == [
        "A          LONGER",
        "wide cell  1",
        "x          2",
    ]


@pytest.mark.parametrize(
    ("value", "short"),
    [
        ("2026-01-02T17:36:23.678Z", "17:36:23"),
        ("2026-01-01T17:36:23.678Z", "2026-01-01 17:36"),
        ("2026-01-02T23:59:59.000Z", "23:59:59"),
        ("-", "-"),
    ],
)
def test_short_time(value: str, short: str) -> None:
    assert short_time(value, NOW) == short


def test_short_time_is_of_the_reader_s_zone() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=9)))  # the third there already
    assert short_time("2026-01-02T17:36:23Z", east) == "02:36:23"
    assert short_time("2026-01-02T14:36:23Z", east) == "2026-01-02 23:36"


@pytest.mark.parametrize(
    ("room", "widths"),
    [
        (100, {0: 20, 1: 30, 2: 10, 3: 10}),
        (70, {0: 20, 1: 24, 2: 10, 3: 10}),
        (58, {0: 20, 1: 12, 2: 10, 3: 10}),
        (57, {0: 20, 1: 23, 2: 10}),
        (45, {0: 20, 1: 23}),
        (10, {0: 20, 1: 12}),
    ],
)
def test_a_narrow_terminal_shortens_and_then_leaves_out(room: int, widths: dict[int, int]) -> None:
    assert fitted_widths(COLUMNS, [20, 30, 10, 10], room) == widths


def test_what_is_shortened_last_waits_for_all_else() -> None:
    scope = Column("scope", shortens_to=20, shortens_last=True)
    columns = [scope, Column("url", shortens_to=12), Column("events", spare=1)]
    assert fitted_widths(columns, [30, 30, 30], 50) == {0: 30, 1: 18}
    assert fitted_widths(columns, [30, 30, 30], 40) == {0: 26, 1: 12}


def test_a_wide_terminal_shows_everything() -> None:
    heading, row = shown("a.txt", 160)
    named = "DELIVERY SEQUENCE EVENT KEY STATUS ATTEMPTS ANSWER LAST NEXT KIND"
    assert heading.split() == named.split()
    assert " ".join(row.split()[1:]) == "7 object:created a.txt delivered 1 200 2026-01-02 03:04 - event"


def test_a_row_of_a_terminal_of_80_columns_is_one_line() -> None:
    heading, row = shown("[bold]x[/bold]" * 8, 80)
    assert max(len(heading), len(row)) <= 80
    assert heading.split() == ["DELIVERY", "KEY", "STATUS", "ANSWER"]
    delivery, key, status, answer = row.split()
    assert (delivery, status, answer) == ("dlv_" + "a" * 32, "delivered", "200")
    assert key.startswith("[bold]x")  # what others wrote is no markup
    assert key.endswith("…")


def test_even_the_narrowest_terminal_gets_whole_ids() -> None:
    assert "dlv_" + "a" * 32 in shown("a.txt", 30)[1]
