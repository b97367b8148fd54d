"""The root credentials: given by the operator, or made at the first start and kept in `credentials.json` (0600)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from elasticlake.config.master_key import write_private
from elasticlake.config.settings import Settings
from elasticlake.errors import ElasticLakeError
from elasticlake.model.ids import new_access_key_id, new_secret_access_key, new_token

FILE_NAME = "credentials.json"


@dataclass(frozen=True, slots=True)
class RootCredentials:
    """What opens everything."""

    access_key_id: str
    secret: str = field(repr=False)
    api_token: str = field(repr=False)
    dashboard_password: str = field(repr=False)


class CredentialsError(ElasticLakeError):
    """The credentials file cannot be used."""


def load_credentials(settings: Settings) -> tuple[RootCredentials, frozenset[str]]:
    """The credentials, and which of them were made just now (and written to the file), by their names there."""
    path = settings.data / FILE_NAME
    kept = _read(path)
    given = {
        "accessKeyId": settings.root_access_key,
        "secretAccessKey": settings.root_secret_key and settings.root_secret_key.get_secret_value(),
        "apiToken": settings.api_token and settings.api_token.get_secret_value(),
        "dashboardPassword": settings.dashboard_password and settings.dashboard_password.get_secret_value(),
    }
    makers: dict[str, Callable[[], str]] = {
        "accessKeyId": new_access_key_id,
        "secretAccessKey": new_secret_access_key,
        "apiToken": new_token,
        "dashboardPassword": lambda: secrets.token_urlsafe(12),
    }
    made = {name: make() for name, make in makers.items() if not given[name] and name not in kept}
    if made:
        kept |= made
        write_private(path, json.dumps(kept, indent=2).encode() + b"\n")
    used = [given[name] or kept[name] for name in makers]
    return RootCredentials(*used), frozenset(made)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        kept = json.loads(path.read_text())
        if isinstance(kept, dict) and all(isinstance(value, str) and value for value in kept.values()):
            return kept
    except ValueError:
        pass
    raise CredentialsError(f"{path} is damaged: it must be a JSON object of strings. Mend it or remove it.")
