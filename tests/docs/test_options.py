"""Every option and every variable that a document names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from bench.__main__ import _parser as bench_parser
from bench.engine import _parser as engine_parser
from tests.docs.documents import Document, commands, pages

from elasticlake.cli.ending import TRACEBACK
from elasticlake.cli.main import RootGroup
from elasticlake.cli.main import root as root_command
from elasticlake.config.settings import Settings

# Of the tools that the documents show beside ours.
FOREIGN_OPTIONS = frozenset(
    {
        *("--fail-with-body", "--aws-sigv4", "--user"),  # curl
        *("--recursive", "--notification-configuration", "--app", "--port", "--build"),  # aws, flask, docker
        *("--system", "--no-create-home", "--shell", "--now"),  # useradd, systemctl
        *("--pgdata", "--wal-method", "--checkpoint", "--format", "--file"),  # pg_basebackup, pg_dump
        *("--strict",),  # mypy
        *("--body", "--key", "--upload-id", "--if-none-match", "--expires-in", "--query", "--output"),  # aws
        *("--no-progress", "--checksum-algorithm", "--checksum-mode"),  # aws
        *("--fail",),  # curl
        *("--update", "--fast-list", "--transfers", "--one-way", "--missing-on-src"),  # rclone
        *("--preserve",),  # mc
    }
)
CLIENTS = frozenset({"ELASTICLAKE_URL", "ELASTICLAKE_CONFIG", TRACEBACK})
TESTS = frozenset({"ELASTICLAKE_ENGINE", "ELASTICLAKE_SOAK", "ELASTICLAKE_ALL_SUITES"})
BENCH = frozenset(
    option
    for parser in (bench_parser(), engine_parser())
    for action in parser._actions
    for option in action.option_strings
)


def options_of(command: Any) -> Iterator[str]:
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    for sub in getattr(command, "commands", {}).values():
        yield from options_of(sub)


def known_options() -> set[str]:
    """The options of all our commands; `--help`, which each has; those of the command line itself."""
    found = {"--help", "--json", "--url", "--token", "--version", "--install-completion"}
    for name, entry in RootGroup.entries.items():
        found.update(options_of(entry.load(name)))
    return found


KNOWN = known_options() | FOREIGN_OPTIONS | BENCH
VARIABLES = {f"ELASTICLAKE_{name.upper()}" for name in Settings.model_fields} | CLIENTS | TESTS


def test_the_command_lines_own_options_are_as_listed() -> None:
    names = {name for name in root_command.__annotations__ if name not in ("ctx", "return")}
    assert names == {"url", "token", "as_json", "version"}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_option_that_a_document_names_exists(page: Document) -> None:
    for name in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9](?![\w-])", commands(page)):
        assert name in KNOWN, name


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_variable_that_a_document_names_exists(page: Document) -> None:
    for name in re.findall(r"\bELASTICLAKE_[A-Z_]*[A-Z]\b", page.text):
        assert name in VARIABLES or f"{name}_…" in page.text, name
