"""TLS with a certificate of the operator's own."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import pytest
from botocore.exceptions import SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.integration.conftest import Spawn, s3_client
from tests.integration.server import elasticlake


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ElasticLake test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return cert_file, key_file


def test_boto3_over_tls(spawn: Spawn, tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    server = spawn("--tls-cert", str(cert), "--tls-key", str(key), scheme="https")
    server.start()
    s3 = s3_client(server, verify=str(cert))
    body = bytes(range(256)) * 4096 * 3
    s3.create_bucket(Bucket="sealed")
    s3.put_object(Bucket="sealed", Key="a", Body=body)
    assert s3.get_object(Bucket="sealed", Key="a")["Body"].read() == body
    assert s3.head_object(Bucket="sealed", Key="a")["ContentLength"] == len(body)
    health = elasticlake("health", "--json", ELASTICLAKE_URL=server.url, SSL_CERT_FILE=str(cert))
    assert health.returncode == 0, health.stderr
    with pytest.raises(SSLError):
        s3_client(server).list_buckets()


def test_a_key_that_is_not_the_certificates(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    cert, _ = make_certificate(tmp_path)
    _, other_key = make_certificate(tmp_path / "other")
    ran = elasticlake("serve", "--data", tmp_path / "data", "--tls-cert", cert, "--tls-key", other_key)
    assert ran.returncode == 1
    assert ran.stderr.startswith("elasticlake: TLS cannot be served with")
    assert ran.stderr.count("\n") == 1
