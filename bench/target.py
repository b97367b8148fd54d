"""The S3 endpoint under load: where it is and who calls it."""

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Target:
    """An S3 endpoint, always addressed path-style (`/bucket/key`)."""

    host: str
    port: int
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    tls: bool = False

    @property
    def authority(self) -> str:
        """The Host header's value: the port is left out where it is the scheme's own (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}"

    def tls_context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context() if self.tls else None


def parse_target(url: str, access_key: str, secret_key: str, region: str = "us-east-1") -> Target:
    """Read `http[s]://host[:port]`. Raises ValueError for any other form: a path cannot be signed path-style."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"not an endpoint URL: {url!r} (expected http://host:port)")
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    return Target(parts.hostname, port, access_key, secret_key, region, tls)
