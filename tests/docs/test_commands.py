"""The command line is as the documents say."""

from __future__ import annotations

import re

import pytest
from tests.docs.documents import ROOT, Document, commands, pages

from elasticlake.cli.main import RootGroup

README = Document("README.md")
PAGE = Document("docs/cli.md")


def subcommands(name: str) -> list[str]:
    """The commands of a group; none for a command."""
    found = getattr(RootGroup.entries[name].load(name), "commands", {})
    return [] if set(found) <= {name} else list(found)


def test_every_command_has_its_section_and_nothing_else() -> None:
    shown = [heading.removeprefix("elasticlake ") for heading in PAGE.headings if heading.startswith("elasticlake ")]
    commands_there_are = [f"{name} {sub}".strip() for name in RootGroup.entries for sub in subcommands(name) or [""]]
    assert sorted(shown) == sorted(commands_there_are)


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
