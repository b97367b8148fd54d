"""Accounts, their keys, and tokens over HTTP."""

import httpx
import pytest


async def test_an_account_and_its_keys(api: httpx.AsyncClient) -> None:
    body = {"id": "acme", "displayName": "Acme", "email": "a@example.com"}
    made = await api.post("/v1/accounts", json=body)
    assert (made.status_code, made.json()) == (201, {**body, "createdAt": "2026-01-02T03:04:05.678Z"})
    assert (await api.patch("/v1/accounts/acme", json={"displayName": "A"})).json()["displayName"] == "A"
    assert [one["id"] for one in (await api.get("/v1/accounts")).json()["items"]] == ["acme", "root"]
    own = {"accessKeyId": "MYKEY", "secretAccessKey": "my-own-secret", "scope": {"ponds": ["lake1--pond1"]}}
    key = await api.post("/v1/accounts/acme/keys", json=own)
    assert (key.status_code, key.json()["secretAccessKey"]) == (201, "my-own-secret")
    assert key.json()["scope"]["permissions"] == ["read", "write", "delete", "list", "admin"]
    assert (await api.post("/v1/accounts/acme/keys", json=own)).status_code == 409
    generated = (await api.post("/v1/accounts/acme/keys", json={})).json()
    assert len(generated["accessKeyId"]) == 20
    listed = (await api.get("/v1/accounts/acme/keys")).json()["items"]
    assert {one["accessKeyId"] for one in listed} == {"MYKEY", generated["accessKeyId"]}
    assert all("secretAccessKey" not in one for one in listed)
    assert (await api.delete("/v1/accounts/acme/keys/MYKEY")).status_code == 204
    assert (await api.delete("/v1/accounts/acme/keys/MYKEY")).status_code == 404
    assert (await api.delete("/v1/accounts/acme")).status_code == 204
    assert (await api.get("/v1/accounts/acme")).status_code == 404
    assert (await api.delete("/v1/accounts/root")).status_code == 409


async def test_bad_scopes_are_named(api: httpx.AsyncClient) -> None:
    for scope, field in (
        ({"permissions": ["fly"]}, "scope.permissions.0"),
        ({"colour": []}, "scope.colour"),
        ({"buckets": ["NO"]}, "scope.buckets"),
        ({"lakes": "lake1"}, "scope.lakes"),
    ):
        answer = await api.post("/v1/accounts/root/keys", json={"scope": scope})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_token_is_shown_once(api: httpx.AsyncClient) -> None:
    made = (await api.post("/v1/tokens", json={"name": "ci", "access": "write"})).json()
    assert made["accounts"] is None
    headers = {"Authorization": f"Bearer {made['token']}"}
    listed = (await api.get("/v1/tokens", headers=headers)).json()["items"]
    assert listed == [{name: value for name, value in made.items() if name != "token"}]
    assert (await api.delete(f"/v1/tokens/{made['id']}")).status_code == 204
    assert (await api.get("/v1/tokens", headers=headers)).status_code == 401
    assert (await api.post("/v1/tokens", json={"access": "admin"})).json()["errors"][0]["field"] == "access"
    assert (await api.post("/v1/tokens", json={"accounts": [], "access": "read"})).status_code == 422


@pytest.mark.both_engines
async def test_what_no_id_can_be_is_nobodys(api: httpx.AsyncClient) -> None:
    for path in ("/v1/tokens/%00", "/v1/accounts/root/keys/a%00b", "/v1/accounts/%00"):
        assert (await api.delete(path)).status_code in (400, 404, 422), path
