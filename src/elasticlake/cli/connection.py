"""Which server a command talks to, and with which token."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from elasticlake.cli.errors import UNAUTHORIZED_HINT, usage

DEFAULT_URL = "http://127.0.0.1:9000"
CREDENTIALS_FILE = Path("data/credentials.json")


@dataclass(frozen=True, slots=True)
class Connection:
    """A server's base URL (no trailing slash) and the token as it was given ("" for none)."""

    url: str
    given_token: str = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine's loopback."""
        return is_loopback(urlsplit(self.url).hostname or "")

    def token(self) -> str:
        """The token to send: the one given, or that of a server which keeps its data here; raises a usage failure.

        The file's token is the local server's secret, so it is never sent to another machine.
        """
        token = self.given_token
        if not token and self.is_local:
            token = token_of_credentials_file(CREDENTIALS_FILE)
        if not token.isascii() or not token.isprintable() or " " in token:
            raise usage("the token has characters that no token has")
        return token


def connection(url: str, token: str) -> Connection:
    """The connection that options or environment describe; raises a usage failure for a URL that is none."""
    base = url.strip().rstrip("/").removesuffix("/v1")
    try:
        parts = urlsplit(base)
        is_server = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_server = is_server and not (parts.query or parts.fragment)
    except ValueError:  # a port that is no number, brackets that do not close
        is_server = False
    if not is_server:
        raise usage(f"{url!r} is not a server's URL: write it as {DEFAULT_URL}")
    return Connection(base, token.strip())


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address literal, is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def token_of_credentials_file(path: Path) -> str:
    """`apiToken` of the file that `elasticlake serve` writes, "" without it; raises a usage failure if it is broken."""
    try:
        document = json.loads(path.read_bytes())
        token = document["apiToken"]
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise usage(f"cannot read {path}: {error.strerror}; {UNAUTHORIZED_HINT}") from None
    except (ValueError, KeyError, TypeError):
        raise usage(f"{path} holds no apiToken; {UNAUTHORIZED_HINT}") from None
    return str(token)
