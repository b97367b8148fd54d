"""Health over REST: nobody needs a token for it."""

import httpx
import pytest
from tests.unit.world import World

from elasticlake.service.health import Health

NOBODY = {"Authorization": ""}


async def test_a_process_that_can_work_says_so(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/health/ready", headers=NOBODY)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": [
            {"name": "metadata", "status": "ok", "detail": None},
            {"name": "blobs", "status": "ok", "detail": None},
        ],
    }


async def test_one_that_cannot_is_alive_and_not_ready(api: httpx.AsyncClient, world: World) -> None:
    await world.core.write(lambda tx: tx.run("DROP TABLE facts"))
    answer = await api.get("/v1/health/ready", headers=NOBODY)
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert [check["status"] for check in answer.json()["checks"]] == ["unavailable", "ok"]
    assert (await api.get("/v1/health/live", headers=NOBODY)).json() == {"status": "ok"}
    assert (await api.get("/v1/health", headers=NOBODY)).json()["status"] == "ok"


async def test_one_that_drains_is_alive_and_not_ready(api: httpx.AsyncClient, health: Health) -> None:
    health.drain()
    answer = await api.get("/v1/health/ready", headers=NOBODY)
    assert (answer.status_code, answer.json()["checks"][-1]["name"]) == (503, "draining")
    assert (await api.get("/v1/health/live", headers=NOBODY)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/health", "/v1/health/live", "/v1/health/ready"])
async def test_the_description_says_that_no_token_is_needed(api: httpx.AsyncClient, path: str) -> None:
    document = (await api.get("/v1/openapi.json", headers=NOBODY)).json()
    assert document["paths"][path]["get"]["security"] == []
    assert (await api.head(path, headers=NOBODY)).status_code == 200
