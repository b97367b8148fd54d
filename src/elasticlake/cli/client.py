"""The HTTP side: one request to the REST API, its answer's document, and the pages of a list."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from elasticlake import __version__
from elasticlake.cli.connection import Connection
from elasticlake.cli.errors import (
    CommandFailed,
    ExitCode,
    cannot_reach,
    lost_connection,
    no_valid_token,
    refusal,
    unexpected_answer,
    usage,
)

if TYPE_CHECKING:
    import httpx

Document = dict[str, Any]
Parameters = Mapping[str, str | int | float | None]

ANSWER_TIMEOUT_SECONDS = 30.0
LARGEST_PAGE = 100
# What a proxy answers, with a page of its own, while the server behind it is away.
BEHIND_A_PROXY = frozenset({502, 503, 504})
FOR_THE_MOMENT = BEHIND_A_PROXY | {429, 500}
EVENT_STREAM = "text/event-stream"
SILENT_SECONDS = 45.0
"""A stream says something every 15 s."""


def path(*segments: str) -> str:
    """The API's path of these segments, each quoted; raises a usage failure for a name that would change the path."""
    for segment in segments:
        if segment.strip() in ("", ".", ".."):
            raise usage(f"{segment!r} is no name")
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


def present(values: Parameters) -> dict[str, str | int | float]:
    """The values that were given: an option left out is not sent."""
    return {name: value for name, value in values.items() if value is not None}


class RestClient:
    """Speaks the REST API of one server. Every method raises `CommandFailed` with the line to show.

    `subject` is what a request is about, such as "webhook wh_1": a 404 says that this does not exist.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(
        self,
        path: str,
        subject: str = "",
        *,
        params: Parameters | None = None,
        wait_seconds: float = 0,
        auth: bool = True,
        also: int | None = None,
    ) -> Document:
        """The document at `path`; `wait_seconds` is how long the server may hold back its answer, `also` a status whose
        document is an answer, too."""
        return self._request("GET", path, subject, params=params, wait_seconds=wait_seconds, auth=auth, also=also)

    def post(
        self, path: str, subject: str = "", *, body: Document | None = None, params: Parameters | None = None,
        wait_seconds: float = 0,
    ) -> Document:  # fmt: skip
        return self._request("POST", path, subject, body=body, params=params, wait_seconds=wait_seconds)

    def patch(self, path: str, subject: str, body: Document) -> Document:
        return self._request("PATCH", path, subject, body=body)

    def delete(self, path: str, subject: str) -> None:
        self._request("DELETE", path, subject)

    def items(
        self, path: str, subject: str = "", *, params: Parameters | None = None, limit: int | None = None
    ) -> Iterator[Document]:
        """Every item of the list at `path`, page after page, at most `limit` of them."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            page_size = None if left is None else min(left, LARGEST_PAGE)
            page = self.get(path, subject, params={**(params or {}), "limit": page_size, "cursor": cursor})
            items = self._items_of(page)[:left]
            yield from items
            left = None if left is None else left - len(items)
            previous, cursor = cursor, page.get("nextCursor")
            if not cursor:
                return
            if cursor == previous:
                raise unexpected_answer(self._connection.url, "the same page again")

    def page(self, path: str, subject: str, params: Parameters, wait_seconds: float) -> list[Document]:
        """The items of one page alone, where the caller knows how to go on."""
        return self._items_of(self.get(path, subject, params=params, wait_seconds=wait_seconds))

    def _items_of(self, page: Document) -> list[Document]:
        items = page.get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise unexpected_answer(self._connection.url, "a list without items")
        return items

    def _request(
        self, method: str, path: str, subject: str, *, params: Parameters | None = None, body: Document | None = None,
        wait_seconds: float = 0, auth: bool = True, also: int | None = None,
    ) -> Document:  # fmt: skip
        with self._faults(ANSWER_TIMEOUT_SECONDS + wait_seconds):
            response = self._http.request(
                method,
                self._connection.url + path,
                params=present(params or {}),
                json=body,
                headers=self._authorization() if auth else {},
                timeout=ANSWER_TIMEOUT_SECONDS + wait_seconds,
            )
        if response.status_code == 204:
            return {}
        return self._document_of(response, subject, also)

    def stream(self, path: str, subject: str, params: Parameters, headers: Mapping[str, str]) -> Iterator[bytes]:
        """The pieces of an answer of Server-Sent Events, as they come. A server that cannot answer now, and one that is
        silent for longer than its pings allow, is one that cannot be reached."""
        import httpx

        headers = {**self._authorization(), "Accept": EVENT_STREAM, **headers}
        timeout = httpx.Timeout(ANSWER_TIMEOUT_SECONDS, read=SILENT_SECONDS)
        url = self._connection.url
        with (
            self._faults(SILENT_SECONDS),
            self._http.stream("GET", url + path, params=present(params), headers=headers, timeout=timeout) as response,
        ):
            if not response.headers.get("content-type", "").startswith(EVENT_STREAM):
                response.read()
                if response.status_code in FOR_THE_MOMENT:
                    raise CommandFailed(f"{url} cannot answer now ({response.status_code})", ExitCode.UNREACHABLE)
                self._document_of(response, subject, None)
                raise unexpected_answer(url, "without a stream")
            yield from response.iter_bytes()

    def _authorization(self) -> dict[str, str]:
        token = self._connection.token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    @contextmanager
    def _faults(self, patience_seconds: float) -> Iterator[None]:
        """What goes wrong on the way to the server, in a line."""
        import httpx  # 100 ms, which --help need not pay

        url = self._connection.url
        try:
            yield
        except httpx.ConnectError as error:
            raise cannot_reach(url, error) from None
        except httpx.TimeoutException:
            line = f"{url} did not answer within {patience_seconds:g} s"
            raise CommandFailed(line, ExitCode.UNREACHABLE) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise lost_connection(url, error) from None

    def _document_of(self, response: httpx.Response, subject: str, also: int | None) -> Document:
        try:
            document = response.json()
        except ValueError:
            document = None
        status = response.status_code
        if status in BEHIND_A_PROXY and document is None:
            raise refusal(status, {"detail": response.reason_phrase}, subject)
        if not isinstance(document, dict) or 300 <= status < 400:
            answer = f"{status} {response.reason_phrase}".rstrip()
            raise unexpected_answer(self._connection.url, f"{answer} without a document")
        if status == 401:
            raise no_valid_token(self._connection.url, sent="Authorization" in response.request.headers)
        if status >= 400 and status != also:
            raise refusal(status, document, subject)
        return document

    @functools.cached_property
    def _http(self) -> httpx.Client:
        import httpx

        try:
            return httpx.Client(
                headers={"User-Agent": f"elasticlake/{__version__}", "Accept": "application/json"},
                # A proxy from the environment cannot reach this machine's own loopback; SSL_CERT_FILE counts there too.
                trust_env=not self._connection.is_local,
                verify=httpx.create_ssl_context(trust_env=True),
            )
        except (OSError, ValueError, httpx.InvalidURL) as error:  # SSL_CERT_FILE, HTTPS_PROXY and their like
            raise usage(f"the environment's proxy or certificate settings do not work: {error}") from None
