"""How long the steps of an attempt took."""

from __future__ import annotations

from elasticlake.record import record


@record
class Timings:
    """Milliseconds; None for a step that was not taken (a kept connection needs no address) or not ended."""

    dns_ms: float | None
    """Until the endpoint's name had an address."""
    connect_ms: float | None
    """From there until an address took the connection."""
    tls_ms: float | None
    """From there until the connection was trusted."""
    first_byte_ms: float | None
    """From when the request began to be sent until the answer's first byte."""
