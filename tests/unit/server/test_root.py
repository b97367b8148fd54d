"""The front door: who answers, and whose word about the client counts."""

from __future__ import annotations

from typing import Any

import pytest

from elasticlake.server.root import Root


class Door:
    """A root over three applications that only note that they were asked."""

    def __init__(self, domains: tuple[str, ...] = (), proxies: tuple[str, ...] = ()) -> None:
        self.asked: list[str] = []
        self.scope: dict[str, Any] = {}
        self.sent: list[dict[str, Any]] = []
        self.root = Root(self._named("s3"), self._named("api"), self._named("dashboard"), domains, proxies)

    def _named(self, name: str) -> Any:
        async def application(scope: dict[str, Any], _receive: Any, _send: Any) -> None:
            self.asked.append(name)
            self.scope = scope

        return application

    async def ask(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        client: tuple[str, int] | None = ("192.0.2.7", 5),
        kind: str = "http",
        method: str = "GET",
    ) -> str:
        """Who answered."""
        self.asked.clear()
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        scope = {
            "type": kind,
            "method": method,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": pairs,
            "scheme": "http",
            "client": client,
        }

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        await self.root(scope, None, send)
        return self.asked[0] if self.asked else "nobody"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1", "api"),
        ("/v1/", "api"),
        ("/v1/webhooks", "api"),
        ("/v1x/key", "s3"),
        ("/ui", "dashboard"),
        ("/ui/", "dashboard"),
        ("/ui/buckets/photos", "dashboard"),
        ("/uix/key", "s3"),
        ("/%75%69/", "s3"),
        ("/V1/webhooks", "s3"),
        ("/%76%31/webhooks", "s3"),
        ("//v1/webhooks", "s3"),
        ("/", "s3"),
        ("/bucket/v1/key", "s3"),
        ("*", "s3"),
    ],
)
async def test_paths(path: str, expected: str) -> None:
    assert await Door().ask(path) == expected


async def test_only_http_is_answered() -> None:
    assert await Door().ask("/v1", kind="websocket") == "nobody"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("bucket.s3.test", "s3"),
        ("bucket.s3.test:9000", "s3"),
        ("Bucket.S3.Test:9000", "s3"),
        ("lake--pond--b.s3.test", "s3"),
        ("s3.test", "api"),
        ("s3.test:9000", "api"),
        ("127.0.0.1:9000", "api"),
        ("bucket.s3.test.example.com", "api"),
        ("bucketxs3.test", "api"),
    ],
)
async def test_a_bucket_of_its_own_comes_before_v1(host: str, expected: str) -> None:
    assert await Door(("s3.test",)).ask("/v1/webhooks", {"Host": host}) == expected


async def test_without_a_domain_the_host_does_not_matter() -> None:
    assert await Door().ask("/v1/webhooks", {"Host": "bucket.s3.test"}) == "api"


FORWARDED = {"X-Forwarded-For": "203.0.113.1, 198.51.100.9", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("proxies", "client"),
    [
        (("192.0.2.0/24",), ("192.0.2.7", 5)),
        (("10.0.0.0/8", "192.0.2.7/32"), ("192.0.2.7", 5)),
        (("2001:db8::/32",), ("2001:db8::1", 5)),
        # A socket that listens at [::] sees IPv4 clients so.
        (("192.0.2.0/24",), ("::ffff:192.0.2.7", 5)),
    ],
)
async def test_a_trusted_proxy_is_believed(proxies: tuple[str, ...], client: tuple[str, int]) -> None:
    door = Door(proxies=proxies)
    await door.ask("/bucket", FORWARDED, client=client)
    # The last address is the one that the proxy itself saw; those before it the client may have made up.
    assert (door.scope["scheme"], door.scope["client"][0]) == ("https", "198.51.100.9")


@pytest.mark.parametrize(
    ("proxies", "client"),
    [
        ((), ("192.0.2.7", 5)),
        (("10.0.0.0/8",), ("192.0.2.7", 5)),
        (("::/0",), ("192.0.2.7", 5)),
        (("192.0.2.0/24",), None),
    ],
)
async def test_nobody_else_is(proxies: tuple[str, ...], client: tuple[str, int] | None) -> None:
    door = Door(proxies=proxies)
    await door.ask("/bucket", FORWARDED, client=client)
    assert (door.scope["scheme"], door.scope["client"]) == ("http", client)


async def test_a_proxy_that_says_nothing_or_nonsense_changes_nothing() -> None:
    door = Door(proxies=("192.0.2.0/24",))
    await door.ask("/bucket", {"X-Forwarded-Proto": "gopher", "X-Forwarded-For": " "})
    assert (door.scope["scheme"], door.scope["client"]) == ("http", ("192.0.2.7", 5))


async def test_a_person_at_the_root_is_shown_the_docs() -> None:
    door = Door()
    assert await door.ask("/", {"Accept": "text/html,*/*"}) == "nobody"
    assert door.sent[0]["status"] == 307
    assert (b"location", b"/ui/") in door.sent[0]["headers"]


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({"Accept": "text/html", "Authorization": "AWS4-HMAC-SHA256 Credential=AKID"}, "GET"),
        ({"Accept": "*/*"}, "GET"),
        ({"Accept": "text/html"}, "HEAD"),
    ],
)
async def test_an_s3_client_at_the_root_lists_buckets(headers: dict[str, str], method: str) -> None:
    assert await Door().ask("/", headers, method=method) == "s3"
