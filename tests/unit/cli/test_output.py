from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from elasticlake.cli.output import Output, label, printable, text, write_table

WIDE = "[bold]x[/bold]-" * 8


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


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(["A", "LONGER"], [["wide cell", "1"], ["x", "2"]])
    assert capsys.readouterr().out == "A          LONGER\nwide cell  1\nx          2\n"


def test_a_field_that_the_server_does_not_have_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).items([{"id": "a"}], {"ID": "id", "NEW": "unheardOf"})
    assert capsys.readouterr().out == "ID  NEW\na   -\n"


def test_a_terminal_s_table_folds_and_takes_no_markup_from_others() -> None:
    program = f"from elasticlake.cli.output import write_table; write_table(['N', 'KEY'], [['wh_1', {WIDE!r}]])"
    controller, terminal = pty.openpty()
    env = {**os.environ, "COLUMNS": "40", "TERM": "xterm", "NO_COLOR": "1"}
    subprocess.run([sys.executable, "-c", program], stdout=terminal, env=env, check=True, timeout=30)
    os.close(terminal)
    lines = os.read(controller, 65536).decode().splitlines()
    os.close(controller)
    folded = lines[1:]  # below the heading
    assert len(folded) > 1
    assert all(len(line) <= 40 for line in folded)
    assert "".join(line.split()[-1] for line in folded) == WIDE
    assert folded[0].split()[0] == "wh_1"
