"""The S3 protocol as an ASGI application: nothing stands between the socket and the operation.

The order is S3's and DESIGN's: parse, authenticate, authorize, and only then read the body.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from elasticlake.clock import Clock
from elasticlake.errors import ElasticLakeError, NoSuchAccessKey
from elasticlake.model.accounts import AccessKey, Caller
from elasticlake.s3 import sigv2, sigv4, xml
from elasticlake.s3.errors import S3Error, as_s3_error
from elasticlake.s3.expected_owner import OF_BUCKET, check_owner
from elasticlake.s3.hoisted import with_hoisted
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import Receive, S3Request, Scope, Send, read_request
from elasticlake.s3.responses import Response, send_response
from elasticlake.s3.routing import route
from elasticlake.service.metrics import Metrics
from elasticlake.service.tracing import Span, Tracer

MAX_DRAIN_BYTES = 1024 * 1024
DRAIN_SECONDS = 2

_log = structlog.get_logger("s3")


@dataclass(slots=True)
class S3App:
    """An ASGI application that speaks S3."""

    services: Services
    find_key: Callable[[str], Awaitable[AccessKey]]
    """An access key with its secret, by id; raises `NoSuchAccessKey`."""
    clock: Clock
    domains: tuple[str, ...] = ()
    """With `example.com` here, a request to Host `bucket.example.com` names that bucket."""
    log_requests: bool = False
    metrics: Metrics = field(default_factory=Metrics)
    tracer: Tracer | None = None
    _signing_keys: sigv4.SigningKeys = field(default_factory=sigv4.SigningKeys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = f"{random.getrandbits(64):016X}"
        started = self.clock.monotonic()
        request: S3Request | None = None
        span: Span | None = None
        try:
            request = read_request(scope, receive, request_id, self.domains)
            if self.tracer is not None:
                span = self._begin_span(self.tracer, request)
            response = await self._answer(request)
            await response.begin()
        except Exception as error:
            response = _error_response(error, request, scope, request_id)
        close = await _leave_body(request)
        sent_bytes = 0
        try:
            sent_bytes = await send_response(
                send, receive, response, request_id.encode(), head=scope["method"] == "HEAD", close=close
            )
        except ElasticLakeError as error:
            # The head has gone: all that can be done is to close the connection before the body is whole.
            _log.error("download broken off", request_id=request_id, path=scope["path"], error=str(error))
        finally:
            operation, received_bytes = (request.operation, request.intake.taken_bytes) if request else ("-", 0)
            seconds = self.clock.monotonic() - started
            self.metrics.s3_request(operation, response.status, seconds, received_bytes, sent_bytes)
            if span is not None and request is not None:
                _end_span(span, request, response)
        if self.log_requests or response.status >= 500:
            self._log_request(scope, request, response, request_id, sent_bytes, seconds)

    def _begin_span(self, tracer: Tracer, request: S3Request) -> Span:
        span = tracer.begin(request.method, "server", request.headers.get("traceparent"))
        request.trace = span.traceparent
        return span

    async def _answer(self, request: S3Request) -> Response:
        if request.method == "OPTIONS":
            raise _no_cors(request)
        if request.query:
            request.headers = with_hoisted(request.headers, request.query)
        operation = route(request)
        request.operation = operation.name
        await self._authenticate(request)
        if OF_BUCKET in request.headers and request.bucket is not None and operation.name != "CreateBucket":
            await check_owner(self.services, request, request.bucket)
        return await operation.handler(self.services, request)

    async def _authenticate(self, request: S3Request) -> None:
        """Find out who asks; raises `SignatureError` or `S3Error`. Without credentials it is nobody in particular."""
        if request.query and sigv2.is_presigned(request.query) and "authorization" not in request.headers:
            await self._authenticate_version_2(request)
            return
        credentials = sigv4.parse(request.query_string, request.raw_headers)
        if credentials is None:
            return
        now_ms = self.clock.now_ms()
        try:
            key = await self.find_key(credentials.access_key_id)
        except NoSuchAccessKey:
            sigv4.check_freshness(credentials, now_ms)
            details = {"AWSAccessKeyId": credentials.access_key_id}
            raise S3Error("InvalidAccessKeyId", details=details) from None
        request.signing_key = self._signing_keys.get(key.secret, credentials.date, credentials.region)
        request.seed_signature = sigv4.verify(
            credentials,
            request.signing_key,
            request.method,
            request.raw_path,
            request.query_string,
            request.raw_headers,
            now_ms,
        )
        request.credentials = credentials
        request.caller = Caller(key.account_id, key.id, key.scope)

    async def _authenticate_version_2(self, request: S3Request) -> None:
        access_key_id = request.query["AWSAccessKeyId"]
        try:
            key = await self.find_key(access_key_id)
        except NoSuchAccessKey:
            raise S3Error("InvalidAccessKeyId", details={"AWSAccessKeyId": access_key_id}) from None
        path = request.raw_path
        resource = f"/{request.bucket}".encode() + path if request.is_virtual_hosted else path
        sigv2.verify(key.secret, request.method, resource, request.query, request.headers, self.clock.now_ms())
        request.caller = Caller(key.account_id, key.id, key.scope)

    def _log_request(
        self,
        scope: Scope,
        request: S3Request | None,
        response: Response,
        request_id: str,
        sent_bytes: int,
        seconds: float,
    ) -> None:
        _log.info(
            "request",
            request_id=request_id,
            method=scope["method"],
            path=scope["path"],
            operation=request.operation if request else "-",
            principal=request.caller.access_key_id if request else None,
            status=response.status,
            received_bytes=request.intake.taken_bytes if request else 0,
            sent_bytes=sent_bytes,
            duration_ms=round(seconds * 1000, 1),
        )


def _error_response(error: Exception, request: S3Request | None, scope: Scope, request_id: str) -> Response:
    known = as_s3_error(error)
    if known is None:
        _log.error("internal error", request_id=request_id, path=scope["path"], exc_info=error)
        known = S3Error("InternalError")
    if known.status == 304:
        return Response(304)
    details = dict(known.details)
    if known.code == "NoSuchKey" and request is not None and request.key is not None:
        details.setdefault("Key", request.key.decode("utf-8", "replace"))
    if known.code.startswith(("NoSuchBucket", "BucketAlready", "BucketNotEmpty")) and request is not None:
        details.setdefault("BucketName", request.bucket or "")
    body = xml.error_document(known.code, known.message, scope["path"], request_id, details)
    return Response(known.status, [(b"content-type", b"application/xml")], body)


def _end_span(span: Span, request: S3Request, response: Response) -> None:
    """Say what the request was, in the words of OpenTelemetry's conventions for HTTP and S3."""
    attributes: dict[str, str | int] = {
        "http.request.method": request.method,
        "http.response.status_code": response.status,
        "rpc.method": request.operation,
        "elasticlake.request_id": request.id,
    }
    if request.bucket is not None:
        attributes["aws.s3.bucket"] = request.bucket
    if request.key is not None:
        attributes["aws.s3.key"] = request.key.decode("utf-8", "replace")
    if request.operation != "-":
        span.rename(request.operation)
    span.end(attributes, f"status {response.status}" if response.status >= 500 else None)


def _no_cors(request: S3Request) -> S3Error:
    """What S3 answers a preflight on a bucket that has no CORS rules."""
    if "origin" not in request.headers:
        return S3Error("BadRequest", "Insufficient information. Origin request header needed.")
    if "access-control-request-method" not in request.headers:
        return S3Error("BadRequest", "Invalid Access-Control-Request-Method: null")
    return S3Error("AccessForbidden")


async def _leave_body(request: S3Request | None) -> bool:
    """Take a little of a body that nobody read, so that its sender hears the answer; True to close the connection.

    A client that waits for `100 Continue` has sent nothing, and must not be asked for it now.
    """
    if request is None:
        return True
    intake = request.intake
    length = request.headers.get("content-length", "0")
    if intake.ended or (length == "0" and "transfer-encoding" not in request.headers):
        return False
    if not intake.started and request.headers.get("expect", "").lower() == "100-continue":
        return True
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            return not await _drain(request)
    except (S3Error, TimeoutError):
        # The client went away, or sends nothing and waits for our answer: nothing to keep open.
        return True


async def _drain(request: S3Request) -> bool:
    """Whether the rest of the body was little enough to be taken."""
    drained = 0
    while drained <= MAX_DRAIN_BYTES:
        data = await request.intake.next()
        if not data:
            return True
        drained += len(data)
    return False
