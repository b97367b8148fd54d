from __future__ import annotations

import pytest

from elasticlake.cli.output import Output, label, printable, text
from elasticlake.cli.table import Column


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        ({"lakes": []}, "-"),
        (0, "0"),
        (True, "yes"),
        (["a", "b"], "a, b"),
        ({"lakes": ["l1", "l2"], "ponds": []}, "lakes: l1, l2"),
        ("naïve \x1b[31m\n", "naïve \\x1b[31m\\n"),
    ],
)
def test_text_of_a_value(value: object, shown: str) -> None:
    assert text(value) == shown


def test_label_reads_as_words() -> None:
    assert label("secretAccessKey") == "secret access key"
    assert label("bytes") == "bytes"


def test_printable_writes_out_what_would_drive_a_terminal() -> None:
    assert printable("a\tb\u202ec\x9b") == r"a\tb\u202ec\x9b"


def test_a_field_that_the_server_does_not_have_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).items([{"id": "a"}], {"ID": Column("id"), "NEW": Column("unheardOf")})
    assert capsys.readouterr().out == "ID  NEW\na   -\n"


def test_away_from_a_terminal_every_value_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    item = {"id": "wide cell", "key": "k" * 200, "at": "2026-01-02T03:04:05.678Z"}
    columns = {"ID": Column("id", spare=1), "KEY": Column("key", shortens_to=12), "AT": Column("at", is_time=True)}
    Output(as_json=False).items([item], columns)
    heading, row = capsys.readouterr().out.splitlines()
    assert row == f"wide cell  {'k' * 200}  2026-01-02T03:04:05.678Z"
    assert heading.index("AT") == row.index("2026")
