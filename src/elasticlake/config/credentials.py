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


Keep = Callable[[dict[str, str]], dict[str, str]]
"""Keeps credentials, by their names in the file; returns what is kept from now on."""


def load_credentials(settings: Settings, kept: dict[str, str], keep: Keep) -> tuple[RootCredentials, frozenset[str]]:
    """The credentials, and which of them were made just now (and given to `keep`), by their names in the file."""
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
        kept = keep(kept | made)
    used = [given[name] or kept[name] for name in makers]
    return RootCredentials(*used), frozenset(made)


def write_credentials(folder: Path, credentials: dict[str, str]) -> dict[str, str]:
    """Write the folder's credentials file, durably and for its owner alone; returns what was given."""
    write_private(folder / FILE_NAME, json.dumps(credentials, indent=2).encode() + b"\n")
    return credentials


def read_credentials(folder: Path) -> dict[str, str]:
    """What the folder's credentials file holds, nothing if there is none; raises `CredentialsError`."""
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    try:
        kept = json.loads(path.read_text())
        if isinstance(kept, dict) and all(isinstance(value, str) and value for value in kept.values()):
            return kept
    except ValueError:
        pass
    raise CredentialsError(f"{path} is damaged: it must be a JSON object of strings. Mend it or remove it.")
