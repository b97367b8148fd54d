"""The API's own description, and a page to read it on, which needs no internet.

What is served is OpenAPI 3.1. The bundled page reads 3.0, as do some generators of clients, so there is that too.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from swagger_ui_bundle import swagger_ui_path

from elasticlake.api.openapi import openapi
from elasticlake.api.openapi_3_0 import in_3_0

router = APIRouter(prefix="/v1", include_in_schema=False)

_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "favicon-32x32.png": "image/png"}
_START = """window.onload = () => {
  window.ui = SwaggerUIBundle({ url: "openapi-3.0.json", dom_id: "#api", deepLinking: true, tryItOutEnabled: true });
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


class Description:
    """The description of an application's operations, made when it is first asked for: that takes half a second."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._making = asyncio.Lock()
        self._written: dict[bool, bytes] = {}

    def document(self) -> dict[str, Any]:
        """The description in OpenAPI 3.1."""
        return openapi(self._app)

    async def written(self, *, for_3_0: bool) -> bytes:
        """The description as JSON. It is made beside the event loop, which goes on meanwhile."""
        async with self._making:
            if not self._written:
                self._written = await asyncio.to_thread(self._write)
        return self._written[for_3_0]

    def _write(self) -> dict[bool, bytes]:
        document = self.document()
        return {False: json.dumps(document).encode(), True: json.dumps(in_3_0(document)).encode()}


@router.get("/openapi.json")
async def get_description(request: Request) -> Response:
    return await _answer(request, for_3_0=False)


@router.get("/openapi-3.0.json")
async def get_description_in_3_0(request: Request) -> Response:
    return await _answer(request, for_3_0=True)


async def _answer(request: Request, *, for_3_0: bool) -> Response:
    """The document, or 304 to whom has it already (RFC 9110, 13.1.2)."""
    described: Description = request.app.state.description
    written = await described.written(for_3_0=for_3_0)
    headers = {"ETag": f'"{hashlib.sha256(written).hexdigest()[:32]}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(written, headers=headers, media_type="application/json")


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
