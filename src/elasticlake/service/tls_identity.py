"""How a webhook proves itself to its endpoint, and whom it trusts there: its own client certificate and authority."""

from __future__ import annotations

import secrets
import ssl
import tempfile
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from elasticlake.errors import InvalidWebhook

MAX_PEM_BYTES = 64 * 1024
_FAULTS = (ValueError, TypeError, UnsupportedAlgorithm)


class TlsIdentity(Protocol):
    """The three parts, in PEM; certificate and key go together. None is what everybody has."""

    @property
    def client_certificate(self) -> str | None: ...

    @property
    def client_key(self) -> str | None: ...

    @property
    def certificate_authority(self) -> str | None: ...


def require_tls(identity: TlsIdentity) -> None:
    """Raises `InvalidWebhook`, which names the part, unless everything parses and key and certificate belong
    together."""
    certificate, key = identity.client_certificate, identity.client_key
    if (certificate is None) != (key is None):
        missing = "clientCertificate" if certificate is None else "clientKey"
        raise InvalidWebhook(missing, "A client certificate and its key go together.")
    if identity.certificate_authority is not None:
        _certificates("certificateAuthority", identity.certificate_authority)
    if certificate is not None and key is not None:
        public = _certificates("clientCertificate", certificate)[0].public_key()
        plain = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if _private_key(key).public_key().public_bytes(*plain) != public.public_bytes(*plain):
            raise InvalidWebhook("clientKey", "This key does not belong to the (first) client certificate.")
    try:
        client_context(identity)
    except (ssl.SSLError, *_FAULTS) as error:
        where = "certificateAuthority" if certificate is None else "clientCertificate"
        raise InvalidWebhook(where, f"TLS cannot be spoken with it: {getattr(error, 'reason', error)}.") from None


def client_context(identity: TlsIdentity) -> ssl.SSLContext:
    """A context that trusts the identity's authority alone (the public ones if it has none), and shows its certificate.

    Takes some milliseconds. Raises `ssl.SSLError` where OpenSSL will not have it.
    """
    authority = identity.certificate_authority
    found = _certificates("certificateAuthority", authority) if authority is not None else []
    # Written anew: PEM may have remarks around it, which the module `ssl` does not take in every alphabet.
    context = ssl.create_default_context(cadata="".join(one.public_bytes(Encoding.PEM).decode() for one in found))
    if identity.client_certificate is not None and identity.client_key is not None:
        _load(context, identity.client_certificate, _private_key(identity.client_key))
    return context


def _load(context: ssl.SSLContext, certificate: str, key: PrivateKeyTypes) -> None:
    """The module `ssl` reads keys from files alone, so that file holds the key encrypted for this one reading (I8)."""
    password = secrets.token_bytes(32)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password))
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(certificate.encode() + b"\n" + sealed)
        file.flush()
        context.load_cert_chain(file.name, password=password)


def _certificates(field: str, pem: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_bounded(field, pem))
    except _FAULTS:
        raise InvalidWebhook(field, "This holds no certificate in PEM, or one that cannot be read.") from None


def _private_key(pem: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(_bounded("clientKey", pem), password=None)
    except _FAULTS:
        raise InvalidWebhook("clientKey", "This is no private key in PEM without a password.") from None


def _bounded(field: str, pem: str) -> bytes:
    encoded = pem.encode()
    if len(encoded) > MAX_PEM_BYTES:
        raise InvalidWebhook(field, f"It has at most {MAX_PEM_BYTES // 1024} KiB.")
    return encoded
