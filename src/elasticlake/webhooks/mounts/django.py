"""A receiver as a Django view."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from elasticlake.webhooks.receiver import Receiver


def view(receiver: Receiver, request: HttpRequest) -> HttpResponse:
    """Answer one request."""
    answer = receiver.refusal(request.method or "", _length(request))
    if answer is None:
        # `body` would apply the limit for forms; what a middleware has read by it is kept for this.
        answer = receiver.handle(request.read(receiver.max_body_bytes + 1), request.headers)
    response = HttpResponse(answer.body, status=answer.status)
    del response["Content-Type"]
    for name, value in answer.headers:
        response[name] = value
    response["Content-Length"] = str(len(answer.body))  # which a project without CommonMiddleware would lack
    return response


def _length(request: HttpRequest) -> int | None:
    given = request.headers.get("Content-Length", "")
    return int(given) if given.isascii() and given.isdecimal() else None
