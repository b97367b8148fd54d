"""Style sheets, scripts and pictures, under a name that changes with their bytes: a browser keeps them for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from starlette.responses import Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
_FOR_EVER = "public, max-age=31536000, immutable"


@lru_cache(1)
def files() -> dict[str, bytes]:
    """Every file by its name, read once."""
    return {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


@lru_cache(1)
def edition() -> str:
    """Names these bytes of all files together, as scripts import each other by relative names."""
    digest = hashlib.sha256()
    for name, data in files().items():
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:12]


def url(name: str) -> str:
    """Where the file is; raises KeyError for one that is not there."""
    files()[name]
    return f"/ui/static/{edition()}/{name}"


def serve(asked_edition: str, name: str) -> Response | None:
    """The file; of another edition, it is served but not kept."""
    data = files().get(name)
    if data is None:
        return None
    kept = _FOR_EVER if asked_edition == edition() else "no-cache"
    return Response(data, media_type=_TYPES[Path(name).suffix], headers={"Cache-Control": kept})
