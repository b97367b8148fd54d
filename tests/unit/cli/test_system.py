from __future__ import annotations

import json

from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import CREATED_AT, RestServer, problem

STATE = {
    "version": "1.0.0",
    "engine": {"name": "SQLite", "version": "3.50.4", "databases": {"core": 81920}},
    "nodes": [
        {
            "name": "gateway-0", "role": "gateway", "epoch": "5", "startedAt": CREATED_AT, "heartbeatAt": CREATED_AT,
            "isAlive": True,
        }
    ],
    "buckets": 1,
    "backlog": None,
    "blobs": {"place": "DATA/blobs", "freeBytes": 68719476736, "reserveBytes": 12},
    "bytes": 2097152,
}  # fmt: skip


def test_the_installation_and_its_nodes(run: Run, server: RestServer) -> None:
    server.system = STATE
    assert [line.split() for line in run("system").stdout.splitlines()] == [
        ["version", "1.0.0"],
        ["engine", "name:", "SQLite;", "version:", "3.50.4;", "databases:", "core:", "80.0", "KiB"],
        ["buckets", "1"],
        ["backlog", "-"],
        ["blobs", "place:", "DATA/blobs;", "free", "bytes:", "64.0", "GiB;", "reserve", "bytes:", "12", "B"],
        ["bytes", "2.0", "MiB"],
        [],
        ["nodes"],
        ["NODE", "ROLE", "ALIVE", "HEARTBEAT", "STARTED", "EPOCH"],
        ["gateway-0", "gateway", "yes", CREATED_AT, CREATED_AT, "5"],
    ]
    assert json.loads(run("system", "--json").stdout) == STATE


def test_a_limited_token_is_refused(run: Run, server: RestServer) -> None:
    server.refusals["/v1/system"] = problem(403, "Access denied", "This token is limited to some accounts.")
    refused = run("system")
    assert (refused.exit_code, "limited to some accounts" in refused.stderr) == (4, True)
