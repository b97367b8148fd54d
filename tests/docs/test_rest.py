"""What the documents say of the REST API is what it says of itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from tests.docs.documents import Document, codes, pages, rows

from elasticlake.api import description, openapi_3_0, problem_pages
from elasticlake.api.application import create_app
from elasticlake.api.problems import PROBLEMS

PAGE, WEBHOOKS = Document("docs/rest.md"), Document("docs/webhooks.md")


@cache
def api() -> dict[str, Any]:
    """The API's own description, which needs no services."""
    envelope: Any = create_app(None, "0")  # type: ignore[arg-type]
    described: dict[str, Any] = envelope._app.openapi()
    return described


def test_every_path_is_in_the_table_and_nothing_else() -> None:
    table = rows(PAGE.section("The resources"), "resource", "paths")
    assert sorted(path for _, paths in table for path in codes(paths)) == sorted(api()["paths"])


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_path_that_a_document_names_exists(page: Document) -> None:
    # The pages of the description are routes too, which it does not list.
    routes = [*description.router.routes, *problem_pages.router.routes]
    own = {route.path for route in routes}  # type: ignore[attr-defined]
    known = set(api()["paths"]) | own | {"/v1"}
    known |= {kind.uri for kind in PROBLEMS.values()}
    # A shell's variable stands for any of a path's parameters.
    shapes = {re.sub(r"\{\w+\}", "$", path) for path in known}
    for path in re.findall(r"/v1(?:/(?:[a-z{}A-Z0-9.-]*[a-z{}A-Z]|\$[A-Z_]+))*", page.text):
        assert path in known or re.sub(r"\$\w+", "$", path) in shapes, path


def test_every_field_of_a_webhook_that_is_named_exists() -> None:
    fields = api()["components"]["schemas"]["NewWebhookBody"]["properties"]
    named = [codes(name)[0] for name, _, _ in rows(WEBHOOKS.text, "field", "default", "meaning")]
    assert len(named) > 5
    assert set(named) <= set(fields)


def test_the_version_of_the_description_is_the_one_that_was_decided() -> None:
    decision = Document("docs/decisions/0020-openapi-3-1.md")
    versions = f"{api()['openapi']}, and in {openapi_3_0.VERSION} beside it"
    assert f"# 0020: The API is described in OpenAPI {versions}\n" in decision.text
