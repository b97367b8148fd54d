"""What a command prints: the API's documents for machines; tables, lines and sentences for people.

Away from a terminal a table has every column and every value in full, so that grep and awk work.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from elasticlake.cli.client import Document
from elasticlake.cli.table import COLUMN_GAP, Column, is_on_terminal, plain, short_time, write_fitted

NOTHING = "-"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


@dataclass(frozen=True, slots=True)
class Output:
    """Prints to stdout, as JSON or for people."""

    as_json: bool

    def items(self, items: Iterable[Document], columns: Mapping[str, Column]) -> None:
        """A list: one JSON array, or a table of `columns` by their headings."""
        if self.as_json:
            write(to_json(list(items)))
            return
        if not is_on_terminal():
            for line in plain(
                list(columns), [[text(column.value(item)) for column in columns.values()] for item in items]
            ):
                write(line)
            return
        now = datetime.now().astimezone()
        write_fitted(columns, [[_short(column, item, now) for column in columns.values()] for item in items])

    def section(self, title: str, items: Sequence[Document], columns: Mapping[str, Column]) -> None:
        """A list inside the document just shown; machines have it already."""
        if not self.as_json and items:
            write(f"\n{title}")
            self.items(items, columns)

    def quote(self, title: str, content: str) -> None:
        """Text of someone else's inside the document just shown, line by line; machines have it already."""
        if not self.as_json and content:
            write(f"\n{title}")
            for line in content.splitlines():
                write(f"  {printable(line)}")

    def document(
        self,
        document: Document,
        *,
        first: Sequence[str] = (),
        without: Sequence[str] = (),
        apart: Sequence[str] = (),
    ) -> None:
        """One document; for people a line per field, those named in `first` at the top, and none of `without`.

        Documents inside it that are named in `apart` follow, a line per field as well.
        """
        if self.as_json:
            write(to_json(document))
            return
        parts = [name for name in apart if isinstance(document.get(name), dict)]
        order = [*(name for name in first if name in document), *(name for name in document if name not in first)]
        _write_fields({name: document[name] for name in order if name not in (*without, *parts)})
        for name in parts:
            write(f"\n{label(name).capitalize()}")
            _write_fields(document[name])

    def created(
        self, document: Document, secret: str, *, first: Sequence[str] = (), without: Sequence[str] = ()
    ) -> None:
        """A new thing, whose field `secret` (if it is there) is shown now and never again."""
        self.document(document, first=first, without=without)
        if document.get(secret):
            self.hint(f"Keep the {label(secret)} now: it is not shown again.")

    def deleted(self, subject: str) -> None:
        """What is gone now."""
        if self.as_json:
            write(to_json({"deleted": subject}))
        else:
            write(printable(f"deleted {subject}"))

    def summary(self, document: Document, sentences: str) -> None:
        """What a long work came to: its document, or lines that say it."""
        write(to_json(document) if self.as_json else sentences)

    def done(self, sentence: str) -> None:
        """What was done, for people: machines have its document."""
        if not self.as_json:
            write(printable(sentence))

    def warn(self, sentence: str) -> None:
        """What even a script's author should know, on stderr."""
        print(printable(sentence), file=sys.stderr)

    def hint(self, sentence: str) -> None:
        """What a person may want to know besides, on stderr."""
        if not self.as_json:
            print(printable(sentence), file=sys.stderr)


def write(line: str) -> None:
    """A line on stdout, at once: a reader at the other end of a pipe follows along."""
    print(line, flush=True)


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON that the terminal's encoding can carry."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(value, indent=indent, ensure_ascii=not is_utf8)


def _write_fields(document: Document) -> None:
    width = max((len(label(name)) for name in document), default=0)
    for name, value in document.items():
        write(f"{label(name):<{width}}{COLUMN_GAP}{text(value)}")


def _short(column: Column, item: Document, now: datetime) -> str:
    shown = text(column.value(item))
    return short_time(shown, now) if column.is_time else shown


def text(value: Any) -> str:
    """A field's value in a table's cell."""
    match value:
        case None | "" | []:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(text(item) for item in value)
        case dict():
            return "; ".join(f"{label(name)}: {text(item)}" for name, item in value.items() if item) or NOTHING
        case _:
            return printable(str(value))


def printable(value: str) -> str:
    """`value` with every control character written out: keys are others' text and may not drive the terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in value
    )


def size(size_bytes: int) -> str:
    """`1.4 MiB`, in powers of 1024."""
    unit, value = 0, float(size_bytes)
    while value >= 1024 and unit < len(_UNITS) - 1:
        unit, value = unit + 1, value / 1024
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{size_bytes} B"


def counted_findings(count: int) -> str:
    """How many things an examination found."""
    return "1 finding" if count == 1 else f"{count} findings"


def label(name: str) -> str:
    """`secretAccessKey` as people read it: `secret access key`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", printable(name)).lower()
