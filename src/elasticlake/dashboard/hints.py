"""What to do about it, in plain words: for each class of a failed attempt and for the statuses that receivers answer
with, and what each clause means that refuses an event. Data alone."""

from __future__ import annotations

from typing import NamedTuple


class Hint(NamedTuple):
    """What happened, and what its reader may do."""

    heading: str
    advice: str


CLASSES = {
    "refused_address": Hint(
        "This server may not call that address",
        "Webhooks call public addresses over https. The operator allows a private network by --egress-allow CIDR, and "
        "plain http by --egress-http. A server that listens on loopback alone may call http://127.0.0.1 and "
        "http://localhost, except for its own port.",
    ),
    "dns": Hint(
        "The endpoint's name has no address",
        "Check the spelling of the host. If the name is right, the server's own name servers do not know it: a name "
        "that is only known inside your network must be resolved where this server runs.",
    ),
    "connect": Hint(
        "Nobody answers at that address and port",
        "The connection was refused or did not come about. Is the receiver running, does it listen on that port and "
        "not on loopback of another machine, and does a firewall let this server through?",
    ),
    "tls": Hint(
        "No trusted TLS connection came about",
        "The certificate is self-signed, expired, for another name or without its chain; or the port speaks no TLS. "
        "For an authority of your own, paste its certificate under Advanced; for a receiver that asks for a client "
        "certificate, paste that and its key.",
    ),
    "timeout": Hint(
        "The receiver was too slow",
        "The whole answer must be there within the time limit. Answer with 200 at once and do the work afterwards; "
        "or give it more time, up to 30 s, in the form.",
    ),
    "reset": Hint(
        "The receiver hung up",
        "It took the connection and closed it before it had answered. Its log may say why: a crash, a limit on the "
        "body, or a proxy that did not reach it.",
    ),
    "protocol": Hint(
        "What came back is not HTTP",
        "Another kind of server listens on that port, or its headers are too large. Check the port, and whether the "
        "URL must begin with https.",
    ),
    "redirect": Hint(
        "The receiver sends us elsewhere",
        "Redirects are never followed: a signed event goes only where you said. Put the address that it names in "
        "Location into the endpoint. Often only a slash at the end is missing, or https.",
    ),
}

STATUSES = {
    400: Hint(
        "The receiver did not like the request",
        "Its answer below may say why. Does it read JSON, and does it expect another format? Choose S3 or CloudEvents "
        "in the form if it was written for one of them.",
    ),
    401: Hint(
        "The receiver refused the signature, or wants credentials",
        "X-ElasticLake-Signature must be checked with this webhook's secret, over the body's bytes as they came, "
        "before any parsing. Compare the secret that it has; rotate it if it is lost. Credentials of its own, "
        "such as Authorization, can be sent as a header: see Advanced.",
    ),
    404: Hint(
        "There is nothing at that path",
        "The server answers, but knows no such page. Check the endpoint's path, and that the route takes POST.",
    ),
    405: Hint("The path does not take POST", "Webhooks are sent by POST: let the route take that method."),
    408: CLASSES["timeout"],
    410: Hint(
        "The receiver says that it is gone for good",
        "410 disables a webhook. Give it an endpoint that is there, then enable it again.",
    ),
    413: Hint(
        "The body is too large for the receiver",
        "An event has at most 64 KiB, and a batch many of them: raise the receiver's limit, or lower the batch's size.",
    ),
    415: Hint("The receiver does not take this content type", "Events are JSON. Let the route take application/json."),
    429: Hint(
        "The receiver has had enough for the moment",
        "Retry-After is honoured. Set a rate limit or fewer attempts at once in the form, to stay below its own limit.",
    ),
}
STATUSES[403] = STATUSES[401]

SERVER_ERROR = Hint(
    "The receiver failed",
    "It was reached, and an error happened there: its log has the rest. A proxy answers 502, 503 or 504 where the "
    "program behind it does not run or is too slow.",
)
OTHER_STATUS = Hint(
    "The receiver answered with a failure",
    "Only a status from 200 to 299 says that the event has arrived. Its answer below may say what is wrong.",
)


def hint_for(error_class: str | None, status_code: int | None) -> Hint | None:
    """The hint for an attempt that ended so; None for one that succeeded."""
    if error_class is None:
        return None
    if error_class != "status" or status_code is None:
        return CLASSES.get(error_class, OTHER_STATUS)
    return STATUSES.get(status_code) or (SERVER_ERROR if status_code >= 500 else OTHER_STATUS)


CLAUSES = {
    "scope": "The webhook does not listen to this bucket.",
    "events": "This event is not chosen.",
    "filter.prefix": "The key begins otherwise.",
    "filter.suffix": "The key ends otherwise.",
    "filter.contentType": "The content type is another.",
    "filter.minSize": "The object is smaller.",
    "filter.maxSize": "The object is larger.",
    "filter.metadata": "The metadata is not there, or has another value.",
    "filter.tags": "The object has no such tags.",
    "where": "The expression says no.",
}
"""By the clause that refuses an event."""

EVENTS = {
    "object:created": "A key gets its first object, or one again after it was deleted.",
    "object:updated": "An object is replaced, or its metadata changes.",
    "object:deleted": "An object is removed.",
    "multipart:completed": "A large upload is complete. It follows the object's own event.",
    "webhook:failing": "Another webhook of the account has begun to fail.",
    "webhook:disabled": "Another webhook of the account was disabled by the server.",
}
"""What each kind of event means."""
