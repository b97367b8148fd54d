"""The pages that the types of problems lead to."""

from __future__ import annotations

import httpx
import pytest

from elasticlake.api.problems import PROBLEMS

NOBODY = {"Authorization": ""}


async def test_a_problem_leads_to_its_page(api: httpx.AsyncClient) -> None:
    refused = (await api.post("/v1/webhooks", json={"endpoint": "http://127.0.0.1:1/", "events": []})).json()
    page = await api.get(refused["type"], headers=NOBODY)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{refused['title']}</h1>" in page.text
    assert "<code>errors</code> names each field at fault" in page.text


@pytest.mark.parametrize("name", PROBLEMS)
async def test_every_type_has_a_page_and_a_place_in_the_list(api: httpx.AsyncClient, name: str) -> None:
    kind = PROBLEMS[name]
    page = (await api.get(kind.uri, headers=NOBODY)).text
    assert f"<dd>{kind.status}</dd>" in page
    assert f'href="{kind.uri}"' in (await api.get("/v1/problems", headers=NOBODY)).text


async def test_what_is_no_type_has_no_page(api: httpx.AsyncClient) -> None:
    unknown = await api.get("/v1/problems/nothing", headers=NOBODY)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/v1/problems/not-found")
