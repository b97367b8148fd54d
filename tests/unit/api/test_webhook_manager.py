"""Webhooks that a notification configuration made, over HTTP."""

from __future__ import annotations

import httpx
from tests.unit.world import KEY, World

from elasticlake.model.notifications import Notification
from elasticlake.service.notifications import Notifications

BUCKET = "lake1--pond1--my-bucket"


async def test_it_says_what_manages_it_and_takes_no_changes(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    page = {"bucket": BUCKET, "endpoint": "https://myapp.com/hook", "events": ["object:deleted"]}
    base = (await api.post("/v1/webhooks", json=page)).json()
    assert "managedBy" not in base
    notifications = Notifications(world.core, world.delivery, KEY, world.clock, lambda: None)
    entry = Notification("uploads", "queue", base["id"], ("s3:ObjectCreated:Copy",), (("prefix", "in/"),))
    await notifications.put(world.request(), BUCKET, [entry])
    listed = (await api.get("/v1/webhooks", params={"bucket": BUCKET})).json()["items"]
    (managed,) = (webhook for webhook in listed if webhook["id"] != base["id"])
    assert managed["managedBy"] == {
        "by": "s3", "configuration": "uploads", "webhook": base["id"], "events": ["s3:ObjectCreated:Copy"],
    }  # fmt: skip
    assert (managed["events"], managed["format"]) == (["object:created", "object:updated"], "s3")
    path = f"/v1/webhooks/{managed['id']}"
    refused = await api.patch(path, json={"events": ["object:deleted"]})
    assert refused.status_code == 409
    assert base["id"] in refused.json()["detail"]
    assert (await api.post(f"{path}/rotate", json={})).status_code == 409
    assert (await api.patch(path, json={"status": "disabled"})).json()["disabledReason"] == "manual"


async def test_explain_names_the_clause(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    page = {"bucket": BUCKET, "endpoint": "https://myapp.com/hook", "events": ["object:deleted"]}
    base = (await api.post("/v1/webhooks", json=page)).json()
    notifications = Notifications(world.core, world.delivery, KEY, world.clock, lambda: None)
    await notifications.put(
        world.request(), BUCKET, [Notification("a", "queue", base["id"], ("s3:ObjectCreated:Copy",))]
    )
    await world.put(BUCKET, b"key")
    (managed,) = (one for one in (await api.get("/v1/webhooks")).json()["items"] if "managedBy" in one)
    answer = (await api.post(f"/v1/webhooks/{managed['id']}/explain", json={})).json()
    (told,) = answer["items"]
    assert (told["matches"], told["refusedBy"], told["value"]) == (False, "managedBy.events", "s3:ObjectCreated:Put")
