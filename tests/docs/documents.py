"""The project's documents, taken apart: sections, tables, and the code that they show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


class Block(NamedTuple):
    """A fenced block. By its first line, `# receiver.py` or `# terminal 3`, it says what it is."""

    language: str
    text: str

    @property
    def title(self) -> str:
        first = self.text.split("\n", 1)[0]
        return first.removeprefix("# ") if first.startswith("# ") else ""


class Document:
    """One Markdown file of the repository."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = ROOT / name
        self.text = self.path.read_text()

    def section(self, heading: str) -> str:
        """What stands below the heading, up to the next of its level or a higher one."""
        found = re.search(rf"^(#+) {re.escape(heading)}$", self.prose, re.MULTILINE)
        assert found is not None, f"{self.name} has no section {heading!r}"
        # Comments in shell blocks look like headings, so those are found in the prose, at the same places.
        end = re.search(rf"^#{{1,{len(found[1])}}} ", self.prose[found.end() :], re.MULTILINE)
        return self.text[found.end() : found.end() + end.start() if end else None]

    @property
    def prose(self) -> str:
        """The text with every character of fenced blocks blanked, so that places stay."""
        return _FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), self.text)

    @property
    def headings(self) -> list[str]:
        return re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)


def pages() -> list[Document]:
    """Every document of ours."""
    places = ("*.md", "docs/**/*.md", "deploy/**/*.md", "examples/*.md", "examples/*/README.md", "tests/*.md")
    paths = {path for place in places for path in ROOT.glob(place)}
    return [Document(str(path.relative_to(ROOT))) for path in sorted(paths)]


def blocks(text: str) -> list[Block]:
    """The fenced blocks in order."""
    return [Block(language, content) for language, content in _FENCE.findall(text)]


def rows(text: str, *heading: str) -> list[list[str]]:
    """The rows, as cells, of the one table with these headings."""
    lines = text.split("\n")
    starts = [index for index, line in enumerate(lines) if _cells(line) == list(heading)]
    assert len(starts) == 1, f"{len(starts)} tables with the headings {heading}"
    found = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        found.append(_cells(line))
        assert len(found[-1]) == len(heading), line
    return found


def codes(text: str) -> list[str]:
    """Everything in backticks."""
    return _INLINE.findall(text)


def commands(page: Document) -> str:
    """All that a reader might type: what is in backticks and in blocks."""
    return "\n".join([*codes(page.prose), *(block.text for block in blocks(page.text))])


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
