"""The references are what the generators make of the code as it is; each example is a command line that is taken."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from tests.docs.documents import ROOT
from tools import generate_cli_reference, generate_configuration_reference
from tools.cli_examples import EXAMPLES
from tools.generate_cli_reference import GROUPS, Leaf, leaves

from elasticlake.cli.main import RootGroup
from elasticlake.config.settings import Settings

LEAVES = [leaf for name in RootGroup.entries for leaf in leaves(name)]


@pytest.mark.parametrize(
    ("page", "generate", "how"),
    [
        ("docs/cli.md", generate_cli_reference.generate, "tools.generate_cli_reference"),
        ("docs/configuration.md", generate_configuration_reference.generate, "tools.generate_configuration_reference"),
    ],
)
def test_a_reference_is_made_anew_when_the_code_changes(page: str, generate: object, how: str) -> None:
    assert callable(generate)
    assert Path(ROOT, page).read_text() == generate(), f"run: python -m {how}"


def test_every_command_is_in_one_group_and_has_one_example() -> None:
    grouped = [name for _, names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(RootGroup.entries)
    assert sorted(EXAMPLES) == sorted(leaf.words for leaf in LEAVES)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.words)
def test_an_example_is_taken_as_it_stands(leaf: Leaf) -> None:
    words = shlex.split(EXAMPLES[leaf.words])
    count = 1 + len(leaf.words.split())
    assert words[:count] == ["elasticlake", *leaf.words.split()]
    leaf.command.make_context(leaf.words, words[count:])


def test_every_setting_is_in_one_group() -> None:
    grouped = [name for _, names in generate_configuration_reference.GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(Settings.model_fields)
