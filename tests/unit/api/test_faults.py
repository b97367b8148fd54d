"""What is wrong with a request, in our words."""

from typing import Any

import httpx
import pytest

RFC_3339 = "Write RFC 3339, such as 2026-11-25T12:00:00Z."
PLACE = {"endpoint": "https://a.example/", "events": ["object:created"], "bucket": "b"}


async def told(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 422
    return [(error["field"], error["detail"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("members", "field", "says"),
    [
        (
            {"filter": {"sufix": [".jpg"]}},
            "filter.sufix",
            "There is no field 'sufix'; there are: prefix, suffix, contentType, minSize, maxSize, metadata, tags.",
        ),
        ({"batch": {"events": 1, "maxEvents": 1}}, "batch.events",
         "There is no field 'events'; there are: maxEvents, maxWaitMs."),
        ({"batch": {}}, "batch.maxEvents", "This is required."),
        ({"batch": 100}, "batch", "Write an object, {…}."),
        ({"headers": ["a"]}, "headers", "Write an object, {…}."),
        ({"events": "object:created"}, "events", "Write a list, […]."),
        ({"filter": {"minSize": "1MB"}}, "filter.minSize", "Write a whole number."),
        ({"filter": {"minSize": -1}}, "filter.minSize", "Write 0 or more."),
        ({"rateLimit": "fast"}, "rateLimit", "Write a number."),
        ({"endpoint": 5}, "endpoint", "Write a text."),
        ({"coalesce": "maybe"}, "coalesce", "Write true or false."),
        ({"ordering": "none at all"}, "ordering", "Write 'key', 'bucket' or 'none'."),
    ],
)  # fmt: skip
async def test_a_member_of_the_body(api: httpx.AsyncClient, members: dict[str, Any], field: str, says: str) -> None:
    assert await told(await api.post("/v1/webhooks", json={**PLACE, **members})) == [(field, says)]


async def test_a_member_that_nothing_knows_names_those_there_are(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/lakes", json={"lake": "lake1", "colour": 1})
    assert answer.json()["detail"] == "colour: There is no field 'colour'; there are: lake, name, account"
    ((field, says),) = await told(await api.post("/v1/webhooks", json={**PLACE, "sufix": 1}))
    assert (field, "bucket, pond, lake" in says) == ("sufix", True)


@pytest.mark.parametrize("time", ["yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-13-01T00:00:00Z"])
async def test_a_time(api: httpx.AsyncClient, time: str) -> None:
    path = "/v1/webhooks/wh_1"
    assert await told(await api.post(f"{path}/replay", json={"since": time})) == [("since", RFC_3339)]
    assert await told(await api.get(f"{path}/deliveries", params={"until": time})) == [("until", RFC_3339)]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"statusCode": "40"}, "Write 404, or 5xx for all of these."),
        ({"statusCode": "5xx\n"}, "Write 404, or 5xx for all of these."),
        ({"limit": "many"}, "Write a whole number."),
    ],
)
async def test_a_parameter(api: httpx.AsyncClient, query: dict[str, str], says: str) -> None:
    answer = await api.get("/v1/webhooks/wh_1/deliveries", params=query)
    assert await told(answer) == [(next(iter(query)), says)]
