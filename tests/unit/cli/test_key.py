from __future__ import annotations

import json

from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer

HINT = "Keep the secret access key now: it is not shown again.\n"


def test_create_shows_the_generated_secret_once(run: Run, server: RestServer) -> None:
    server.put("accounts", id="acme")
    created = run("key", "create", "acme")
    assert "secret access key  generated-secret" in created.stdout.splitlines()
    assert created.stderr == HINT
    assert server.bodies("POST") == [{}]


def test_the_hint_is_for_people_alone(run: Run, server: RestServer) -> None:
    server.put("accounts", id="acme")
    created = run("key", "create", "acme", "--json")
    assert json.loads(created.stdout)["secretAccessKey"] == "generated-secret"
    assert created.stderr == ""


def test_create_with_values_and_a_scope_of_its_own(run: Run, server: RestServer) -> None:
    server.put("accounts", id="acme")
    options = "--access-key-id mine --secret-access-key my-own-secret --lake l1 --lake l2 --pond l3--p"
    more = "--bucket l4--p--b --prefix uploads/ --permission read --permission list"
    assert run("key", "create", "acme", *options.split(), *more.split()).exit_code == 0
    assert server.bodies("POST") == [
        {
            "accessKeyId": "mine",
            "secretAccessKey": "my-own-secret",
            "scope": {
                "lakes": ["l1", "l2"],
                "ponds": ["l3--p"],
                "buckets": ["l4--p--b"],
                "prefixes": ["uploads/"],
                "permissions": ["read", "list"],
            },
        }
    ]


def test_create_for_a_missing_account(run: Run) -> None:
    assert run("key", "create", "nobody").stderr == "elasticlake: no such account nobody (404)\n"


def test_list_shows_the_scope_and_no_secret(run: Run, server: RestServer) -> None:
    server.put("accounts", id="acme")
    server.put(
        "accounts/acme/keys", account="acme", scope={"lakes": ["l1"], "ponds": [], "permissions": ["read", "list"]}
    )
    listed = run("key", "list", "acme").stdout
    assert "lakes: l1; permissions: read, list" in listed
    assert "generated-secret" not in listed


def test_delete(run: Run, server: RestServer) -> None:
    server.put("accounts", id="acme")
    server.put("accounts/acme/keys", accessKeyId="AK1")
    assert run("key", "delete", "acme", "AK1").stdout == "deleted access key AK1 of account acme\n"
    assert run("key", "delete", "acme", "AK1").stderr == "elasticlake: no such access key AK1 of account acme (404)\n"
