from __future__ import annotations

import json

from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer


def test_create_with_and_without_an_id(run: Run, server: RestServer) -> None:
    assert run("account", "create", "acme", "--display-name", "Acme", "--email", "a@acme.test").exit_code == 0
    assert run("account", "create", "--display-name", "Acme", "--email", "a@acme.test").exit_code == 0
    assert server.bodies("POST") == [
        {"id": "acme", "displayName": "Acme", "email": "a@acme.test"},
        {"displayName": "Acme", "email": "a@acme.test"},
    ]


def test_create_needs_an_email(run: Run, server: RestServer) -> None:
    assert run("account", "create", "acme", "--display-name", "Acme").exit_code == 2
    assert server.calls == []


def test_list_show_delete(run: Run, server: RestServer) -> None:
    server.put("accounts", id="acme", displayName="Acme")
    assert [account["id"] for account in json.loads(run("account", "list", "--json").stdout)] == ["acme"]
    assert "display name  Acme" in run("account", "show", "acme").stdout.splitlines()
    assert run("account", "delete", "acme").stdout == "deleted account acme\n"
    assert run("account", "delete", "acme").stderr == "elasticlake: no such account acme (404)\n"


def test_update_sends_the_changes_alone(run: Run, server: RestServer) -> None:
    server.put("accounts", id="acme", displayName="Acme", email="a@acme.test")
    assert "display name  Apex" in run("account", "update", "acme", "--display-name", "Apex").stdout.splitlines()
    assert run("account", "update", "acme", "--email", "b@acme.test").exit_code == 0
    assert server.bodies("PATCH") == [{"displayName": "Apex"}, {"email": "b@acme.test"}]
    assert run("account", "update", "acme").exit_code == 2
    assert len(server.calls) == 2
