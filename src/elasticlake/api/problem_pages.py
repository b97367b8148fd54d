"""What each type of problem means, for a reader: the pages that a problem document's `type` leads to."""

from __future__ import annotations

import html
import re

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from elasticlake.api.problems import PROBLEMS, ProblemType

router = APIRouter(prefix="/v1", include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - ElasticLake</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
body {{ max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}
code {{ font-family: ui-monospace, monospace; }}
dt {{ font-weight: 600; margin-top: 1rem; }}
dd {{ margin: 0; }}
</style>
</head>
<body>
<h1>{title}</h1>
{content}
</body>
</html>
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/problems")
async def get_problems() -> Response:
    entries = "\n".join(
        f'<dt><a href="{kind.uri}"><code>{kind.name}</code></a> ({kind.status})</dt><dd>{_words(kind.meaning)}</dd>'
        for kind in PROBLEMS.values()
    )
    return _page("Problems", f"<p>What an answer of the API with a problem document means.</p>\n<dl>\n{entries}\n</dl>")


@router.get("/problems/{name}")
async def get_problem(name: str) -> Response:
    kind = PROBLEMS.get(name)
    if kind is None:
        raise HTTPException(404)
    return _page(kind.title, _described(kind))


def _described(kind: ProblemType) -> str:
    rows = {"Type": f"<code>{kind.uri}</code>", "Status": str(kind.status), "What to do": _words(kind.remedy)}
    listed = "\n".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows.items())
    return f'<p>{_words(kind.meaning)}</p>\n<dl>\n{listed}\n</dl>\n<p><a href="/v1/problems">All problems</a></p>'


def _words(text: str) -> str:
    """A sentence, in which what is in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _page(title: str, content: str) -> Response:
    page = _PAGE.format(title=title, content=content)
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "max-age=3600"})
