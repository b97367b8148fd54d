"""What the API takes as a value: types whose schemas say which limits the services keep, and in their own words."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from elasticlake.api.documents import Text
from elasticlake.model.custom_headers import MAX_HEADERS, MAX_VALUE_BYTES
from elasticlake.model.endpoint import MAX_URL_CHARACTERS
from elasticlake.model.filters import MAX_ALTERNATIVE_BYTES, MAX_ALTERNATIVES
from elasticlake.model.rotation import MAX_OVERLAP_SECONDS
from elasticlake.model.rules import (
    MAX_BATCH_EVENTS,
    MAX_BATCH_WAIT_MS,
    MAX_CONCURRENCY,
    MAX_RATE,
    MAX_URL_SECONDS,
    MIN_URL_SECONDS,
)
from elasticlake.model.schedule import MAX_STEP_SECONDS, MAX_STEPS
from elasticlake.model.webhooks import SUBSCRIBABLE
from elasticlake.service.accounts import MAX_LISTED
from elasticlake.service.explanations import MAX_EVENTS
from elasticlake.service.tokens import MAX_ACCOUNTS
from elasticlake.service.webhook_definitions import MAX_NAME_CHARACTERS
from elasticlake.signing import MAX_SECRET_BYTES

T = TypeVar("T")
MAX_INTEGER = 2**63 - 1
_SLUG = "[a-z0-9]+(?:-[a-z0-9]+)*"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_NOT_RESERVED = (
    "(?!xn--|sthree-|amzn-s3-demo-)(?!.*(?:-s3alias|--ol-s3|[.]mrap|--x-s3|--table-s3)$)"
    rf"(?!.*(?:[.][.]|[.]-|-[.]))(?!{_OCTET}(?:[.]{_OCTET}){{3}}$)(?!default--default--{_SLUG}$)"
)
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_URL = (
    rf"^[Hh][Tt][Tt][Pp][Ss]?://(?:\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:[.]{_LABEL})*[.]?)(?::[0-9]{{0,5}})?"
    r"(?:[/?][!-\"$-\[\]-~]*)?$"
)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _told(**schema: Any) -> Any:
    """A limit that the schema tells of, and a service keeps."""
    return Field(json_schema_extra=schema)


def _require_rfc3339(value: object) -> object:
    # The validating library takes more than the format date-time has: numbers, spaces, dates alone.
    if not isinstance(value, str) or _RFC3339.fullmatch(value) is None:
        raise PydanticCustomError("datetime_form", "This is no time of RFC 3339")
    return value


def _whole(value: object) -> object:
    # To JSON Schema 6.0 is a whole number, and to many a library that writes JSON.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
Bytes = Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER, description="Bytes."), BeforeValidator(_whole)]
Sequence = Annotated[int, Field(strict=True, ge=1, le=MAX_INTEGER), BeforeValidator(_whole)]
EventCount = Annotated[int, Field(strict=True, ge=1, le=MAX_EVENTS), BeforeValidator(_whole)]
Moment = Annotated[AwareDatetime, BeforeValidator(_require_rfc3339)]

Slug = Annotated[Text, _told(minLength=1, maxLength=57, pattern=f"^{_SLUG}$")]
SlugText = Annotated[Text, _told(pattern=f"^{_SLUG}$")]
"""A slug that is only looked for."""
PondName = Annotated[Text, _told(pattern=f"^{_SLUG}--{_SLUG}$")]
BucketText = Annotated[
    Text, _told(minLength=3, maxLength=63, pattern=f"^{_NOT_RESERVED}[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]$")
]
DisplayName = Annotated[Text, _told(minLength=1, maxLength=200, format="printable")]
Email = Annotated[Text, _told(maxLength=254, format="email")]
AccountName = Annotated[Text, _told(minLength=1, maxLength=64, pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
AccountNames = Annotated[list[AccountName], _told(minItems=1, maxItems=MAX_ACCOUNTS)]
Listed = Annotated[list[T], _told(maxItems=MAX_LISTED)]
KeyName = Annotated[Text, _told(minLength=3, maxLength=128, pattern="^[A-Za-z0-9._-]{3,128}$")]
KeySecret = Annotated[Text, _told(minLength=8, maxLength=128, pattern="^[ -~]{8,128}$", format="password")]

WebhookName = Annotated[Text, _told(maxLength=MAX_NAME_CHARACTERS, format="printable")]
EndpointUrl = Annotated[Text, _told(maxLength=MAX_URL_CHARACTERS, format="uri", pattern=_URL)]
Subscribed = Annotated[list[Annotated[Text, _told(enum=list(SUBSCRIBABLE))]], _told(minItems=1)]
Secret = Annotated[Text, _told(minLength=1, maxLength=MAX_SECRET_BYTES, format="password")]
Step = Annotated[float, Field(strict=True, allow_inf_nan=False), _told(exclusiveMinimum=0, maximum=MAX_STEP_SECONDS)]
Schedule = Annotated[list[Step], _told(maxItems=MAX_STEPS)]
Timeout = Annotated[float, Field(strict=True, allow_inf_nan=False), _told(minimum=1, maximum=30)]
Rate = Annotated[float, Field(strict=True, allow_inf_nan=False), _told(minimum=0.01, maximum=MAX_RATE)]
Concurrency = Annotated[Whole, _told(minimum=1, maximum=MAX_CONCURRENCY)]
LinkSeconds = Annotated[Whole, _told(minimum=MIN_URL_SECONDS, maximum=MAX_URL_SECONDS)]
BatchEvents = Annotated[Whole, _told(minimum=1, maximum=MAX_BATCH_EVENTS)]
BatchWait = Annotated[Whole, _told(minimum=0, maximum=MAX_BATCH_WAIT_MS)]
Overlap = Annotated[Whole, _told(minimum=0, maximum=MAX_OVERLAP_SECONDS)]
Expression = Annotated[Text, _told(minLength=1, format="cel")]
Pem = Annotated[Text, _told(format="pem")]
HeaderValues = Annotated[
    dict[Text, Text],
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": MAX_HEADERS,
            "propertyNames": {"maxLength": 128, "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"},
            "additionalProperties": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_VALUE_BYTES,
                "pattern": "^[!-~](?:[ -~]*[!-~])?$",
            },
        }
    ),
]

Alternative = Annotated[Text, _told(minLength=1, maxLength=MAX_ALTERNATIVE_BYTES)]
Alternatives = Annotated[list[Alternative], _told(maxItems=MAX_ALTERNATIVES)]
MediaTypes = Annotated[
    list[Annotated[Alternative, _told(pattern="^[A-Za-z0-9!#$%&'+.^_`|~-]+/(?:[*]|[A-Za-z0-9!#$%&'+.^_`|~-]+)$")]],
    _told(maxItems=MAX_ALTERNATIVES),
]
Pairs = Annotated[
    dict[Alternative, Annotated[Text, _told(maxLength=MAX_ALTERNATIVE_BYTES)]], _told(maxProperties=MAX_ALTERNATIVES)
]
