"""Lakes and ponds over HTTP."""

import httpx


async def test_a_lake_from_beginning_to_end(api: httpx.AsyncClient) -> None:
    made = await api.post("/v1/lakes", json={"lake": "lake1"})
    expected = {
        "lake": "lake1",
        "name": "lake1",
        "account": "root",
        "createdAt": "2026-01-02T03:04:05.678Z",
        "buckets": 0,
        "objects": 0,
        "bytes": 0,
    }
    assert (made.status_code, made.json()) == (201, expected)
    renamed = await api.patch("/v1/lakes/lake1", json={"name": "production"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "production")
    assert (await api.get("/v1/lakes/lake1")).json() == renamed.json()
    again = await api.post("/v1/lakes", json={"lake": "lake1"})
    assert (again.status_code, again.json()["type"]) == (409, "/v1/problems/already-exists")
    gone = await api.delete("/v1/lakes/lake1")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await api.get("/v1/lakes/lake1")).status_code == 404


async def test_ponds_of_a_lake(api: httpx.AsyncClient) -> None:
    await api.post("/v1/lakes", json={"lake": "lake1"})
    made = await api.post("/v1/lakes/lake1/ponds", json={"pond": "pond1", "name": "documents"})
    assert made.status_code == 201
    assert (made.json()["lake"], made.json()["pond"], made.json()["name"]) == ("lake1", "pond1", "documents")
    assert (await api.patch("/v1/lakes/lake1/ponds/pond1", json={"name": "papers"})).json()["name"] == "papers"
    assert [pond["name"] for pond in (await api.get("/v1/lakes/lake1/ponds")).json()["items"]] == ["papers"]
    assert (await api.delete("/v1/lakes/lake1")).status_code == 409
    assert (await api.delete("/v1/lakes/lake1/ponds/pond1")).status_code == 204
    assert (await api.get("/v1/lakes/lake1/ponds/pond1")).status_code == 404
    assert (await api.get("/v1/lakes/nowhere/ponds")).status_code == 404


async def test_pages_lead_through_the_list(api: httpx.AsyncClient) -> None:
    for number in range(3):
        await api.post("/v1/lakes", json={"lake": f"lake{number}"})
    seen: list[str] = []
    parameters: dict[str, str] = {"limit": "2"}
    while True:
        page = (await api.get("/v1/lakes", params=parameters)).json()
        seen += [lake["lake"] for lake in page["items"]]
        if page["nextCursor"] is None:
            break
        parameters["cursor"] = page["nextCursor"]
    assert seen == ["default", "lake0", "lake1", "lake2"]
