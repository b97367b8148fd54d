"""The command line is as the documents say."""

from __future__ import annotations

import re

import pytest
from tests.docs.documents import ROOT, Document, codes, commands, pages, rows

from elasticlake.cli.main import RootGroup

README = Document("README.md")
PAGE = Document("docs/cli.md")


def subcommands(name: str) -> list[str]:
    """The commands of a group; none for a command."""
    found = getattr(RootGroup.entries[name].load(name), "commands", {})
    return [] if set(found) <= {name} else list(found)


def test_every_command_is_in_the_table_with_its_subcommands_and_nothing_else() -> None:
    table = rows(PAGE.text, "command", "what it does")
    shown = {codes(name)[0].removeprefix("elasticlake "): codes(meaning) for name, meaning in table}
    assert shown == {name: subcommands(name) for name in RootGroup.entries}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_command_that_a_document_shows_exists(page: Document) -> None:
    for name, sub in re.findall(r"(?<![\w/.-])(?<!from )elasticlake ([a-z]+)(?: ([a-z]+))?", commands(page)):
        assert name in RootGroup.entries, f"elasticlake {name}"
        if sub and subcommands(name):
            assert sub in subcommands(name), f"elasticlake {name} {sub}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_make_target_that_a_document_shows_exists(page: Document) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"(?<![\w-])make ([a-z]+)", commands(page)):
        assert target in targets, f"make {target}"


def test_the_two_commands_come_first() -> None:
    assert re.findall(r"^make (\w+)", README.text, re.MULTILINE)[:2] == ["run", "test"]
