"""Virtual-hosted addressing: the bucket in the Host header."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.conftest import s3_client
from tests.integration.server import Server

DOMAIN = "s3.elasticlake.test"


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("hosting") / "data", "--domain", DOMAIN).start()
    yield server
    server.close()


@pytest.fixture
def names_lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name below the domain is this machine, as an operator's wildcard record would say."""
    resolve = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith(DOMAIN) else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.usefixtures("names_lead_here")
def test_boto3_with_virtual_addressing(hosting: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "url", f"http://{DOMAIN}:{hosting.port}")
    s3 = s3_client(hosting, s3={"addressing_style": "virtual"})
    hosts: list[str] = []
    s3.meta.events.register("before-send.s3", lambda request, **_: hosts.append(request.url))
    s3.create_bucket(Bucket="lake1--pond1--hosted")
    s3.put_object(Bucket="lake1--pond1--hosted", Key="v1/lakes", Body=b"an object, not our API")
    assert s3.get_object(Bucket="lake1--pond1--hosted", Key="v1/lakes")["Body"].read() == b"an object, not our API"
    assert s3.list_objects_v2(Bucket="lake1--pond1--hosted")["KeyCount"] == 1
    assert all(url.startswith(f"http://lake1--pond1--hosted.{DOMAIN}:{hosting.port}/") for url in hosts)


def test_a_public_object_by_its_host(hosting: Server) -> None:
    s3 = s3_client(hosting)
    s3.create_bucket(Bucket="site")
    s3.put_object(Bucket="site", Key="index.html", Body=b"<p>", ACL="public-read", ContentType="text/html")
    for host in (f"site.{DOMAIN}", f"site.{DOMAIN}:{hosting.port}"):
        connection = http.client.HTTPConnection("127.0.0.1", hosting.port, timeout=10)
        connection.request("GET", "/index.html", headers={"Host": host})
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.getheader("Content-Type")) == (200, b"<p>", "text/html")
