"""What the demo shows: a document for each step, or what a person reads of it; in colour on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elasticlake.cli.output import Output, printable, to_json, write

if TYPE_CHECKING:
    from rich.console import Console

INDENT = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A line below a step's headline, in one of rich's styles; `name` is a header's, which stands out."""

    text: str
    style: str = ""
    name: str = ""

    @property
    def plain(self) -> str:
        shown = f"{self.name}: {self.text}" if self.name else self.text
        indent = len(shown) - len(shown.lstrip(" "))
        return shown[:indent] + printable(shown[indent:])


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: `document` for programs, the rest for people."""

    name: str
    document: dict[str, Any]
    headline: str
    lines: Sequence[Line] = ()


class Screen:
    """Shows steps as they happen."""

    def __init__(self, output: Output) -> None:
        self._as_json = output.as_json
        self._console = _console() if sys.stdout.isatty() and not output.as_json else None

    def show(self, step: Step) -> None:
        if self._as_json:
            write(to_json({"step": step.name, **step.document}, indent=None))
        elif self._console is None:
            write(f"{step.name:<{INDENT}}{printable(step.headline)}")
            for line in step.lines:
                write(f"{'':{INDENT}}{line.plain}".rstrip())
        else:
            _draw(self._console, step)

    def say(self, text: str) -> None:
        """A paragraph between steps, for people alone."""
        if not self._as_json:
            write(text)


def _draw(console: Console, step: Step) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    head = Table.grid()
    head.add_column(width=INDENT)
    head.add_column(overflow="fold")
    head.add_row(Text(step.name, "bold cyan"), Text(printable(step.headline), "bold"))
    console.print(head)
    for line in step.lines:
        text = Text(line.plain, line.style)
        if line.name:
            text.stylize("cyan", 0, len(line.name))
        console.print(Padding(text, (0, 0, 0, INDENT)))


def _console() -> Console:
    from rich.console import Console  # only a terminal pays for its import

    return Console(highlight=False)
