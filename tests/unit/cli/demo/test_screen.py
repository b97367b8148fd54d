"""The demo's steps: for programs, for pipes, and on a terminal."""

from __future__ import annotations

import io
import json

import pytest

from elasticlake.cli.demo.screen import Line, Screen, Step
from elasticlake.cli.output import Output

STEP = Step("event", {"sequence": 1}, "object:created \x1b[2J", [Line("evt_1", name="webhook-id"), Line("  deep\x07")])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_program_reads_a_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(Output(as_json=True))
    screen.show(STEP)
    screen.say("For people.")
    assert json.loads(capsys.readouterr().out) == {"step": "event", "sequence": 1}


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(Output(as_json=False)).show(STEP)
    assert capsys.readouterr().out.splitlines() == [
        "event       object:created \\x1b[2J",
        "            webhook-id: evt_1",
        "              deep\\x07",
    ]


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_colours_unless_it_wants_none(monkeypatch: pytest.MonkeyPatch, no_color: bool) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    Screen(Output(as_json=False)).show(STEP)
    shown = terminal.getvalue()
    assert "webhook-id" in shown
    assert "\x1b[2J" not in shown
    assert ("\x1b[36m" in shown) is not no_color
