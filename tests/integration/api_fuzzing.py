"""Schemathesis against a server: inputs that its description allows, and inputs that it does not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from schemathesis.specs.openapi.checks import RejectedPositiveData, positive_data_acceptance
from tests.integration.server import API_TOKEN, Server

STREAM_SECONDS = 0.1
"""How long a stream that tells of nothing is read."""
LONGEST_WAIT_SECONDS = 0.05
"""In place of the minute that a call may ask to be kept waiting."""

# Values of the formats that are the description's own, and an endpoint that a developer's server may call.
_PRINTABLE = st.characters(categories=("L", "N", "P", "S"))
schemathesis.openapi.format("printable", st.text(_PRINTABLE, min_size=1, max_size=20))
schemathesis.openapi.format("cel", st.sampled_from(["object.size > 1", 'object.key.startsWith("a")', "sequence > 7"]))
schemathesis.openapi.format("pem", st.nothing())
schemathesis.openapi.format("email", st.sampled_from(["a@b", "storage@acme.example"]))
schemathesis.openapi.format("uri", st.integers(1, 99).map("http://127.0.0.1:1/{}".format))

# What no schema can say: the server refuses these in its own words, although each value alone is one that it takes.
RULES = (
    # Opaque: only what the server gave is taken.
    r"This is no cursor of this list: .*",
    r"This is no position of this stream: .*",
    r"A bucket's events have their sequence as id, .*",
    # How the parameters of a query, or the members of a document, go together.
    r"Name exactly one of bucket, pond and lake\.",
    r"With order=desc ask for what lies before a sequence\.",
    r"It goes with order=desc\.",
    r"(until|It) must be later than since\.",
    r"since must be earlier than until, and than now\.",
    r"That is \d+ steps; at most 1000 are answered at once\.",
    r"Say from where to where by sequences or by times, not by both\.",
    r"It comes before fromSequence\.",
    r"It is \d+, more than maxSize \(\d+\): nothing would match\.",
    r"Give sequences, or objects, or neither\.",
    r"batch and coalesce exclude each other\.",
    r"Only with ordering key do the events of one key wait for each other\.",
    r"A batch is acknowledged as a whole, so it goes with ordering bucket\.",
    r"In the format s3 a completed upload is one record, .*",
    r"The format s3 has no record for .*",
    r'It says where to go on when status is set to "enabled"\.',
    # What is there: who owns a place, where a webhook listens, its secret, what the log holds.
    r"A bucket's webhook belongs to the bucket's account\.",
    r"Bucket \S+ belongs to another account; a key reaches only its own account's buckets\.",
    r"No access key of account \S+ may read there: links are signed with one\.",
    r"The webhook does not listen to \S+\.",
    r"The webhook did not subscribe to \S+\.",
    r"Name a bucket: the webhook listens to a whole (lake|pond)\.",
    r"Each bucket has sequences of its own: name the bucket\.",
    r"The bucket's log has no event [\d, ]+\.",
    r"This is the webhook's secret already: give another\.",
    # Where an endpoint leads, and what the operator allows.
    r".*allow it with --egress-.*",
    r"port \d+ is not between 1 and 65535",
    r"\S+ is not an? (part of an )?IPv[46] address",
    # Names that are taken by a delivery's own headers, or twice.
    r"\S+ is set by the delivery itself and cannot be given\.",
    r"Each header can be given once, whatever its case\.",
)
MAX_HEAD_BYTES = 32 * 1024
"""A head of twice that is no HTTP to the server, which refuses it before it knows what is asked for."""


@schemathesis.check
def acceptance_of_what_fits(ctx: Any, response: Any, case: Any) -> bool | None:
    """What the description allows is taken, unless one of `RULES` refuses it."""
    try:
        return positive_data_acceptance(ctx, response, case)
    except RejectedPositiveData:
        faults = response.json()["errors"] if response.status_code == 422 else []
        if faults and all(any(re.fullmatch(rule, fault["detail"]) for rule in RULES) for fault in faults):
            return None
        raise


def config(*, phases: Mapping[str, Any], max_examples: int, seed: int) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": {"Authorization": f"Bearer {API_TOKEN}"},
            "request-timeout": 30,
            "continue-on-failure": True,
            "generation": {"max-examples": max_examples, "database": "none"},
            "checks": {"positive_data_acceptance": {"enabled": False}},
            "phases": phases,
            "warnings": False,
        }
    )


def failures(server: Server, settings: SchemathesisConfig) -> Iterator[str]:
    """What was wrong, as the request that shows it; and at the end how many were sent, to the log of the test."""
    schema = schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json", config=settings)
    schema.hook(filter_case)
    sent: Counter[str] = Counter()
    for event in from_schema(schema).execute():
        if isinstance(event, FatalError | NonFatalError):
            yield str(event.info if isinstance(event, NonFatalError) else event.exception)
        if isinstance(event, ScenarioFinished):
            sent[event.phase.value] += len(event.recorder.cases)
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    if check.status is Status.FAILURE and check.failure_info is not None:
                        answer = event.recorder.interactions[case_id].response
                        text = answer.text[:1000] if answer is not None else "no answer"
                        yield f"{check.name}: {check.failure_info.failure}\n{check.failure_info.code_sample}\n{text}"
    print(dict(sent))


def filter_case(context: Any, case: Any) -> bool:
    """Whether the head is one that a parser of HTTP takes."""
    query = urlencode(case.query or {}, doseq=True, errors="replace")
    return len(query) + sum(len(str(value)) for value in (case.headers or {}).values()) < MAX_HEAD_BYTES


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Whoever asks to wait waits for a moment, and for a stream's end as long."""
    wait = (case.query or {}).get("wait")
    if isinstance(wait, int | float) and wait > LONGEST_WAIT_SECONDS:
        case.query["wait"] = LONGEST_WAIT_SECONDS
    kwargs["hooks"] = {"response": read_shortly}


def read_shortly(response: Any, **_: Any) -> None:
    """A stream does not end: Schemathesis is content with what has come once nothing follows for a while."""
    if response.headers.get("Content-Type", "").startswith("text/event-stream"):
        response.raw.connection.sock.settimeout(STREAM_SECONDS)
