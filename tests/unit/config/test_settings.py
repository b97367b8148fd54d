"""Options, variables and the file: which wins, what lists look like, and what is refused."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from elasticlake.config.settings import Address, Settings, load_settings, parse_address


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the variables that a test sets."""
    for name in list(os.environ):
        if name.startswith("ELASTICLAKE_"):
            monkeypatch.delenv(name)


def toml(folder: Path, text: str) -> Path:
    path = folder / "elasticlake.toml"
    path.write_text(text)
    return path


def test_options_before_variables_before_the_file_before_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings({}).workers == 1
    path = toml(tmp_path, 'workers = 2\nhistory_days = 2\nlog_level = "error"\n')
    monkeypatch.setenv("ELASTICLAKE_WORKERS", "3")
    monkeypatch.setenv("ELASTICLAKE_HISTORY_DAYS", "3")
    settings = load_settings({"workers": 4, "history_days": None}, path)
    assert (settings.workers, settings.history_days, settings.log_level) == (4, 3, "error")


def test_an_option_that_was_not_given_overrides_nothing(tmp_path: Path) -> None:
    path = toml(tmp_path, 'domain = ["s3.test"]\nhistory = false\n')
    settings = load_settings({"domain": [], "history": None}, path)
    assert (settings.domain, settings.history) == (("s3.test",), False)


def test_lists_in_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ("10.0.0.0/8", "fd00::/8")
    assert load_settings({"egress_allow": list(expected)}).egress_allow == expected
    assert load_settings({}, toml(tmp_path, 'egress_allow = ["10.0.0.0/8", "fd00::/8"]')).egress_allow == expected
    for text in ("10.0.0.0/8,fd00::/8", " 10.0.0.0/8 , fd00::/8,"):
        monkeypatch.setenv("ELASTICLAKE_EGRESS_ALLOW", text)
        assert load_settings({}).egress_allow == expected
    monkeypatch.setenv("ELASTICLAKE_EGRESS_ALLOW", "")
    assert load_settings({}).egress_allow == ()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("workers", 0),
        ("workers", 65),
        ("workers", "many"),
        ("listen", "nowhere"),
        ("listen", ":9000"),
        ("listen", "127.0.0.1:65536"),
        ("listen", "127.0.0.1:-1"),
        ("listen", "127.0.0.1:"),
        ("egress_allow", ["10.0.0.0/33"]),
        ("egress_allow", "everywhere"),
        ("trusted_proxy", ["proxy.local"]),
        ("min_free_space", "much"),
        ("history_days", 0),
        ("blob_grace_seconds", -1),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("metadata", "mysql://host/database"),
        ("metadata", "postgresql://user:pass@word@host/name"),
        ("unknown", "x"),
    ],
)
def test_a_bad_value_names_its_option(option: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        load_settings({option: value})
    assert refused.value.errors()[0]["loc"][0] == option


def test_a_bad_variable_or_line_names_its_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as refused:
        load_settings({}, toml(tmp_path, "wrkers = 2\n"))
    assert refused.value.errors()[0]["loc"] == ("wrkers",)
    monkeypatch.setenv("ELASTICLAKE_WORKERS", "some")
    with pytest.raises(ValidationError) as refused:
        load_settings({})
    assert refused.value.errors()[0]["loc"] == ("workers",)


@pytest.mark.parametrize("given", ["tls_cert", "tls_key"])
def test_a_certificate_and_its_key_go_together(given: str) -> None:
    with pytest.raises(ValidationError, match="go together"):
        load_settings({given: "file.pem"})
    assert load_settings({"tls_cert": "a", "tls_key": "b"}).tls_key == Path("b")


def test_two_master_keys_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings({"master_key_file": "file"}).master_key_file == Path("file")
    monkeypatch.setenv("ELASTICLAKE_MASTER_KEY", "key")
    with pytest.raises(ValidationError, match="--master-key-file and ELASTICLAKE_MASTER_KEY"):
        load_settings({"master_key_file": "file"})


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load_settings({}).workers = 2


def test_domains_are_compared_in_lower_case() -> None:
    assert load_settings({"domain": ["S3.Test"]}).domain == ("s3.test",)


def test_sizes_are_written_as_people_do() -> None:
    assert load_settings({"min_free_space": "1GiB"}).min_free_space == 1024**3
    assert load_settings({"min_free_space": "5"}).min_free_space == 5


SECRETS = ("master_key", "root_secret_key", "api_token", "dashboard_password")


def test_secrets_are_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(f"ELASTICLAKE_{name.upper()}", f"the-{name}-itself")
    settings = load_settings({})
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    for name in SECRETS:
        assert f"the-{name}-itself" not in shown
        assert getattr(settings, name).get_secret_value() == f"the-{name}-itself"


def test_every_option_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9000", Address("127.0.0.1", 9000)),
        ("localhost:0", Address("localhost", 0)),
        ("[::1]:9000", Address("::1", 9000)),
        ("0.0.0.0:65535", Address("0.0.0.0", 65535)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert load_settings({"listen": text}).address == address


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"listen": "127.0.0.1:9000"}, True),
        ({"listen": "127.8.9.1:9000"}, True),
        ({"listen": "[::1]:9000"}, True),
        ({"listen": "localhost:9000"}, True),
        ({"listen": "0.0.0.0:9000"}, False),
        ({"listen": "[::]:9000"}, False),
        ({"listen": "10.0.0.1:9000"}, False),
        ({"listen": "localhost.example.com:9000"}, False),
        ({"public_url": "https://s3.example.com"}, False),
        ({"trusted_proxy": ["127.0.0.1/32"]}, False),
    ],
)
def test_whose_server_it_is(options: dict[str, Any], expected: bool) -> None:
    settings = load_settings(options)
    assert settings.is_developers is expected
    assert settings.egress_policy(9000).developer is expected


def test_the_egress_policy_is_what_the_operator_allows() -> None:
    policy = load_settings({"egress_allow": ["10.0.0.1/8"], "egress_http": True}).egress_policy(9001)
    assert policy.allow == (ipaddress.ip_network("10.0.0.0/8"),)
    assert policy.allow_http is True
    assert policy.own_ports == frozenset({9001})


@pytest.mark.parametrize("path", ["{data}", "{data}/metadata.db", "/{data}"])
def test_the_embedded_default_may_be_written_out(tmp_path: Path, path: str) -> None:
    data = tmp_path / "data"
    blobs = f"file://{data}/blobs"
    settings = load_settings({"data": data, "metadata": f"sqlite://{path.format(data=data)}", "blobs": blobs})
    assert (settings.metadata, settings.blobs) == (None, None)


@pytest.mark.parametrize("option", [{"metadata": "sqlite:///elsewhere/metadata.db"}, {"blobs": "file:///elsewhere"}])
def test_what_is_embedded_lies_in_the_data_folder(tmp_path: Path, option: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="name that with --data"):
        load_settings({"data": tmp_path, **option})


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "http://127.0.0.1:9001"),
        ({"listen": "0.0.0.0:0"}, "http://127.0.0.1:9001"),
        ({"listen": "[::]:9000"}, "http://[::1]:9001"),
        ({"listen": "lake.internal:0", "tls_cert": "c.pem", "tls_key": "k.pem"}, "https://lake.internal:9001"),
    ],
)
def test_how_this_machine_reaches_the_server(options: dict[str, Any], url: str) -> None:
    assert load_settings(options).local_url(9001) == url
