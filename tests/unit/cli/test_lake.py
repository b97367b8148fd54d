from __future__ import annotations

import json

from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer


def test_create_sends_only_what_was_given(run: Run, server: RestServer) -> None:
    assert run("lake", "create", "lake1").exit_code == 0
    assert run("lake", "create", "lake2", "--name", "production", "--account", "acme").exit_code == 0
    assert server.bodies("POST") == [{"lake": "lake1"}, {"lake": "lake2", "name": "production", "account": "acme"}]


def test_list_follows_the_pages(run: Run, server: RestServer) -> None:
    for number in range(5):
        server.put("lakes", lake=f"lake{number}")
    listed = json.loads(run("lake", "list", "--json").stdout)
    assert [lake["lake"] for lake in listed] == ["lake0", "lake1", "lake2", "lake3", "lake4"]
    assert len(server.calls) == 3


def test_limit_stops_early(run: Run, server: RestServer) -> None:
    for number in range(5):
        server.put("lakes", lake=f"lake{number}")
    assert len(json.loads(run("--json", "lake", "list", "--limit", "3").stdout)) == 3
    assert [call.query["limit"] for call in server.calls] == ["3", "1"]


def test_an_empty_list_is_an_empty_array_for_machines(run: Run) -> None:
    assert json.loads(run("lake", "list", "--json").stdout) == []


def test_list_is_plain_columns_off_a_terminal(run: Run, server: RestServer) -> None:
    server.put("lakes", lake="lake1", name="a rather long display name that no table may fold " * 3)
    lines = run("lake", "list").stdout.splitlines()
    assert lines[0].split() == ["LAKE", "NAME", "ACCOUNT", "BUCKETS", "OBJECTS", "BYTES", "CREATED"]
    assert len(lines) == 2
    assert lines[1].endswith("2026-01-02T03:04:05.678Z")


def test_show_rename_delete(run: Run, server: RestServer) -> None:
    server.put("lakes", lake="lake1")
    assert run("lake", "rename", "lake1", "production").exit_code == 0
    assert "name        production" in run("lake", "show", "lake1").stdout.splitlines()
    assert run("lake", "delete", "lake1").stdout == "deleted lake lake1\n"
    gone = run("lake", "show", "lake1")
    assert (gone.exit_code, gone.stderr) == (1, "elasticlake: no such lake lake1 (404)\n")


def test_delete_says_to_machines_what_is_gone(run: Run, server: RestServer) -> None:
    server.put("lakes", lake="lake1")
    deleted = run("lake", "delete", "lake1", "--json")
    assert (deleted.exit_code, json.loads(deleted.output)) == (0, {"deleted": "lake lake1"})


def test_a_name_cannot_leave_its_place_in_the_path(run: Run, server: RestServer) -> None:
    for name in ("", ".", ".."):
        assert run("lake", "delete", name).exit_code == 2
    assert server.calls == []
    run("lake", "show", "a/b?c")
    assert server.calls[0].path == "/v1/lakes/a%2Fb%3Fc"
