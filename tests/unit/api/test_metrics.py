"""Metrics over REST."""

import httpx
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.world import ROOT, World


async def samples(api: httpx.AsyncClient, name: str) -> dict[tuple[str, ...], float]:
    """The samples of that name, by their labels' values."""
    text = (await api.get("/v1/metrics")).text
    families = text_string_to_metric_families(text)
    return {
        tuple(sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


async def test_metrics_are_what_prometheus_reads(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert await samples(api, "elasticlake_info") == {("1.2.3",): 1}


async def test_any_token_reads_them_and_none_does_not(api: httpx.AsyncClient, world: World) -> None:
    _, text = await world.tokens.create(ROOT, access="read")
    assert (await api.get("/v1/metrics", headers={"Authorization": f"Bearer {text}"})).status_code == 200
    assert (await api.get("/v1/metrics", headers={"Authorization": ""})).status_code == 401
    assert (await api.get("/v1/metrics", headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_calls_are_counted_by_what_they_asked_for(api: httpx.AsyncClient) -> None:
    await api.get("/v1/lakes")
    await api.head("/v1/lakes")
    await api.get("/v1/lakes/nowhere")
    await api.get("/v1/nothing/of/the/kind")
    await api.post("/v1/lakes", content=b"x" * (2 * 1024 * 1024))
    assert await samples(api, "elasticlake_api_requests_total") == {
        ("listLakes", "200"): 2,
        ("getLake", "404"): 1,
        ("-", "404"): 1,
        ("-", "413"): 1,
    }
