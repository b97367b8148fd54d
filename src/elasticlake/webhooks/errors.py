"""Why a delivery is refused, or left for later. The tree, below `ElasticLakeError`::

WebhookVerificationError
├── InvalidSecret             the receiver's own secret is none
├── HeaderError               names the header
│   └── MissingHeader, RepeatedHeader, MalformedHeader
├── TimestampError
│   └── StaleTimestamp, FutureTimestamp
└── SignatureMismatch
InvalidPayload                what was verified is no event
BeingHandled                  somebody else is at it
"""

from __future__ import annotations

from elasticlake.errors import ElasticLakeError


class WebhookVerificationError(ElasticLakeError):
    """What came is not proven to be a delivery of now; `str(error)` says why, and holds no secret."""

    message = "The delivery cannot be verified."


class InvalidSecret(WebhookVerificationError):
    """No secret was given, or one that cannot sign: the receiver is set up wrong."""

    message = "A receiver needs a secret."


class HeaderError(WebhookVerificationError):
    """A header that the signature needs is not as it must be; `name` is the header's."""

    predicate = "is wrong"

    def __init__(self, name: str, predicate: str | None = None) -> None:
        super().__init__(f"The header {name} {predicate or self.predicate}.")
        self.name = name


class MissingHeader(HeaderError):
    """The header is not there."""

    predicate = "is missing"


class RepeatedHeader(HeaderError):
    """The header is there more than once, so nobody knows which of them counts."""

    predicate = "is there more than once"


class MalformedHeader(HeaderError):
    """The header is there, and can be no sender's."""

    predicate = "is malformed"


class TimestampError(WebhookVerificationError):
    """The attempt was not made just now; `age_seconds` is how long ago, negative for the future."""

    message = "The delivery is not of now."

    def __init__(self, age_seconds: float = 0) -> None:
        super().__init__(self.message)
        self.age_seconds = age_seconds


class StaleTimestamp(TimestampError):
    """The attempt is too old: somebody may be sending it again."""

    message = "The delivery is too old."


class FutureTimestamp(TimestampError):
    """The attempt is of the future: one of the two clocks is wrong."""

    message = "The delivery is of the future."


class SignatureMismatch(WebhookVerificationError):
    """No signature is by any of the secrets over just this body: a wrong secret, or changed bytes."""

    message = "No signature matches: the secret is another, or the body is not the one that was signed."


class InvalidPayload(ElasticLakeError):
    """The body is no event in any of the envelopes."""

    message = "The body is no event."


class BeingHandled(ElasticLakeError):
    """Another process or thread is handling the event; it is to be sent again later."""

    message = "The event is being handled already."
