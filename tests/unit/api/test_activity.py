"""The audit log over HTTP."""

from __future__ import annotations

import httpx
import pytest
from tests.unit.world import ROOT, World


async def test_who_did_what_when_and_in_which_request(api: httpx.AsyncClient, world: World) -> None:
    made = await api.post("/v1/buckets", json={"bucket": "lake1--pond1--x"})
    assert made.status_code == 201
    answer = await api.get("/v1/activity", params={"limit": 1})
    assert answer.json() == {
        "items": [
            {
                "id": 3,
                "time": "2026-01-02T03:04:05.678Z",
                "actor": {"kind": "token", "id": "root"},
                "action": "bucket:created",
                "subject": "lake1--pond1--x",
                "account": "root",
                "bucket": "lake1--pond1--x",
                "detail": {"acl": "private"},
                "requestId": made.headers["x-request-id"],
            }
        ],
        "nextCursor": answer.json()["nextCursor"],
    }
    rest = await api.get("/v1/activity", params={"cursor": answer.json()["nextCursor"]})
    assert [(entry["action"], entry["detail"]) for entry in rest.json()["items"]] == [
        ("pond:created", {}),
        ("lake:created", {}),
    ]
    assert rest.json()["nextCursor"] is None


@pytest.mark.parametrize(
    ("params", "subjects"),
    [
        ({"actor": "root"}, ["two", "one"]),
        ({"actor": "accessKey:"}, []),
        ({"action": "lake:ren"}, []),
        ({"subject": "lake:one"}, ["one"]),
        ({"since": "2026-01-02T03:04:06Z"}, ["two"]),
        ({"until": "2026-01-02T03:04:06Z"}, ["one"]),
    ],
)
async def test_less_can_be_asked_for(
    api: httpx.AsyncClient, world: World, params: dict[str, str], subjects: list[str]
) -> None:
    for slug in ("one", "two"):
        await world.hierarchy.create_lake(ROOT, slug)
        world.clock.time_ms += 1000
    found = (await api.get("/v1/activity", params=params)).json()["items"]
    assert [entry["subject"] for entry in found] == subjects


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"since": "2026-01-02T03:04:06Z", "until": "2026-01-02T03:04:06Z"}, "until"),
        ({"since": "yesterday"}, "since"),
        ({"cursor": "x"}, "cursor"),
    ],
)
async def test_what_makes_no_sense_names_its_field(api: httpx.AsyncClient, params: dict[str, str], field: str) -> None:
    answer = await api.get("/v1/activity", params=params)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
