"""No code in the documents is left to trust: each block is well formed, and is run or compared by a test.

A block with a title (`# receiver.py`, `# terminal 3`) is claimed by a test module that names its page and its title.
One without is listed here, by how it begins. What needs more than one machine or a foreign tool is at least understood:
its shell parses, and our commands in it have the arguments and options that there are.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.docs.documents import Block, Document, blocks, pages

from elasticlake.cli.main import RootGroup
from elasticlake.service.where import compile_where

TESTS = {path.stem: path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)}
PAGES = [page for page in pages() if page.name == "README.md" or page.name.startswith("docs/")]
# Languages that a reader runs or sends. Blocks without one show what is printed; every expression (`cel`) is compiled.
CODE = frozenset({"sh", "bash", "python", "js", "ts", "go", "ruby", "php", "json", "sql", "yaml", "toml", "xml"})

UNDERSTOOD = "understood"
"""Not run: `test_every_command_that_is_shown_is_understood` is all that there is."""
CLAIMS: dict[str, dict[str, str]] = {
    "README.md": {
        "make run ": "test_commands.test_the_two_commands_come_first",
        "# demo": "test_quickstart.test_the_readmes_two_minutes_show_an_event",
        "# hooks.py": "test_receiving.test_the_readmes_receiver",
    },
    "docs/cli.md": {"": UNDERSTOOD},
    "docs/configuration.md": {"elasticlake serve": UNDERSTOOD},
    "docs/deliveries.md": {
        '{\n  "specversion"': "test_envelopes.test_the_envelope_shown_is_what_such_an_event_becomes",
        '{\n  "Records"': "test_envelopes.test_the_envelope_shown_is_what_such_an_event_becomes",
        '{\n  "event": "webhook:disabled"': "test_typed.test_what_another_webhook_is_told_of_one_that_is_disabled",
        "elasticlake webhook rotate": "test_typed.test_a_new_secret_and_certificates",
        "elasticlake webhook update": "test_typed.test_a_new_secret_and_certificates",
    },
    "docs/events.md": {'{\n  "event"': "test_deliveries.test_the_payload_shown_is_what_such_an_event_becomes"},
    "docs/filters.md": {
        "elasticlake webhook create": "test_typed.test_filtering",
        "elasticlake webhook explain": "test_typed.test_filtering",
        '{"filter"': "test_filters.test_the_filter_shown_is_taken",
        "{": "test_filters.test_the_draft_shown_is_taken",
    },
    "docs/index.md": {'{\n  "event"': "test_deliveries.test_the_payload_on_the_first_page_is_a_payload"},
    "docs/live.md": {
        "elasticlake listen": "test_typed.test_listening",
        "LAKE=": "test_typed.test_a_stream",
    },
    "docs/notifications.md": {
        "BUCKET=": "test_typed.test_an_s3_notification",
        '{\n  "Service"': "test_notifications.test_the_test_event_shown_is_what_is_sent",
    },
    "docs/operations.md": {
        "CREATE ROLE": "test_typed.test_the_database_that_is_made",
        "# on every node": UNDERSTOOD,
        "elasticlake backup": UNDERSTOOD,
        "cp -a": UNDERSTOOD,
        "# a physical copy": UNDERSTOOD,
    },
    "docs/permissions.md": {"# accounts": "test_typed.test_accounts"},
    "docs/problems.md": {'{\n  "type"': "test_problems.test_the_document_shown_is_what_is_answered"},
    "docs/quickstart.md": {"make run\n": "test_quickstart.test_the_first_terminal_runs_the_server"},
    "docs/release.md": {"python3 -m venv": UNDERSTOOD},
    "docs/replay.md": {
        "elasticlake webhook": "test_typed.test_replay_backfill_and_reconcile",
        "elasticlake job": "test_typed.test_replay_backfill_and_reconcile",
        "{": "test_replay.test_the_payload_of_a_backfill_is_the_one_shown",
    },
    "docs/rest.md": {
        "from elasticlake import": "test_rest_reference.test_the_beginning_that_the_python_examples_go_on_from_is_one",
        "": "test_rest_reference.test_both_calls_are_the_operation",
    },
    "docs/verifying.md": {
        "# by_hand.py": "test_verifying.test_a_language",
        "// verify.mjs": "test_verifying.test_a_language",
        "// verify.go": "test_verifying.test_a_language",
        "# verify.rb": "test_verifying.test_a_language",
        "<?php": "test_verifying.test_a_language",
        "# verify.sh": "test_verifying.test_the_shell",
    },
    "docs/webhooks.md": {
        "elasticlake webhook create": "test_typed.test_making_a_webhook",
        "curl": "test_typed.test_making_a_webhook",
        "from elasticlake import Client": "test_typed.test_making_a_webhook",
        "elasticlake webhook test": "test_typed.test_looking_after_a_webhook",
    },
}


def claim_of(page: Document, block: Block) -> str:
    """Which test the block is claimed by; "" for none."""
    for begins, claim in CLAIMS.get(page.name, {}).items():
        if block.text.startswith(begins):
            return claim
    found = re.match(r"(?:# |// )(.+)\n", block.text)
    if found is None:
        return ""
    quoted = re.compile(rf'"(?:// )?{re.escape(found[1])}')
    return next((name for name, text in TESTS.items() if page.name in text and quoted.search(text)), "")


def code_of(page: Document) -> list[Block]:
    return [block for block in blocks(page.text) if block.language in CODE]


def expressions_of(page: Document) -> list[str]:
    return [line for block in blocks(page.text) if block.language == "cel" for line in block.text.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_claimed_by_a_test(page: Document) -> None:
    assert [block.text for block in code_of(page) if not claim_of(page, block)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_in_a_language_that_is_looked_at(page: Document) -> None:
    assert {block.language for block in blocks(page.text)} <= {*CODE, "cel", ""}


def test_every_claim_is_a_test_and_has_its_block() -> None:
    for name, claims in CLAIMS.items():
        texts = [block.text for block in code_of(Document(name))]
        for begins, claim in claims.items():
            assert any(text.startswith(begins) for text in texts), (name, begins)
            module, _, test = claim.partition(".")
            assert claim == UNDERSTOOD or f"def {test}(" in TESTS[module], claim


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_well_formed(page: Document) -> None:
    for block in code_of(page):
        if block.language == "json":
            json.loads(block.text)
        if block.language == "python":
            ast.parse(block.text)
    for expression in expressions_of(page):
        compile_where(expression)
    shell = [block.text for block in code_of(page) if block.language in ("sh", "bash")]
    # One shell for the page: each block is a function that nobody calls.
    script = "\n".join(f"block{number}() {{\n{text}\n}}" for number, text in enumerate(shell))
    ran = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert ran.stderr == ""


def ours_in(text: str) -> list[list[str]]:
    """The arguments of every command of ours in a shell's block."""
    text = re.sub(r"(?m)(^|\s)#.*$", "", text.replace("\\\n", " "))
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    commands: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("();<>|&\n"):
            commands.append([])
        else:
            commands[-1].append(word)
    return [words[1:] for words in commands if words and words[0].rpartition("/")[2] == "elasticlake"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_is_understood(page: Document) -> None:
    """By the command line itself, to the last option; nothing is run."""
    for block in code_of(page):
        if block.language in ("sh", "bash"):
            for arguments in ours_in(block.text):
                understand(arguments)


def understand(arguments: list[str]) -> None:
    name, *rest = [word for word in arguments if word != "--json"]
    command: Any = RootGroup.entries[name].load(name)
    while commands := getattr(command, "commands", {}):
        # A command by itself is a group of one, of the same name.
        command = commands[name] if set(commands) == {name} else commands[rest.pop(0)]
    command.make_context(name, rest)


def test_a_command_that_is_not_there_is_not_understood() -> None:
    understand(["webhook", "list"])
    assert ours_in("a=$(elasticlake lake list --json) && elasticlake x 'y && z'") == [
        ["lake", "list", "--json"],
        ["x", "y && z"],
    ]
    assert ours_in("elasticlake webhook \\\n  list # all\nx | .venv/bin/elasticlake health") == [
        ["webhook", "list"],
        ["health"],
    ]
    with pytest.raises(Exception, match="No such option"):
        understand(["webhook", "list", "--nothing"])
