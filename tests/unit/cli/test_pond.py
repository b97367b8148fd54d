from __future__ import annotations

import json

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer


def test_create_puts_the_lake_into_the_path(run: Run, server: RestServer) -> None:
    server.put("lakes", lake="lake1")
    assert run("pond", "create", "lake1--pond1", "--name", "documents").exit_code == 0
    assert (server.calls[0].path, server.calls[0].body) == (
        "/v1/lakes/lake1/ponds",
        {"pond": "pond1", "name": "documents"},
    )


def test_create_in_a_missing_lake_names_the_lake(run: Run) -> None:
    assert run("pond", "create", "lake1--pond1").stderr == "elasticlake: no such lake lake1 (404)\n"


def test_list_show_rename_delete(run: Run, server: RestServer) -> None:
    server.put("lakes", lake="lake1")
    server.put("lakes/lake1/ponds", lake="lake1", pond="pond1")
    assert [pond["pond"] for pond in json.loads(run("pond", "list", "lake1", "--json").stdout)] == ["pond1"]
    assert json.loads(run("pond", "rename", "lake1--pond1", "documents", "--json").stdout)["name"] == "documents"
    assert "documents" in run("pond", "show", "lake1--pond1").stdout
    assert run("pond", "delete", "lake1--pond1").stdout == "deleted pond lake1--pond1\n"
    assert run("pond", "show", "lake1--pond1").stderr == "elasticlake: no such pond lake1--pond1 (404)\n"


@pytest.mark.parametrize("name", ["pond1", "lake1--", "--pond1", "a--b--c", ""])
def test_a_pond_without_its_lake_is_wrong_usage(run: Run, server: RestServer, name: str) -> None:
    result = run("pond", "show", "--", name)
    assert result.exit_code == 2
    assert "write it as lake1--pond1" in result.stderr
    assert server.calls == []
