from __future__ import annotations

import json
from pathlib import Path

import pytest

from elasticlake.cli.connection import connection, is_loopback, token_of_credentials_file
from elasticlake.cli.errors import CommandFailed, ExitCode


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("https://api.example.test/", "https://api.example.test"),
        ("https://api.example.test/v1/", "https://api.example.test"),
        (" http://[::1]:9000/storage ", "http://[::1]:9000/storage"),
    ],
)
def test_a_url_becomes_the_base_of_every_path(given: str, base: str) -> None:
    assert connection(given, "").url == base


@pytest.mark.parametrize(
    "given", ["", "127.0.0.1:9000", "ftp://host", "http://", "http://host:x", "http://[::1", "http://host/?a=b"]
)
def test_what_is_no_url_is_wrong_usage(given: str) -> None:
    with pytest.raises(CommandFailed, match="not a server's URL") as failure:
        connection(given, "")
    assert failure.value.exit_code is ExitCode.USAGE


def test_loopback_is_this_machine_alone() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "localhost", "::1"))
    assert not any(is_loopback(host) for host in ("10.0.0.1", "localhost.example.test", "0.0.0.0", ""))


def write_credentials(directory: Path, content: str) -> None:
    (directory / "data").mkdir()
    (directory / "data/credentials.json").write_text(content)


def test_the_local_server_s_token_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_credentials(tmp_path, json.dumps({"apiToken": "elt_file"}))
    assert connection("http://127.0.0.1:9000", "").token() == "elt_file"
    assert connection("http://localhost:9000", "elt_given").token() == "elt_given"


def test_the_local_server_s_token_never_goes_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_credentials(tmp_path, json.dumps({"apiToken": "elt_file"}))
    assert connection("https://api.example.test", "").token() == ""


@pytest.mark.parametrize("content", ["", "[]", "{}", "\x00"])
def test_a_broken_credentials_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    with pytest.raises(CommandFailed, match=r"credentials\.json holds no apiToken"):
        token_of_credentials_file(path)


def test_a_credentials_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="Is a directory"):
        token_of_credentials_file(tmp_path)


@pytest.mark.parametrize("token", ["tök", "a b", "a\nb"])
def test_a_token_that_no_header_can_carry_is_wrong_usage(token: str) -> None:
    with pytest.raises(CommandFailed, match="no token has"):
        connection("http://127.0.0.1:9000", token).token()


def test_the_token_is_not_in_the_repr() -> None:
    assert "elt_secret" not in repr(connection("http://127.0.0.1:9000", "elt_secret"))
