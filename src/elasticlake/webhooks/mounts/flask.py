"""A receiver in a Flask application."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, Response, request

from elasticlake.webhooks.answer import Answer
from elasticlake.webhooks.receiver import Receiver


def mount(receiver: Receiver, app: Flask | Blueprint, rule: str) -> Callable[[], Response]:
    """Add the rule; the view that answers it."""

    def view() -> Response:
        answer = _answer(receiver)
        return Response(answer.body, answer.status, answer.headers)

    # A blueprint's endpoints have no full stops.
    app.add_url_rule(rule, f"elasticlake {rule}".replace(".", "-"), view, methods=["POST"])
    return view


def _answer(receiver: Receiver) -> Answer:
    length_bytes = request.content_length
    refusal = receiver.refusal(request.method, length_bytes)
    if refusal is not None:
        return refusal
    # Something before us may have read what has a length, and then it is kept; else only so much is read.
    body = request.stream.read(receiver.max_body_bytes + 1) if length_bytes is None else request.get_data()
    return receiver.handle(body, request.headers.items())
