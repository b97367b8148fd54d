"""`elasticlake webhook`: headers, certificates, and the rotation of a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer

CREATE = ["webhook", "create", "--endpoint", "https://a.test/", "--event", "object:created", "--bucket", "b"]
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_create_with_headers_and_certificates(run: Run, server: RestServer, tmp_path: Path) -> None:
    for name in ("cert", "key", "ca"):
        (tmp_path / name).write_text(name)
    files = ["--client-cert", tmp_path / "cert", "--client-key", tmp_path / "key", "--ca", tmp_path / "ca"]
    made = run(*CREATE, "--header", "Authorization: Bearer a:b", "--header", "X-Key:k", *map(str, files))
    assert made.exit_code == 0, made.stderr
    (body,) = server.bodies("POST")
    assert body is not None
    assert {name: body[name] for name in body if name not in ("bucket", "endpoint", "events")} == {
        "headers": {"Authorization": "Bearer a:b", "X-Key": "k"},
        "clientCertificate": "cert",
        "clientKey": "key",
        "certificateAuthority": "ca",
    }


def test_what_is_not_named_is_not_sent(run: Run, server: RestServer) -> None:
    run(*CREATE)
    assert server.bodies("POST") == [{"bucket": "b", "endpoint": "https://a.test/", "events": ["object:created"]}]


def test_update_takes_away_what_is_named_empty(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1")
    run("webhook", "update", "wh_1", "--header", "")
    run("webhook", "update", "wh_1", "--client-cert", "")
    run("webhook", "update", "wh_1", "--ca", "")
    assert server.bodies("PATCH") == [
        {"headers": None},
        {"clientCertificate": None, "clientKey": None},
        {"certificateAuthority": None},
    ]


@pytest.mark.parametrize("header", ["Authorization", ":x", " : x"])
def test_a_header_has_a_name_and_a_value(run: Run, server: RestServer, header: str) -> None:
    result = run(*CREATE, "--header", header)
    assert result.exit_code == 2
    assert "Write it as NAME:VALUE." in result.stderr
    assert server.calls == []


def test_a_file_that_is_not_there(run: Run, server: RestServer, tmp_path: Path) -> None:
    result = run(*CREATE, "--ca", str(tmp_path / "ca.pem"))
    assert (result.exit_code, result.stderr) == (
        1,
        f"elasticlake: cannot read {tmp_path}/ca.pem: No such file or directory\n",
    )
    assert server.calls == []


def test_show_has_certificates_line_by_line(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1", clientCertificate=PEM, certificateAuthority=None, headers={"X-Key": "***"})
    lines = run("webhook", "show", "wh_1").stdout.splitlines()
    assert lines[-4:] == ["client certificate", *(f"  {line}" for line in PEM.splitlines())]
    assert any(line.split(None, 1) == ["headers", "x-key: ***"] for line in lines)


def test_rotate_and_promote(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1")
    rotated = {"id": "wh_1", "secret": "whsec_abc", "overlapEndsAt": "2026-01-03T03:04:05.678Z"}
    server.refusals["/v1/webhooks/wh_1/rotate"] = (200, rotated)
    server.refusals["/v1/webhooks/wh_1/promote"] = (200, {"id": "wh_1", "overlapEndsAt": None})
    shown = run("webhook", "rotate", "wh_1")
    assert "whsec_abc" in shown.stdout
    assert shown.stderr == "Keep the secret now: it is not shown again.\n"
    run("webhook", "rotate", "wh_1", "--secret", "own", "--overlap", "60")
    assert run("webhook", "promote", "wh_1").exit_code == 0
    assert server.bodies("POST") == [{}, {"secret": "own", "overlapSeconds": 60}, None]
