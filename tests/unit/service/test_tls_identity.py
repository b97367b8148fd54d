"""Client certificates and authorities, as they are checked when they are given."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from tests.certificates import Authority

from elasticlake.errors import InvalidWebhook
from elasticlake.model.webhooks import Sealed
from elasticlake.service.tls_identity import MAX_PEM_BYTES, client_context, require_tls

AUTHORITY = Authority()
CLIENT, OTHER = AUTHORITY.issue("client"), AUTHORITY.issue("other")
WHOLE = Sealed(
    client_certificate=CLIENT.certificate, client_key=CLIENT.key, certificate_authority=AUTHORITY.certificate
)
LOCKED = (
    load_pem_private_key(CLIENT.key.encode(), None)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    .decode()
)
EMPTY = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


@pytest.mark.parametrize(
    "identity",
    [
        Sealed(),
        WHOLE,
        replace(WHOLE, certificate_authority=None),
        Sealed(certificate_authority=AUTHORITY.certificate + Authority("second").certificate),
        Sealed(certificate_authority=f"Bündel:\n{AUTHORITY.certificate}"),
        replace(WHOLE, client_certificate=CLIENT.certificate + AUTHORITY.certificate),
    ],
)
def test_good_ones(identity: Sealed) -> None:
    require_tls(identity)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_key": None}, "clientKey"),
        ({"client_certificate": None}, "clientCertificate"),
        ({"client_key": OTHER.key}, "clientKey"),
        ({"client_key": "***"}, "clientKey"),
        ({"client_key": LOCKED}, "clientKey"),
        ({"client_key": CLIENT.certificate}, "clientKey"),
        ({"client_certificate": AUTHORITY.certificate + CLIENT.certificate}, "clientKey"),
        ({"client_certificate": CLIENT.key}, "clientCertificate"),
        ({"client_certificate": CLIENT.certificate[:-100]}, "clientCertificate"),
        ({"client_certificate": ""}, "clientCertificate"),
        ({"client_certificate": " " * (MAX_PEM_BYTES + 1)}, "clientCertificate"),
        ({"certificate_authority": ""}, "certificateAuthority"),
        ({"certificate_authority": EMPTY}, "certificateAuthority"),
    ],
)
def test_a_bad_part_is_named(changes: dict[str, str | None], field: str) -> None:
    with pytest.raises(InvalidWebhook) as caught:
        require_tls(replace(WHOLE, **changes))  # type: ignore[arg-type]
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_trust_is_in_the_authority_alone() -> None:
    context = client_context(WHOLE)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert [dict(pair[0] for pair in found["subject"]) for found in context.get_ca_certs()] == [
        {"commonName": "Test authority"}
    ]
    assert client_context(replace(WHOLE, certificate_authority=None)).cert_store_stats()["x509_ca"] > 1


def test_the_key_is_in_no_file_in_the_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    real = ssl.SSLContext.load_cert_chain

    def watching(context: ssl.SSLContext, file: str, password: bytes) -> None:
        written.append(Path(file).read_text())
        real(context, file, password=password)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watching)
    client_context(WHOLE)
    assert CLIENT.certificate in written[0]
    assert "BEGIN ENCRYPTED PRIVATE KEY" in written[0]
    assert "".join(CLIENT.key.splitlines()[1:-1])[:40] not in written[0].replace("\n", "")
    assert list(tmp_path.iterdir()) == []
