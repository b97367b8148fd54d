"""The description as a judge: whether an answer is one that it names for the operation."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema_rs

_HERE = "urn:api"


class Described:
    """A description in OpenAPI 3.1, and what it allows."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._registry = jsonschema_rs.Registry([(_HERE, document)])
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """The operation's place in the document, and the operation."""
        for template, operations in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(template)), path) and method in operations:
                return f"/paths/{template.replace('/', '~1')}/{method}", operations[method]
        return None

    def validate(self, value: Any, pointer: str) -> None:
        """Raise unless the value is as the schema at `pointer` says."""
        if pointer not in self._validators:
            schema = {"$ref": f"{_HERE}#{quote(pointer)}"}
            self._validators[pointer] = jsonschema_rs.Draft202012Validator(
                schema, registry=self._registry, validate_formats=True
            )
        self._validators[pointer].validate(value)

    def require(self, answer: httpx.Response) -> None:
        """Raise AssertionError unless the operation may answer so: status, head, media type, and every member."""
        request = answer.request
        method = "get" if request.method == "HEAD" else request.method.lower()
        found = self.operation(method, request.url.raw_path.decode().partition("?")[0])
        if found is None:
            return
        place, operation = found
        if answer.status_code == 413 and "requestBody" not in operation:
            return
        case = f"{operation['operationId']} answers {answer.status_code} {answer.text[:300]}"
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, case
        pointer = f"{place}/responses/{answer.status_code}"
        if "$ref" in described:
            pointer = described["$ref"].removeprefix("#")
            described = self.document["components"]["responses"][pointer.rpartition("/")[2]]
        assert {name.lower() for name in described["headers"]} <= set(answer.headers), case
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if "content" not in described:
            assert not answer.content, case
            return
        assert media_type in described["content"], case
        if media_type.endswith("json") and request.method != "HEAD":
            try:
                self.validate(answer.json(), f"{pointer}/content/{media_type.replace('/', '~1')}/schema")
            except jsonschema_rs.ValidationError as error:
                raise AssertionError(f"{case}: {error}") from None
