"""Where remote blobs are: a URL such as `s3://bucket/prefix?region=eu-central-1`, read before anything is dialled.

Secrets are no part of it, since URLs end up in logs and process lists. They come from the variables that the cloud's
own tools read (`AWS_ACCESS_KEY_ID`, `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_KEY`, …) or from the
machine's identity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from elasticlake.errors import InvalidInput

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "s3": ("endpoint", "region", "virtual_hosted"),
    "gs": ("endpoint",),
    "az": ("account", "endpoint"),
}
"""What each scheme's query may say.

`endpoint`: the service's base URL, for what is not the cloud's own. `region`: what requests are signed for.
`virtual_hosted`: true if the bucket's name goes into the host's. `account`: the storage account that holds the
container.
"""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}")
_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class RemoteLocation:
    """A bucket (or container) of an object store, and the prefix of ours in it; `prefix` has no slash at its ends."""

    scheme: str
    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    virtual_hosted: bool = False
    account: str | None = None

    @property
    def place(self) -> str:
        """The place itself, without how to reach it, which nodes may say differently."""
        return f"{self.scheme}://{self.bucket}/{self.prefix}"

    @classmethod
    def parse(cls, url: str) -> RemoteLocation:
        """Raises `InvalidInput` for anything that is not understood."""
        split = _split(url)
        values = _parameters(split)
        return cls(
            split.scheme,
            _bucket(split),
            _prefix(split.path),
            _endpoint(values.get("endpoint")),
            values.get("region"),
            _boolean("virtual_hosted", values.get("virtual_hosted", "false")),
            values.get("account"),
        )

    @property
    def is_plain_http(self) -> bool:
        """The endpoint is asked without TLS."""
        return self.endpoint is not None and self.endpoint.startswith("http://")

    @property
    def request_endpoint(self) -> str | None:
        """The base URL of the requests: with the bucket's name in it if it is virtual-hosted."""
        if self.endpoint is None or not self.virtual_hosted:
            return self.endpoint
        scheme, host = self.endpoint.split("://")
        return f"{scheme}://{self.bucket}.{host}"


def _split(url: str) -> SplitResult:
    try:
        split = urlsplit(url)
    except ValueError:
        raise _wrong("is not a URL") from None
    if split.scheme not in PARAMETERS:
        raise _wrong(f"begin with {' or '.join(f'{scheme}://' for scheme in PARAMETERS)}")
    if "@" in split.netloc:
        raise _wrong("carry no credentials in their URL: set the cloud's own variables, such as AWS_ACCESS_KEY_ID")
    if split.fragment:
        raise _wrong("take no #fragment in their URL")
    return split


def _bucket(split: SplitResult) -> str:
    if not _BUCKET.fullmatch(split.netloc):
        raise _wrong(f"need a bucket's name in their URL, as in {split.scheme}://bucket/prefix")
    return split.netloc


def _prefix(path: str) -> str:
    prefix = path.strip("/")
    if prefix and not all(_SEGMENT.fullmatch(segment) for segment in prefix.split("/")):
        raise _wrong(f"have the prefix {prefix!r}; it may have letters, digits, '.', '_', '-' and single slashes")
    return prefix


def _parameters(split: SplitResult) -> dict[str, str]:
    known = PARAMETERS[split.scheme]
    values: dict[str, str] = {}
    for name, value in parse_qsl(split.query, keep_blank_values=True):
        if name not in known:
            raise _wrong(f"have the unknown parameter {name!r}; {split.scheme}:// takes {', '.join(known)}")
        if name in values or not value:
            raise _wrong(f"need one value for the parameter {name!r}")
        values[name] = value
    return values


def _endpoint(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        split = urlsplit(value)
        valid = split.scheme in ("http", "https") and split.hostname and split.port != 0
    except ValueError:
        valid = False
    else:
        valid = valid and not (split.query or split.fragment or "@" in split.netloc)
    if not valid:
        raise _wrong("need an endpoint such as https://storage.example.com")
    return value.rstrip("/")


def _boolean(name: str, value: str) -> bool:
    if value not in _BOOLEANS:
        raise _wrong(f"need {name}=true or {name}=false")
    return _BOOLEANS[value]


def _wrong(message: str) -> InvalidInput:
    return InvalidInput("blobs", f"Blobs {message}.")
