"""What of an object is indexed."""

from __future__ import annotations

MAX_BYTES = 1024 * 1024
"""Of a longer text only the beginning is."""


def text_of(content: bytes) -> str:
    """The text that the bytes are, as far as they are one."""
    return content.decode("utf-8", errors="replace")
