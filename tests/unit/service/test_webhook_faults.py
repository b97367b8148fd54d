"""What is wrong with a webhook's definition, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.certificates import Authority
from tests.unit.world import ROOT, World

from elasticlake.errors import InvalidWebhook, NoSuchWebhook
from elasticlake.model.filters import Filter
from elasticlake.model.rules import Batch
from elasticlake.service.webhook_definitions import NewWebhook, Place

CLIENT = Authority().issue()
GOOD = NewWebhook(Place(bucket="lake1--pond1--b"), "https://example.com/hook", ("object:created",))
WRONG = {
    "endpoint": replace(GOOD, endpoint="https://10.0.0.1/"),
    "events": replace(GOOD, events=("object:eaten",)),
    "name": replace(GOOD, name="x" * 201),
    "secret": replace(GOOD, secret=""),
    "retrySchedule": replace(GOOD, retry_schedule_seconds=(0,)),
    "timeoutSeconds": replace(GOOD, timeout_seconds=31),
    "where": replace(GOOD, rules={"where": "object.size >"}),
    "rateLimit": replace(GOOD, rules={"rate_limit": 0}),
    "maxConcurrency": replace(GOOD, rules={"max_concurrency": 33}),
    "includeUrl": replace(GOOD, rules={"include_url_seconds": 1}),
    "batch.maxEvents": replace(GOOD, ordering="bucket", rules={"batch": Batch(0)}),
    "batch.maxWaitMs": replace(GOOD, ordering="bucket", rules={"batch": Batch(1, -1)}),
    "batch": replace(GOOD, rules={"batch": Batch(2)}),
    "coalesce": replace(GOOD, ordering="none", rules={"coalesce": True}),
    "filter.prefix": replace(GOOD, rules={"filter": Filter(prefix=("",))}),
    "filter.suffix": replace(GOOD, rules={"filter": Filter(suffix=("x" * 1025,))}),
    "filter.contentType": replace(GOOD, rules={"filter": Filter(content_type=("image",))}),
    "filter.metadata": replace(GOOD, rules={"filter": Filter(metadata={"": "x"})}),
    "filter.tags": replace(GOOD, rules={"filter": Filter(tags={"": "x"})}),
    "filter.minSize": replace(GOOD, rules={"filter": Filter(min_size=2, max_size=1)}),
    "filter.maxSize": replace(GOOD, rules={"filter": Filter(max_size=-1)}),
    "headers": replace(GOOD, sealed={"headers": {"Host": "x"}}),
    "clientKey": replace(GOOD, sealed={"client_certificate": CLIENT.certificate}),
    "clientCertificate": replace(GOOD, sealed={"client_key": CLIENT.key}),
    "certificateAuthority": replace(GOOD, sealed={"certificate_authority": "x"}),
}


async def test_a_good_one_has_none(world: World) -> None:
    assert await world.webhooks.faults(ROOT, GOOD) == {}


@pytest.mark.parametrize("field", WRONG)
async def test_each_is_found_as_creating_finds_it(world: World, field: str) -> None:
    await world.bucket("lake1--pond1--b")
    with pytest.raises(InvalidWebhook) as refused:
        await world.webhooks.create(ROOT, WRONG[field])
    assert await world.webhooks.faults(ROOT, WRONG[field]) == {field: str(refused.value)}


async def test_all_are_found_together(world: World) -> None:
    together = replace(
        GOOD,
        endpoint="",
        events=(),
        timeout_seconds=0,
        rules={"where": "(", "rate_limit": 0, "filter": Filter(prefix=("",), suffix=("",)), "batch": Batch(2)},
        sealed={"headers": {"Host": "x"}, "client_certificate": "x", "certificate_authority": "x"},
    )
    assert (await world.webhooks.faults(ROOT, together)).keys() == {
        "endpoint", "events", "timeoutSeconds", "where", "rateLimit", "filter.prefix", "filter.suffix", "batch",
        "headers", "clientKey", "certificateAuthority",
    }  # fmt: skip


async def test_what_a_webhook_has_already_counts(world: World) -> None:
    await world.bucket("lake1--pond1--b")
    sealed = {"client_certificate": CLIENT.certificate, "client_key": CLIENT.key, "headers": {"X-A": "a"}}
    made, _ = await world.webhooks.create(ROOT, replace(GOOD, sealed=sealed))
    kept = replace(GOOD, sealed={"client_certificate": CLIENT.certificate, "headers": {"X-A": "***"}})
    assert await world.webhooks.faults(ROOT, kept, made.id) == {}
    assert (await world.webhooks.faults(ROOT, kept)).keys() == {"clientKey", "headers"}
    with pytest.raises(NoSuchWebhook):
        await world.webhooks.faults(ROOT, kept, "wh_none")
