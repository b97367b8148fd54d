"""What is confidential of a webhook, over HTTP."""

from typing import Any

import httpx
import pytest
from tests.certificates import Authority
from tests.unit.world import KEY, World

from elasticlake.metadata import webhooks
from elasticlake.service.sealing import unseal

BUCKET = "lake1--pond1--my-bucket"
PAGE: dict[str, Any] = {
    "bucket": BUCKET,
    "endpoint": "https://myapp.com/webhooks/storage",
    "events": ["object:created"],
    "secret": "my-webhook-secret",
}
CLIENT = Authority().issue()


async def create(api: httpx.AsyncClient, world: World, **members: Any) -> dict[str, Any]:
    await world.bucket(BUCKET)
    answer = await api.post("/v1/webhooks", json={**PAGE, **members})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_headers_are_shown_without_their_values(api: httpx.AsyncClient, world: World) -> None:
    given = {"X-Api-Key": "hunter2", "Authorization": "Bearer hunter2"}
    made = await create(api, world, headers=given)
    assert made["headers"] == dict.fromkeys(given, "***")
    path = f"/v1/webhooks/{made['id']}"
    changed = await api.patch(path, json={"headers": {"X-Other": "hunter2"}})
    assert changed.json()["headers"] == {"X-Other": "***"}
    assert (await api.patch(path, json={"name": "x"})).json()["headers"] == {"X-Other": "***"}
    assert (await api.get("/v1/webhooks")).json()["items"][0]["headers"] == {"X-Other": "***"}
    assert (await api.patch(path, json={"headers": None})).json()["headers"] == {}
    # What stands for a value that is not there would be lost as one.
    assert (await api.patch(path, json={"headers": {"X-Other": "***"}})).status_code == 422


async def test_headers_that_are_written_back_as_they_were_read_keep_their_values(
    api: httpx.AsyncClient, world: World
) -> None:
    made = await create(api, world, headers={"X-Api-Key": "hunter2", "X-Old": "old"})
    changed = await api.patch(f"/v1/webhooks/{made['id']}", json={"headers": {"X-Api-Key": "***", "X-New": "new"}})
    assert changed.json()["headers"] == {"X-Api-Key": "***", "X-New": "***"}
    stored = await world.core.read(lambda reader: webhooks.get(reader, made["id"]))
    assert stored is not None
    assert unseal(KEY.decrypt, stored).sealed.headers == (("X-Api-Key", "hunter2"), ("X-New", "new"))


async def test_certificates_are_shown_and_the_key_is_not(api: httpx.AsyncClient, world: World) -> None:
    made = await create(api, world, clientCertificate=CLIENT.certificate, clientKey=CLIENT.key)
    assert (made["clientCertificate"], made["clientKey"]) == (CLIENT.certificate, "***")
    path = f"/v1/webhooks/{made['id']}"
    assert (await api.patch(path, json={"clientKey": None})).json()["errors"][0]["field"] == "clientKey"
    cleared = await api.patch(path, json={"clientKey": None, "clientCertificate": None})
    assert (cleared.json()["clientCertificate"], cleared.json()["clientKey"]) == (None, None)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"headers": {"Host": "x"}}, "headers"),
        ({"headers": {"webhook-id": "x"}}, "headers"),
        ({"headers": {"A": "b\r\nC: d"}}, "headers"),
        ({"headers": {"A": 7}}, "headers.A"),
        ({"headers": ["A: b"]}, "headers"),
        ({"headers": {f"X-{number}": "v" for number in range(21)}}, "headers"),
        ({"clientCertificate": CLIENT.certificate}, "clientKey"),
        ({"clientKey": CLIENT.key}, "clientCertificate"),
        ({"clientCertificate": "x", "clientKey": CLIENT.key}, "clientCertificate"),
        ({"certificateAuthority": CLIENT.key}, "certificateAuthority"),
        ({"includeUrl": 59}, "includeUrl"),
        ({"includeUrl": 604801}, "includeUrl"),
        ({"format": "xml"}, "format"),
        ({"format": "s3", "events": ["object:created", "multipart:completed"]}, "events"),
    ],
)
async def test_bad_fields_are_named(api: httpx.AsyncClient, world: World, members: Any, field: str) -> None:
    await world.bucket(BUCKET)
    answer = await api.post("/v1/webhooks", json={**PAGE, **members})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await api.get("/v1/webhooks")).json()["items"] == []


async def test_a_rotation(api: httpx.AsyncClient, world: World) -> None:
    made = await create(api, world)
    path = f"/v1/webhooks/{made['id']}"
    rotated = (await api.post(f"{path}/rotate")).json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["overlapEndsAt"] == "2026-01-03T03:04:05.678Z"
    shown = (await api.get(path)).json()
    assert "secret" not in shown
    assert shown["overlapEndsAt"] == rotated["overlapEndsAt"]
    again = await api.post(f"{path}/rotate", json={"secret": "my-own", "overlapSeconds": 60})
    assert (again.status_code, again.json()["overlapEndsAt"]) == (200, "2026-01-02T03:05:05.678Z")
    assert "secret" not in again.json()
    promoted = await api.post(f"{path}/promote")
    assert (promoted.status_code, promoted.json()["overlapEndsAt"]) == (200, None)
    assert (await api.post(f"{path}/promote")).status_code == 409
    assert (await api.post("/v1/webhooks/wh_nobody/promote")).status_code == 404
    assert (await api.post("/v1/webhooks/wh_nobody/rotate")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"secret": ""}, "secret"),
        ({"secret": "whsec_%"}, "secret"),
        ({"overlapSeconds": -1}, "overlapSeconds"),
        ({"overlapSeconds": 2592001}, "overlapSeconds"),
        ({"overlapSeconds": "60"}, "overlapSeconds"),
        ({"overlap": 60}, "overlap"),
    ],
)
async def test_bad_rotations(api: httpx.AsyncClient, world: World, body: Any, field: str) -> None:
    made = await create(api, world)
    answer = await api.post(f"/v1/webhooks/{made['id']}/rotate", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await api.get(f"/v1/webhooks/{made['id']}")).json()["revision"] == 1
