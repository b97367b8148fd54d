"""Buckets over HTTP."""

import httpx
from tests.unit.world import ROOT, World


async def test_a_bucket_from_beginning_to_end(api: httpx.AsyncClient, world: World) -> None:
    made = await api.post("/v1/buckets", json={"bucket": "lake1--pond1--x"})
    expected = {
        "bucket": "lake1--pond1--x",
        "lake": "lake1",
        "pond": "pond1",
        "account": "root",
        "acl": "private",
        "createdAt": "2026-01-02T03:04:05.678Z",
        "sequence": 0,
        "objects": 0,
        "bytes": 0,
    }
    assert (made.status_code, made.json()) == (201, expected)
    await world.put("lake1--pond1--x", b"key", b"12345")
    changed = (await api.patch("/v1/buckets/lake1--pond1--x", json={"acl": "public-read"})).json()
    assert (changed["acl"], changed["sequence"], changed["objects"], changed["bytes"]) == ("public-read", 1, 1, 5)
    assert (await api.get("/v1/buckets/lake1--pond1--x")).json() == changed
    full = await api.delete("/v1/buckets/lake1--pond1--x")
    assert (full.status_code, full.json()["title"]) == (409, "Bucket not empty")
    await world.remove("lake1--pond1--x", b"key")
    assert (await api.delete("/v1/buckets/lake1--pond1--x")).status_code == 204
    assert (await api.get("/v1/buckets/lake1--pond1--x")).status_code == 404


async def test_lists_by_place(api: httpx.AsyncClient) -> None:
    for name in ("plain", "lake1--pond1--x", "lake1--pond2--y"):
        assert (await api.post("/v1/buckets", json={"bucket": name})).status_code == 201

    async def names(**parameters: str) -> list[str]:
        return [one["bucket"] for one in (await api.get("/v1/buckets", params=parameters)).json()["items"]]

    assert await names() == ["lake1--pond1--x", "lake1--pond2--y", "plain"]
    assert await names(lake="lake1") == ["lake1--pond1--x", "lake1--pond2--y"]
    assert await names(pond="lake1--pond2") == ["lake1--pond2--y"]
    assert (await api.get("/v1/buckets", params={"lake": "nowhere"})).status_code == 404


async def test_bad_names_and_acls_are_named(api: httpx.AsyncClient) -> None:
    for name in ("A", "a", "default--default--x", "10.0.0.1", "x" * 64, "a\x00b"):
        answer = await api.post("/v1/buckets", json={"bucket": name})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "bucket")
    answer = await api.post("/v1/buckets", json={"bucket": "plain", "acl": "public"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "acl")


async def test_a_limited_token_owns_what_it_makes(api: httpx.AsyncClient, world: World) -> None:
    for name in ("acme", "beta"):
        await world.accounts.create(ROOT, name, name, "a@b")
    _, text = await world.tokens.create(ROOT, account_ids=("acme",), access="write")
    as_acme = {"Authorization": f"Bearer {text}"}
    made = await api.post("/v1/buckets", json={"bucket": "acme--a--x"}, headers=as_acme)
    assert made.json()["account"] == "acme"
    beta = await api.post("/v1/buckets", json={"bucket": "beta--b--y", "account": "beta"})
    assert beta.json()["account"] == "beta"
    assert (await api.post("/v1/buckets", json={"bucket": "beta--b--z"}, headers=as_acme)).status_code == 403
    assert (await api.post("/v1/buckets", json={"bucket": "acme--b--z", "account": "nobody"})).status_code == 404
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/events")):
        answer = await api.request(method, f"/v1/buckets/beta--b--y{path}", headers=as_acme)
        assert answer.status_code == 404
    change = await api.patch("/v1/buckets/beta--b--y", json={"acl": "public-read"}, headers=as_acme)
    assert change.status_code == 404
    listed = (await api.get("/v1/buckets", headers=as_acme)).json()["items"]
    assert [bucket["bucket"] for bucket in listed] == ["acme--a--x"]


async def test_what_lies_under_a_prefix(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket("lake1--pond1--x")
    for key, data in ((b"a/1", b"1"), (b"a/2", b"22"), (b"b", b"333")):
        await world.put("lake1--pond1--x", key, data)
    under = await api.get("/v1/buckets/lake1--pond1--x/size", params={"prefix": "a/"})
    assert under.json() == {"objects": 2, "bytes": 3, "isMore": False}
    assert (await api.get("/v1/buckets/lake1--pond1--x/size")).json()["objects"] == 3
    assert (await api.get("/v1/buckets/other/size")).status_code == 404
