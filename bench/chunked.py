"""Finding the end of a chunked response body (RFC 9112, 7.1), for servers that do not send a Content-Length."""


class ChunkScanner:
    """Fed with a body's bytes as they arrive, keeps the content and says when the last chunk has been read."""

    __slots__ = ("_rest", "content", "done")

    def __init__(self) -> None:
        self._rest = b""
        self.content = bytearray()
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take in the next bytes. Raises ValueError if a chunk's size is not hexadecimal."""
        self._rest += data
        while not self.done and self._take_chunk():
            pass

    def _take_chunk(self) -> bool:
        line_end = self._rest.find(b"\r\n")
        if line_end < 0:
            return False
        size = int(self._rest[:line_end].split(b";")[0], 16)
        if size == 0:
            return self._take_trailer(line_end)
        start = line_end + 2
        if len(self._rest) < start + size + 2:
            return False
        self.content += self._rest[start : start + size]
        self._rest = self._rest[start + size + 2 :]
        return True

    def _take_trailer(self, line_end: int) -> bool:
        # Without trailer fields the blank line follows the zero at once: search from the zero's own line end on.
        self.done = self._rest.find(b"\r\n\r\n", line_end) >= 0
        return False
