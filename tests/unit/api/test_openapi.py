"""The description says all that a client must know, and its examples are true to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.unit.api.described import Described

from elasticlake.api.openapi import TAGS
from elasticlake.api.openapi_3_0 import in_3_0
from elasticlake.api.problems import PROBLEMS

OPERATIONS = """
    getHealth getLiveness getReadiness getMetrics
    createLake listLakes getLake changeLake deleteLake
    createPond listPonds getPond changePond deletePond
    createBucket listBuckets getBucket changeBucket deleteBucket measureBucket
    listEvents streamLakeEvents streamPondEvents
    createWebhook listWebhooks getWebhook changeWebhook deleteWebhook sendTestDelivery listDeliveries
    rotateSecret promoteSecret getStatistics explainWebhook explainDraft reconcile
    replay backfill listJobs getJob cancelJob
    getDelivery redeliver listObjectDeliveries
    createAccount listAccounts getAccount changeAccount deleteAccount
    createKey listKeys deleteKey createToken listTokens deleteToken
    listActivity getSystem
"""
"""What clients call their methods: a name that is changed breaks them all."""


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def places(node: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every object in the document, and where it is; not what is within examples."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from places(item, f"{pointer}/{index}")
    elif isinstance(node, dict):
        yield pointer, node
        for name, value in node.items():
            if name not in ("example", "examples", "default"):
                yield from places(value, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")


def test_operations_have_the_names_that_they_had(described: Described) -> None:
    assert [operation["operationId"] for _, _, operation in operations(described.document)] == OPERATIONS.split()


def test_every_operation_is_described(described: Described) -> None:
    tags = {tag["name"]: tag["description"] for tag in described.document["tags"]}
    assert tags == TAGS
    for path, _, operation in operations(described.document):
        assert operation["summary"], operation
        assert operation["description"].endswith((".", "`")), operation
        assert len(operation["tags"]) == 1, operation
        assert tags[operation["tags"][0]], operation
        assert operation["security"] == ([] if path.startswith("/v1/health") else [{"token": []}])


def test_every_operation_says_which_problems_it_may_answer(described: Described) -> None:
    answers = described.document["components"]["responses"]
    named: set[str] = set()
    for path, _, operation in operations(described.document):
        statuses = set(operation["responses"])
        assert "500" in statuses
        assert path.startswith("/v1/health") or {"401", "403", "503"} <= statuses
        assert {"400", "413", "415", "422"} <= statuses or "requestBody" not in operation
        for status, answer in operation["responses"].items():
            shared = answers.get(answer.get("$ref", "").rpartition("/")[2], {})
            kinds = shared.get("content", {}).get("application/problem+json", {}).get("examples", {})
            assert {str(PROBLEMS[name].status) for name in kinds} <= {status}
            named |= set(kinds)
    # These are answered where there is no operation.
    assert named == set(PROBLEMS) - {"not-found", "method-not-allowed"}


def test_every_parameter_body_and_answer_has_an_example(described: Described) -> None:
    for _, _, operation in operations(described.document):
        for parameter in operation.get("parameters", ()):
            case = operation["operationId"], parameter["name"]
            assert parameter["description"], case
            assert "example" in parameter or parameter["schema"].get("examples"), case
        bodies = [operation.get("requestBody", {})]
        for body in [*bodies, *operation["responses"].values()]:
            for media_type, content in body.get("content", {}).items():
                schema = content.get("schema", {})
                schemas = schema.get("anyOf", [schema])
                assert "example" in content or all(map(shown, schemas)), (operation["operationId"], media_type)


def shown(schema: dict[str, Any]) -> bool:
    return "$ref" in schema and schema["$ref"].rpartition("/")[2] != ""


def test_every_schema_that_is_answered_or_sent_has_an_example(described: Described) -> None:
    named = {
        content["schema"]["$ref"].rpartition("/")[2]
        for _, node in places(described.document)
        for content in (node.get("content") or {}).values()
        if "$ref" in content.get("schema", {})
    }
    schemas = described.document["components"]["schemas"]
    assert len(named) > 40
    assert [name for name in sorted(named) if not schemas[name].get("examples")] == []


def test_every_example_is_as_its_schema_says(described: Described) -> None:
    checked = 0
    for pointer, node in places(described.document):
        if pointer.startswith("/info"):
            continue
        for example in node["examples"] if isinstance(node.get("examples"), list) else ():
            described.validate(example, pointer)
            checked += 1
        if "schema" in node and "example" in node:
            described.validate(node["example"], f"{pointer}/schema")
            checked += 1
        if "schema" in node and isinstance(node.get("examples"), dict):
            for one in node["examples"].values():
                described.validate(one["value"], f"{pointer}/schema")
                checked += 1
    assert checked > 150


def test_numbers_say_how_large_they_are_and_sets_of_words_have_names(described: Described) -> None:
    for pointer, node in places(described.document):
        if node.get("type") in ("integer", "number"):
            assert node["format"] in ("int64", "double"), pointer
        if len(node.get("enum", ())) > 2 and "/v1/problems/" not in node["enum"][0]:
            assert pointer.startswith("/components/schemas/"), pointer


def test_what_the_description_says_of_itself(described: Described) -> None:
    document = described.document
    assert document["openapi"] == "3.1.0"
    assert document["info"]["license"] == {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
    assert document["servers"][0]["url"] == "/"
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_in_3_0_it_uses_no_word_of_3_1(described: Described) -> None:
    older = in_3_0(described.document)
    assert older["openapi"] == "3.0.3"
    assert older["paths"].keys() == described.document["paths"].keys()
    assert "webhooks" not in older
    assert "Payload" not in older["components"]["schemas"]
    text = json.dumps(older)
    for foreign in ('"const"', '{"type": "null"}', '"identifier"', '"propertyNames"', '"examples": ['):
        assert foreign not in text
    assert '"exclusiveMinimum": true' in text


@pytest.mark.parametrize(("name", "version"), [("openapi.json", "3.1.0"), ("openapi-3.0.json", "3.0.3")])
async def test_it_is_served_and_known_again(api: httpx.AsyncClient, name: str, version: str) -> None:
    answer = await api.get(f"/v1/{name}", headers={"Authorization": ""})
    assert answer.json()["openapi"] == version
    again = await api.get(f"/v1/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
