"""What is confidential of a webhook, as the API takes and shows it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from elasticlake.api.documents import Body, Document, Timestamp, optional_timestamp
from elasticlake.api.values import HeaderValues, Pem
from elasticlake.model.webhooks import Sealed, Webhook

_PEM = "PEM. Null takes it away."


class SecrecyBody(Body):
    """Stored encrypted; values of headers and the key are never shown again."""

    headers: HeaderValues | None = Field(
        default=None,
        examples=[{"Authorization": "Bearer 0123456789"}],
        description="Headers to send with every attempt, beside ours: at most 20, of at most 1 KiB each. In a change,"
        " `***` keeps the value that a header has.",
    )
    client_certificate: Pem | None = Field(default=None, description=f"Shown to an endpoint that asks for one. {_PEM}")
    client_key: Pem | None = Field(default=None, description=f"The client certificate's private key. {_PEM}")
    certificate_authority: Pem | None = Field(
        default=None, description=f"Who signs the endpoint's certificate, instead of the public authorities. {_PEM}"
    )

    def given_sealed(self) -> dict[str, Any]:
        """The fields of `Sealed` that the body sets."""
        given = {name: getattr(self, name) for name in self.model_fields_set & SecrecyBody.model_fields.keys()}
        return given | ({"headers": given["headers"] or {}} if "headers" in given else {})


class SecrecyDocument(Document):
    """What may be shown of it: a header's value and the key as `***`."""

    headers: dict[str, str]
    client_certificate: str | None
    client_key: str | None
    certificate_authority: str | None
    overlap_ends_at: Timestamp | None = Field(description="Until when a secret and its successor both sign.")


def secrecy_members(webhook: Webhook) -> dict[str, Any]:
    """The members of a `SecrecyDocument`."""
    sealed: Sealed = webhook.sealed
    return {
        "headers": dict(sealed.headers),
        "client_certificate": sealed.client_certificate,
        "client_key": sealed.client_key,
        "certificate_authority": sealed.certificate_authority,
        "overlap_ends_at": optional_timestamp(webhook.overlap_ends_at_ms),
    }
