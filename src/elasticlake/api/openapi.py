"""The API in OpenAPI 3.1: what FastAPI knows of it, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from elasticlake.api.documents import NULL
from elasticlake.api.enumerations import name_enumerations
from elasticlake.api.refusals import add_refusals
from elasticlake.api.webhook_requests import add_webhooks

VERSION = "3.1.0"
TAGS = {
    "health": "Whether the server is up, and whether it can work. These need no token.",
    "metrics": "What the server counts, for Prometheus.",
    "lakes": "The top of the hierarchy; a lake belongs to the account that made it.",
    "ponds": "What a lake is divided into.",
    "buckets": "Buckets, by their S3 names: `lake--pond--bucket`, or a plain name in lake `default`, pond `default`.",
    "events": "The log of each bucket: in pages, with long polls, or as a stream.",
    "webhooks": "Who is told of which events, where and how; what they make of it.",
    "jobs": "Replays and backfills.",
    "deliveries": "One event for one webhook, with every attempt.",
    "accounts": "The owners of lakes, buckets, access keys and webhooks.",
    "keys": "Access keys, with which S3 requests are signed.",
    "tokens": "Tokens for this API.",
    "activity": "The audit log: what was done to all of these, and by whom.",
    "system": "The installation at a glance.",
}
_DONE = {
    "200": "Done: this is the answer.",
    "201": "It was made: this is it.",
    "202": "It was accepted: this is how it stands.",
    "204": "It is gone.",
}
_REQUEST_ID = {
    "description": "The request's id, which finds it in the server's log.",
    "required": True,
    "schema": {"type": "string"},
    "example": "9B1C4D2E8F3A5B60",
}
_PAGE = "DocumentPage_"


def openapi(app: FastAPI) -> dict[str, Any]:
    """The description of the operations that `app` has."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, openapi_version=VERSION, routes=app.routes
    )
    document["info"]["license"] = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
    document["externalDocs"] = {"description": "Every type of problem, and what to do about it.", "url": "/v1/problems"}
    document["servers"] = [{"url": "/", "description": "The server that this description comes from."}]
    used = {tag for _, _, operation in _operations(document) for tag in operation["tags"]}
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    document["security"] = [{"token": []}]
    components = document["components"]
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <token>` (RFC 6750)."}
    }
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    add_refusals(document, _operations(document))
    add_webhooks(document)
    for path, _, operation in _operations(document):
        _complete(path, operation)
    for name, schema in components["schemas"].items():
        if name.startswith(_PAGE):
            schema["examples"] = [_page_example(components["schemas"], schema)]
    for part in (document["paths"], document["components"], document["webhooks"]):
        _tidy(part)
    for answer in _answers(document):
        answer["headers"] = {**answer.get("headers", {}), "x-request-id": {"$ref": "#/components/headers/x-request-id"}}
    components["headers"] = {"x-request-id": _REQUEST_ID}
    return name_enumerations(_with_nulls(document))


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _answers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every answer of every operation, those that are shared once."""
    yield from document["components"]["responses"].values()
    for _, _, operation in _operations(document):
        yield from (answer for answer in operation["responses"].values() if "$ref" not in answer)


def _complete(path: str, operation: dict[str, Any]) -> None:
    operation["security"] = [] if path.startswith("/v1/health") else [{"token": []}]
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _given(parameter["schema"])
    for status, answer in operation["responses"].items():
        if answer.get("description") == "Successful Response":
            answer["description"] = _DONE[status]


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema where one is given: whoever means null leaves it out."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    return {**choices[0], **{name: value for name, value in schema.items() if name != "anyOf"}}


def _page_example(schemas: dict[str, Any], page: dict[str, Any]) -> dict[str, Any]:
    item = schemas[page["properties"]["items"]["items"]["$ref"].rpartition("/")[2]]
    return {"items": item["examples"][:1], "nextCursor": None}


def _with_nulls(node: Any) -> Any:
    """The document with the nulls that its examples have."""
    if isinstance(node, list):
        return [_with_nulls(item) for item in node]
    if isinstance(node, dict):
        return {name: _with_nulls(value) for name, value in node.items()}
    return None if node == NULL else node


def _tidy(node: Any) -> None:
    """Say how many bits numbers have (whole ones are kept in 64, whatever their limits), and leave out the titles of
    schemas, which only repeat their names."""
    if isinstance(node, list):
        for item in node:
            _tidy(item)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind in ("integer", "number"):
            node.setdefault("format", "int64" if kind == "integer" else "double")
        if isinstance(node.get("title"), str):
            del node["title"]
        for name, value in node.items():
            if name not in ("example", "examples"):
                _tidy(value)
