"""Which answers are meant: `404`, or `5xx` for a whole class."""

from __future__ import annotations

import re

from elasticlake.errors import InvalidInput

STATUS_CODES = re.compile("^[1-5]([0-9][0-9]|xx)$", re.ASCII)


def parse_status_codes(text: str) -> tuple[int, int]:
    """The least and the greatest status code that `text` means; raises `InvalidInput`."""
    if not STATUS_CODES.fullmatch(text):
        raise InvalidInput("statusCode", "Write 404, or 5xx for all of these.")
    return int(text.replace("x", "0")), int(text.replace("x", "9"))
