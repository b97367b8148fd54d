"""The calls around the load, which are never measured: buckets and uploads over S3, webhooks over REST."""

import json
import re
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from bench.signer import Signer
from bench.target import Target

TIMEOUT_SECONDS = 60.0
_UPLOAD_ID = re.compile(r"<UploadId>([^<]+)</UploadId>")
_KEY = re.compile(r"<Key>([^<]+)</Key>")


class S3Failed(Exception):
    """An S3 call of the generator's own was refused."""


class ApiFailed(Exception):
    """A REST call of the generator's own was refused."""


class S3Control:
    """Unhurried S3 calls, each on a connection of its own."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def create_bucket(self, bucket: str) -> None:
        """Make the bucket, or go on with the one we own. Raises S3Failed."""
        status, body = self._call("PUT", f"/{bucket}", "", b"")
        if status >= 300 and "BucketAlreadyOwnedByYou" not in body:
            raise S3Failed(f"create bucket {bucket}: {status} {body[:300]}")

    def exists(self, bucket: str) -> bool:
        return self._call("HEAD", f"/{bucket}")[0] < 300

    def delete_bucket(self, bucket: str) -> None:
        self._expect(*self._call("DELETE", f"/{bucket}"), what=f"delete bucket {bucket}")

    def keys(self, bucket: str, limit: int = 1000) -> list[str]:
        """The bucket's first keys."""
        query = f"list-type=2&max-keys={limit}"
        return _KEY.findall(self._expect(*self._call("GET", f"/{bucket}", query), what=f"list {bucket}"))

    def common_prefixes(self, bucket: str) -> int:
        """How many common prefixes the bucket's first page with the delimiter `/` has."""
        query = "delimiter=%2F&list-type=2&max-keys=1000"
        body = self._expect(*self._call("GET", f"/{bucket}", query), what=f"list {bucket}")
        return body.count("<CommonPrefixes>")

    def initiate(self, bucket: str, key: str) -> str:
        """Begin a multipart upload; its id, percent-encoded for a query."""
        body = self._expect(*self._call("POST", f"/{bucket}/{key}", "uploads=", b""), what="initiate upload")
        found = _UPLOAD_ID.search(body)
        if not found:
            raise S3Failed(f"no UploadId in {body[:300]}")
        return quote(found[1], safe="-_.~")

    def complete(self, bucket: str, key: str, upload: str, parts: list[tuple[int, str]]) -> None:
        """Complete an upload. An error may come with status 200, as S3 does it."""
        entries = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
        document = f"<CompleteMultipartUpload>{entries}</CompleteMultipartUpload>".encode()
        body = self._expect(*self._call("POST", f"/{bucket}/{key}", f"uploadId={upload}", document), what="complete")
        if "<Error>" in body:
            raise S3Failed(f"complete: {body[:300]}")

    def _call(self, method: str, path: str, query: str = "", body: bytes | None = None) -> tuple[int, str]:
        kind = HTTPSConnection if self._target.tls else HTTPConnection
        connection = kind(self._target.host, self._target.port, timeout=TIMEOUT_SECONDS)
        head = Signer(self._target).head(method, path, query).decode()
        fields = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
        try:
            connection.request(method, f"{path}?{query}" if query else path, body, dict(fields))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise S3Failed(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()

    @staticmethod
    def _expect(status: int, body: str, *, what: str) -> str:
        if status >= 300:
            raise S3Failed(f"{what}: {status} {body[:300]}")
        return body


class Api:
    """The REST API under `/v1`, with a bearer token."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = urlsplit(url), token

    def create_webhook(self, bucket: str, endpoint: str, **rules: Any) -> str:
        """Subscribe an endpoint to all four events of a bucket; the webhook's id. Raises ApiFailed."""
        events = ["object:created", "object:updated", "object:deleted", "multipart:completed"]
        body = {"bucket": bucket, "endpoint": endpoint, "events": events, "secret": "elasticlake-bench"}
        return str(self.call("POST", "/v1/webhooks", body | rules)["id"])

    def set_status(self, webhook: str, status: str) -> None:
        """Enable or disable; an enabled webhook goes on from where its position stayed."""
        self.call("PATCH", f"/v1/webhooks/{webhook}", {"status": status})

    def delete_webhook(self, webhook: str) -> None:
        self.call("DELETE", f"/v1/webhooks/{webhook}")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One call; the decoded answer. Raises ApiFailed on anything but 2xx."""
        text = self._call(method, path, body)
        decoded: dict[str, Any] = json.loads(text) if text else {}
        return decoded

    def metrics(self) -> str:
        """The server's metrics, in Prometheus's text format. Raises ApiFailed."""
        return self._call("GET", "/v1/metrics")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = kind(self._url.hostname or "127.0.0.1", self._url.port, timeout=TIMEOUT_SECONDS)
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise ApiFailed(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        if answer.status >= 300:
            raise ApiFailed(f"{method} {path}: {answer.status} {text[:500]}")
        return text
