"""A receiver's answer as it arrives: parsed, bounded, believed in nothing that HTTP/1.1 does not say."""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

BODY_CAP_BYTES = 16 * 1024
HEADER_LINE_BYTES = 8 * 1024
HEADER_COUNT = 100
HEADERS_CAP_BYTES = 16 * 1024
ANSWER_CAP_BYTES = 1024 * 1024
"""Of everything that is read: heads, chunks' sizes and trailers are part of no body, but may be without an end."""
INFORMATIONAL_COUNT = 32

_BEGINNING = b"HTTP/"
_VERSIONS = frozenset({"1.0", "1.1"})
_STATUSES = range(100, 600)
_WITHOUT_BODY = frozenset({101, 204, 304})
_CONTENT_LENGTH, _TRANSFER_ENCODING = b"content-length", b"transfer-encoding"
# Most headers are told apart from these by their lengths alone.
_FRAMING = frozenset({len(_CONTENT_LENGTH), len(_TRANSFER_ENCODING)})
_LONG_LINE = f"a line of the answer's head is longer than {HEADER_LINE_BYTES // 1024} KiB"


class Answer:
    """What has come of one answer. Feed it what arrives until it `is_over`, then `stop` it.

    `status` is None until a final response's head is there, `body` keeps 16 KiB. The methods `on_…` are the parser's.
    """

    __slots__ = (
        "_fed_bytes",
        "_header_count",
        "_headers",
        "_informational_count",
        "_is_framed",
        "_keeps",
        "_left_bytes",
        "_line_bytes",
        "_parser",
        "_unheard_bytes",
        "body",
        "fault",
        "has_begun",
        "is_complete",
        "status",
    )

    def __init__(self) -> None:
        self.status: int | None = None
        self.body = bytearray()
        self.fault: str | None = None
        self.has_begun = False
        self.is_complete = False
        self._keeps = False
        self._informational_count = self._fed_bytes = self._line_bytes = self._unheard_bytes = 0
        self._begin_head()
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        # What receivers get wrong and everybody takes: a line's end without CR, odd characters in a header's value.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing more is wanted: it is complete, as far as it is kept, or it is no answer."""
        return self.is_complete or self.fault is not None

    @property
    def keeps_connection(self) -> bool:
        """Whether it ended where it said, nothing came behind it, and the receiver takes another request."""
        return self._keeps and self.fault is None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The final response's first headers, to 16 KiB, as text that any database and JSON can hold."""
        if self.status is None:
            return ()
        return tuple(
            [(name.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for name, value in self._headers]
        )

    def feed(self, data: bytes) -> None:
        """Take in what came."""
        if self._parser is None:
            return
        if self._fed_bytes < len(_BEGINNING):
            self._require_beginning(data)
        self.has_begun = True
        self._fed_bytes += len(data)
        self._unheard_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._keeps = False
        except HttpParserError as error:
            self._break(error)
        if self.status in _WITHOUT_BODY:
            self.is_complete = True
        if not self.is_over:
            self._bound(data)

    def end(self) -> None:
        """The receiver has closed, in order: a body without a length ends so (RFC 9112, section 6.3)."""
        if self.status is not None and self.fault is None and not self._is_framed:
            self.is_complete = True

    def stop(self) -> None:
        """Take in nothing more."""
        # The parser refers to us: without this, only the garbage collector would part us.
        self._parser = None

    def on_message_begin(self) -> None:
        if self.is_complete:
            self._keeps = False

    def on_status(self, reason: bytes) -> None:
        if self.status is None and len(reason) > HEADER_LINE_BYTES:
            self.refuse(_LONG_LINE)

    def on_chunk_header(self) -> None:
        self._unheard_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._unheard_bytes = 0
        if self.status is not None:
            return  # of a trailer, or of an answer that nobody asked for
        value = value.rstrip(b" \t")
        size = len(name) + len(value)
        self._header_count += 1
        self._left_bytes -= size
        if size > HEADER_LINE_BYTES:
            self.refuse(_LONG_LINE)
        elif self._header_count > HEADER_COUNT:
            self.refuse(f"the answer has more than {HEADER_COUNT} headers")
        elif b"\0" in value:
            self.refuse("a header of the answer has a null character")
        elif self._left_bytes >= 0:
            self._headers.append((name, value))
        if len(name) in _FRAMING:
            self._note_framing(name.lower(), value)

    def on_headers_complete(self) -> None:
        if self._parser is None or self.status is not None or self.fault is not None:
            return
        status = self._parser.get_status_code()
        if self._parser.get_http_version() not in _VERSIONS or status not in _STATUSES:
            self.refuse(f"the answer is not HTTP/1.1: version {self._parser.get_http_version()}, status {status}")
        elif 100 <= status < 200 and status != 101:
            self._pass_over()
        else:
            self.status = status

    def on_body(self, data: bytes) -> None:
        self._unheard_bytes = 0
        if self.status is None or self.is_complete or self.status in _WITHOUT_BODY:
            return
        self.body += data[: BODY_CAP_BYTES + 1 - len(self.body)]
        if len(self.body) > BODY_CAP_BYTES:
            # More comes, and nobody wants it.
            del self.body[BODY_CAP_BYTES:]
            self.is_complete = True

    def on_message_complete(self) -> None:
        if self._parser is not None and self.status is not None and not self.is_complete:
            self.is_complete = True
            self._keeps = self.status != 101 and self._parser.should_keep_alive()

    def _require_beginning(self, data: bytes) -> None:
        """The parser takes RTSP, too."""
        if not data.startswith(_BEGINNING[self._fed_bytes :][: len(data)]):
            self.refuse("the answer is not HTTP: it does not begin with HTTP/")

    def _begin_head(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._left_bytes = HEADERS_CAP_BYTES
        self._header_count = 0
        self._is_framed = False

    def _pass_over(self) -> None:
        """That was an informational response: another follows (RFC 9110, section 15.2)."""
        self._informational_count += 1
        if self._informational_count > INFORMATIONAL_COUNT:
            self.refuse(f"more than {INFORMATIONAL_COUNT} informational responses came before the answer")
        self._begin_head()

    def _note_framing(self, name: bytes, value: bytes) -> None:
        if name == _CONTENT_LENGTH or (name == _TRANSFER_ENCODING and b"chunked" in value.lower()):
            self._is_framed = True

    def _bound(self, data: bytes) -> None:
        """The parser keeps an unfinished line however long it becomes, and reads heads and framing without an end."""
        if self._fed_bytes > ANSWER_CAP_BYTES:
            self.refuse("the answer has no end within 1 MiB")
        elif self.status is None:
            last = data.rfind(b"\n")
            self._line_bytes = len(data) - last - 1 if last >= 0 else self._line_bytes + len(data)
            if self._line_bytes > HEADER_LINE_BYTES:
                self.refuse(_LONG_LINE)
        elif self._unheard_bytes > HEADER_LINE_BYTES + len(data):
            # Of a chunk's size or a trailer: the parser copies it again with each piece that comes.
            self.refuse(f"a line of the body's framing is longer than {HEADER_LINE_BYTES // 1024} KiB")

    def _break(self, error: HttpParserError) -> None:
        if self.is_complete:
            self._keeps = False
        elif self.status is None:
            self.refuse(f"the answer is not HTTP: {error}")
        else:
            self.refuse(f"the framing of the answer's body is broken: {error}")

    def refuse(self, fault: str) -> None:
        """It is no answer; the first fault is what counts."""
        self.fault = self.fault or fault
