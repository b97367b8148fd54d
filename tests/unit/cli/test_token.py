from __future__ import annotations

import json

from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer


def test_create_reads_only_unless_asked(run: Run, server: RestServer) -> None:
    created = run("token", "create")
    assert "token       elt_generated" in created.stdout.splitlines()
    assert created.stderr == "Keep the token now: it is not shown again.\n"
    run("token", "create", "--name", "ci", "--access", "write", "--account", "a", "--account", "b")
    assert server.bodies("POST") == [{"access": "read"}, {"name": "ci", "access": "write", "accounts": ["a", "b"]}]


def test_list_and_delete(run: Run, server: RestServer) -> None:
    server.put("tokens", id="tok_1")
    assert [token["id"] for token in json.loads(run("token", "list", "--json").stdout)] == ["tok_1"]
    assert "elt_generated" not in run("token", "list").stdout
    assert run("token", "delete", "tok_1").stdout == "deleted token tok_1\n"
    assert run("token", "delete", "tok_1").stderr == "elasticlake: no such token tok_1 (404)\n"
