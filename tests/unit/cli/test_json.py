"""`--json` is heard by every command, before its name and after it, and makes stdout one JSON document."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import Call, RestServer
from tools.cli_examples import EXAMPLES
from tools.generate_cli_reference import Leaf, leaves

from elasticlake.cli.main import RootGroup
from elasticlake.config.master_key import MasterKey
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.folder import DataFolder

LEAVES = [leaf for name in RootGroup.entries for leaf in leaves(name)]
# These go on, or need more than a folder: test_listen.py, test_demo.py and test_migrate_data.py run them.
ELSEWHERE = {"serve", "demo", "listen", "migrate-data"}
RUN_HERE = [leaf.words for leaf in LEAVES if leaf.words not in ELSEWHERE]
ANSWER: dict[str, Any] = {"id": "x_1", "items": [], "sequence": 0, "attemptLog": [], "secret": "s", "token": "t"}


def answer(call: Call) -> tuple[int, Any]:
    """What suits every command."""
    if call.method == "DELETE":
        return 204, None
    words = {"health": "ok", "ready": "ok", "deliveries": "delivered"}
    parts = call.path.split("/")
    status = next((words[part] for part in reversed(parts) if part in words), "completed")
    return 200, {**ANSWER, "status": status}


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.words)
def test_every_command_takes_it(leaf: Leaf) -> None:
    assert any("--json" in parameter.opts for parameter in leaf.command.params)


@pytest.mark.parametrize("words", RUN_HERE)
def test_it_is_heard_before_the_command_and_after_it(
    run: Run, server: RestServer, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    if words in ("check", "migrate", "backup"):
        folder = DataFolder(Path("data"))
        folder.create()
        EmbeddedEngine(folder).prepare(MasterKey.load_or_create(folder.master_key))
    monkeypatch.setattr(server, "answer", answer)
    for number, place in enumerate(("before", "after")):
        arguments = shlex.split(EXAMPLES[words].replace("/backups/", f"{number}"))[1:]
        result = run("--json", *arguments) if place == "before" else run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        documents = [] if words == "events tail" else [json.loads(result.stdout)]  # of no event there is no line
        assert bool(documents) is bool(result.stdout)
