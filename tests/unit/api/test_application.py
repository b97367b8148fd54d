"""What holds for the whole API: authentication, problems, limits, methods, and its description."""

from typing import Any

import httpx
import pytest
from tests.unit.world import ROOT, ROOT_TOKEN_TEXT, World

from elasticlake.errors import OutcomeUnknown, Unavailable

PROBLEM = "application/problem+json"


def fields(answer: httpx.Response) -> list[str]:
    return [error["field"] for error in answer.json()["errors"]]


async def test_health_needs_no_token(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/health", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": "1.2.3", "role": "all"})
    assert len(answer.headers["x-request-id"]) == 16


@pytest.mark.parametrize("header", ["", "Bearer", "Basic cm9vdDpyb290", "Bearer wrong", "Bearer caf\xe9"])
async def test_a_missing_or_unknown_token_is_401(api: httpx.AsyncClient, header: str) -> None:
    answer = await api.get("/v1/lakes", headers={b"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == PROBLEM


async def test_the_token_is_looked_at_before_the_body(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/lakes", content=b"{", headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


async def test_a_reading_token_reads_and_no_more(api: httpx.AsyncClient, world: World) -> None:
    _, text = await world.tokens.create(ROOT, access="read")
    headers = {"Authorization": f"bearer {text}"}
    assert (await api.get("/v1/lakes", headers=headers)).status_code == 200
    assert (await api.head("/v1/lakes", headers=headers)).status_code == 200
    answer = await api.post("/v1/lakes", json={"lake": "lake1"}, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (403, "Access denied")
    assert (await api.get("/v1/lakes/lake1")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"\xff"', 400),
        (b"[" * 100_000, 400),
        (b'{"lake": ' + b"1" * 5000 + b"}", 400),
        (b'{"lake": NaN}', 422),
        (b'{"lake": "\\ud800"}', 422),
        (b'{"lake": "a\\u0000"}', 422),
        (b'{"lake": "a", "\\ud800": 1}', 422),
        (b'{"lake": "a", "account": "\\ud800"}', 422),
        (b'{"lake": "a--b"}', 422),
        (b'{"lake": "lake1", "colour": 1}', 422),
        (b'{"lake": "lake1", "name": "\\n"}', 422),
        (b'{"lake": "lake1", "account": "nobody"}', 404),
    ],
)
async def test_a_bad_body_is_the_callers_error(api: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await api.post("/v1/lakes", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["status"] == status
    if status == 422:
        assert answer.json()["errors"]


async def test_an_error_names_its_field(api: httpx.AsyncClient) -> None:
    assert fields(await api.post("/v1/lakes", json={"lake": "l", "colour": 1})) == ["colour"]
    assert fields(await api.post("/v1/lakes", json={"lake": "L"})) == ["lake"]
    assert fields(await api.get("/v1/lakes", params={"limit": 0})) == ["limit"]
    assert fields(await api.get("/v1/lakes", params={"cursor": "x"})) == ["cursor"]


async def test_a_body_that_is_not_json_is_415(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/lakes", data={"lake": "lake1"})
    assert (answer.status_code, answer.headers["content-type"]) == (415, PROBLEM)


async def test_a_large_body_is_413_declared_or_not(api: httpx.AsyncClient) -> None:
    async def endless() -> Any:
        for _ in range(20):
            yield b" " * 100_000

    assert (await api.post("/v1/lakes", content=b" " * (1024 * 1024 + 1))).status_code == 413
    headers = {"Content-Type": "application/json"}
    assert (await api.post("/v1/lakes", content=endless(), headers=headers)).status_code == 413


async def test_unknown_routes_and_methods(api: httpx.AsyncClient) -> None:
    unknown = await api.get("/v1/nothing")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, PROBLEM)
    assert (await api.get("/v1/lakes/")).status_code == 404
    wrong = await api.put("/v1/lakes/lake1")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS, PATCH")
    options = await api.options("/v1/lakes")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (await api.options("/v1/nothing")).status_code == 404


async def test_head_is_get_without_the_body(api: httpx.AsyncClient) -> None:
    head, get = await api.head("/v1/lakes"), await api.get("/v1/lakes")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))


async def test_a_fault_of_ours_is_a_problem_without_a_traceback(api: httpx.AsyncClient, world: World) -> None:
    def break_tokens(tx: Any) -> None:
        tx.run("DROP TABLE tokens")

    await world.core.write(break_tokens)
    answer = await api.get("/v1/tokens")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "Traceback" not in answer.text
    assert "no such table" not in answer.text
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("error", "status", "kind", "retry_after"),
    [(Unavailable, 503, "unavailable", "1"), (OutcomeUnknown, 504, "outcome-unknown", None)],
)
async def test_what_may_have_been_done_is_not_to_be_repeated(
    api: httpx.AsyncClient,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    status: int,
    kind: str,
    retry_after: str | None,
) -> None:
    async def lose(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(world.core, "write", lose)
    answer = await api.post("/v1/lakes", json={"lake": "a"})
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    assert answer.json()["type"] == f"/v1/problems/{kind}"


async def test_the_docs_page_needs_no_internet(api: httpx.AsyncClient) -> None:
    page = await api.get("/v1/docs", headers={"Authorization": ""})
    assert page.status_code == 200
    assert "http" not in page.text
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon-32x32.png"):
        answer = await api.get(f"/v1/docs/{asset}", headers={"Authorization": ""})
        assert answer.status_code == 200, asset
        assert answer.content, asset
    assert (await api.get("/v1/docs/..%2f__init__.py")).status_code == 404


async def test_the_servers_request_id_is_kept(api: httpx.AsyncClient) -> None:
    app = api._transport.app  # type: ignore[attr-defined]

    async def with_id(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": {"request_id": "ABC"}}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(with_id), base_url="http://test") as client:
        headers = {"Authorization": f"Bearer {ROOT_TOKEN_TEXT}"}
        assert (await client.get("/v1/lakes", headers=headers)).headers["x-request-id"] == "ABC"
