"""The API's own description, in OpenAPI 3.0, and a page to read it on, which needs no internet.

FastAPI describes in OpenAPI 3.1; the bundled page reads 3.0, as do most generators of clients, so that is what is
served.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from swagger_ui_bundle import swagger_ui_path

from elasticlake.api.errors import MEDIA_TYPE

router = APIRouter(prefix="/v1", include_in_schema=False)

_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "favicon-32x32.png": "image/png"}
_START = """window.onload = () => {
  window.ui = SwaggerUIBundle({ url: "openapi.json", dom_id: "#api", deepLinking: true, tryItOutEnabled: true });
};
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ElasticLake API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "firstSequence": {"type": "integer", "description": "With 410 alone: the first event that the log holds."},
    },
    "example": {
        "type": "urn:elasticlake:problem:invalid-webhook",
        "title": "Invalid webhook",
        "status": 422,
        "detail": "Name exactly one of bucket, pond and lake.",
        "errors": [{"field": "bucket", "detail": "Name exactly one of bucket, pond and lake."}],
    },
}
_REFUSALS = {"4XX": "The call was refused.", "5XX": "The server cannot answer now."}


@router.get("/openapi.json")
async def get_description(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def get_page() -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/start.js")
async def get_start() -> Response:
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{asset}")
def get_asset(asset: str) -> Response:
    media_type = _ASSETS.get(asset)
    if media_type is None:
        raise HTTPException(404)
    data = Path(swagger_ui_path, asset).read_bytes()
    return Response(data, media_type=media_type, headers={"Cache-Control": "max-age=86400"})


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What is to be `app.openapi`: the description, made once."""
    made: dict[str, Any] = {}

    def description() -> dict[str, Any]:
        if not made:
            made.update(_completed(get_openapi(title=app.title, version=app.version, routes=app.routes)))
            made["info"]["description"] = app.description
        return made

    return description


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """With every operation's problems and the security scheme; in OpenAPI 3.0."""
    document = _downgraded(document)
    document["openapi"] = "3.0.3"
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            for statuses, meaning in _REFUSALS.items():
                operation["responses"][statuses] = _problem_response(meaning)
            if path.startswith("/v1/health"):
                operation["security"] = []
    return document


def _problem_response(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _downgraded(node: Any) -> Any:
    """OpenAPI 3.1 in the words of 3.0: null is `nullable`, a list of examples is its first, `const` is an `enum`."""
    if isinstance(node, list):
        return [_downgraded(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {name: value if name == "example" else _downgraded(value) for name, value in node.items()}
    if isinstance(node.get("examples"), list):
        made["example"] = node["examples"][0]
        del made["examples"]
    if isinstance(made.get("anyOf"), list) and {"type": "null"} in made["anyOf"]:
        return _nullable(made)
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    others = [choice for choice in schema.pop("anyOf") if choice != {"type": "null"}]
    if len(others) > 1:
        return {**schema, "anyOf": others, "nullable": True}
    if "$ref" in others[0]:
        return {**schema, "allOf": others, "nullable": True}
    return {**others[0], **schema, "nullable": True}
