"""How attributes and checksums are written into columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from elasticlake.model.objects import Checksum


def dump(document: Mapping[str, Any] | None) -> str | None:
    """JSON, or NULL for nothing: most objects have neither headers nor metadata."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False) if document else None


def load(text: str | None) -> dict[str, Any]:
    return json.loads(text) if text else {}


def dump_checksum(checksum: Checksum | None) -> str | None:
    """`CRC32:FULL_OBJECT:value`; a value is base64, so it holds no colon."""
    return f"{checksum.algorithm}:{checksum.type}:{checksum.value}" if checksum else None


def load_checksum(text: str | None) -> Checksum | None:
    if text is None:
        return None
    algorithm, kind, value = text.split(":")
    return Checksum(algorithm, value, kind)  # type: ignore[arg-type]
