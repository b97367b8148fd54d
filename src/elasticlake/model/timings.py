"""Where an attempt's time went."""

from __future__ import annotations

from elasticlake.record import record


@record
class Timings:
    """Milliseconds of each step of an attempt, None for a step that did not take place or did not end.

    A kept connection has neither `dns_ms`, `connect_ms` nor `tls_ms`, an address in the URL no `dns_ms`, plain http no
    `tls_ms`. `connect_ms` is from the first address dialled to the connection. `first_byte_ms` is from the start of the
    exchange, when the connection was there, to the first byte of the answer.
    """

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
