"""The root credentials: given, or made once and kept."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from elasticlake.config.credentials import (
    FILE_NAME,
    CredentialsError,
    RootCredentials,
    load_credentials,
    read_credentials,
    write_credentials,
)
from elasticlake.config.settings import Settings, load_settings

NAMES = ["accessKeyId", "secretAccessKey", "apiToken", "dashboardPassword"]
GIVEN = {
    "root_access_key": "GIVENKEY",
    "root_secret_key": "given-secret",
    "api_token": "given-token",
    "dashboard_password": "given-password",
}


def settings(folder: Path, **options: Any) -> Settings:
    return load_settings({"data": folder, **options})


def load(given: Settings) -> tuple[RootCredentials, frozenset[str]]:
    """What a server uses whose credentials are kept in its folder."""
    return load_credentials(given, read_credentials(given.data), partial(write_credentials, given.data))


def values(credentials: RootCredentials) -> list[str]:
    return [
        credentials.access_key_id, credentials.secret, credentials.api_token, credentials.dashboard_password
    ]  # fmt: skip


def test_they_are_made_once_and_kept_for_their_owner_alone(tmp_path: Path) -> None:
    made, is_new = load(settings(tmp_path))
    path = tmp_path / FILE_NAME
    assert is_new == {"accessKeyId", "secretAccessKey", "apiToken", "dashboardPassword"}
    assert path.stat().st_mode & 0o777 == 0o600
    kept = json.loads(path.read_text())
    assert list(kept) == NAMES
    assert list(kept.values()) == values(made)
    assert len(set(values(made))) == 4
    again, is_new = load(settings(tmp_path))
    assert (again, is_new) == (made, frozenset())
    assert list(tmp_path.iterdir()) == [path]


def test_two_servers_have_different_ones(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(load(settings(tmp_path / name))[0])
    assert not set(values(made[0])) & set(values(made[1]))


def test_given_ones_are_used_and_not_written_down(tmp_path: Path) -> None:
    used, is_new = load(settings(tmp_path, **GIVEN))
    assert (values(used), is_new) == (list(GIVEN.values()), frozenset())
    assert list(tmp_path.iterdir()) == []


def test_variables_override_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = load(settings(tmp_path))
    before = (tmp_path / FILE_NAME).read_text()
    monkeypatch.setenv("ELASTICLAKE_API_TOKEN", "given-token")
    used, is_new = load(settings(tmp_path))
    assert (used.api_token, used.secret, is_new) == ("given-token", made.secret, frozenset())
    assert (tmp_path / FILE_NAME).read_text() == before


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(json.dumps({"accessKeyId": "KEPT"}))
    used, is_new = load(settings(tmp_path, api_token="given-token"))
    assert (used.access_key_id, used.api_token, "apiToken" in is_new) == ("KEPT", "given-token", False)
    assert set(json.loads((tmp_path / FILE_NAME).read_text())) == set(NAMES) - {"apiToken"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"text"', b'{"accessKeyId": 1}', b'{"accessKeyId": ""}', b"\xff\xfe\x00"]
)
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(CredentialsError, match="damaged"):
        load(settings(tmp_path))
    assert path.read_bytes() == content


def test_what_another_node_made_first_is_used(tmp_path: Path) -> None:
    theirs = dict(zip(NAMES, ("THEIRKEY", "their-secret", "their-token", "their-password"), strict=True))
    used, is_new = load_credentials(settings(tmp_path), {}, lambda made: theirs)
    assert values(used) == list(theirs.values())
    assert is_new == frozenset(NAMES)


def test_no_secret_is_in_their_representation(tmp_path: Path) -> None:
    made, _ = load(settings(tmp_path))
    shown = f"{made!r} {made}"
    assert made.access_key_id in shown
    for secret in values(made)[1:]:
        assert secret not in shown
