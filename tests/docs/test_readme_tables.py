"""What the README's tables name exists, and what exists is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ByteSize
from pydantic_core import PydanticUndefined
from typer.main import get_command

from elasticlake.api.application import create_app
from elasticlake.api.services import Services
from elasticlake.cli.main import RootGroup
from elasticlake.cli.main import app as command_line
from elasticlake.config.settings import Settings
from elasticlake.delivery.attempt import BODY_CAP_BYTES
from elasticlake.delivery.composer import Delivery, compose
from elasticlake.delivery.failure import ERROR_CLASSES
from elasticlake.model.events import EVENT_TYPES, Event, encode_payload, payload
from elasticlake.model.ids import DeliveryId
from elasticlake.model.schedule import DEFAULT_RETRY_SCHEDULE_SECONDS, JITTER
from elasticlake.model.webhooks import DEFAULT_TIMEOUT_SECONDS, Ordering, Webhook, WebhookScope, default_on_dead
from elasticlake.s3.errors import S3Error
from elasticlake.s3.headers import refuse_unimplemented
from elasticlake.s3.request import S3Request, read_request
from elasticlake.s3.routing import OPERATIONS, route
from tests.docs.documents import ROOT, Document, blocks, codes, rows

README = Document("README.md")

# Settings.

CONFIGURATION = rows(README.section("Configuration"), "flag", "variable", "default", "meaning")
SECRETS = ("master_key", "root_access_key", "root_secret_key", "api_token", "dashboard_password")
GENERATED = SECRETS[1:]


def flags_of(command: str) -> set[str]:
    """The long options of a command, without the negations of switches."""
    parameters = RootGroup.entries[command].load(command).params
    return {option for parameter in parameters for option in parameter.opts if option.startswith("--")}


def shown_default(name: str) -> str:
    """A setting's default as the README writes it."""
    default = Settings.model_fields[name].default
    assert default is not PydanticUndefined
    match default:
        case None | ():
            return "generated" if name in GENERATED else "–"
        case bool():
            return "`on`" if default else "`off`"
        case ByteSize():
            return f"`{default.human_readable(separator='').replace('.0', '')}`"
        case _:
            return f"`{default}`"


def test_every_setting_is_in_the_configuration_table_and_nothing_else() -> None:
    shown = {codes(variable)[0]: (codes(flag), default) for flag, variable, default, _ in CONFIGURATION}
    assert len(shown) == len(CONFIGURATION)
    expected = {
        f"ELASTICLAKE_{name.upper()}": ([] if name in SECRETS else [f"--{name.replace('_', '-')}"], shown_default(name))
        for name in Settings.model_fields
    }
    assert shown == expected


def test_every_flag_of_serve_is_a_setting_of_the_table() -> None:
    shown = {flag for row in CONFIGURATION for flag in codes(row[0])}
    assert flags_of("serve") - {"--config", "--help"} == shown
    assert "--config" in codes(README.section("Configuration"))[0:1] or "`--config FILE`" in README.section("Configuration")


def test_log_levels_and_formats_are_the_ones_named() -> None:
    meanings = {codes(variable)[0]: codes(meaning) for _, variable, _, meaning in CONFIGURATION}
    for name in ("log_level", "log_format"):
        assert set(meanings[f"ELASTICLAKE_{name.upper()}"]) == set(get_args(Settings.model_fields[name].annotation))


# The command line.


def subcommands(name: str) -> list[str]:
    commands = getattr(RootGroup.entries[name].load(name), "commands", {})
    return [] if set(commands) <= {name} else list(commands)


def test_every_command_is_in_the_table_with_its_subcommands() -> None:
    shown = {}
    for name, meaning in rows(README.section("The command line"), "command", "what it does"):
        shown[codes(name)[0].removeprefix("elasticlake ")] = codes(meaning)
    assert shown == {name: subcommands(name) for name in RootGroup.entries}


def test_every_command_that_a_document_names_exists() -> None:
    pages = [README, Document("ARCHITECTURE.md"), Document("CONTRIBUTING.md"), Document("CHANGELOG.md")]
    known: set[tuple[str, ...]] = {(name,) for name in RootGroup.entries}
    known |= {(name, sub) for name in RootGroup.entries for sub in subcommands(name)}
    shown = [words for page in pages for words in re.findall(r"\belasticlake ((?:[a-z]+ ?)+)", page.text)]
    shown = [words for words in shown if words.split()[0] in RootGroup.entries]
    assert len(shown) > 20
    for words in shown:
        name, *rest = words.split()
        assert (name,) if not subcommands(name) or not rest else (name, rest[0]) in known, words
    assert get_command(command_line).name is not None


# S3.


def request_for(method: str, path: str, **headers: str) -> S3Request:
    target, _, query = path.partition("?")
    scope = {
        "method": method,
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http",
    }

    async def receive() -> Any:
        raise AssertionError("the body is not to be read")

    return read_request(scope, receive, "1", ())


MISSING = {
    "PutBucketVersioning": ("PUT", "/b?versioning"),
    "GetBucketPolicy": ("GET", "/b?policy"),
    "PutBucketPolicy": ("PUT", "/b?policy"),
    "GetBucketLifecycleConfiguration": ("GET", "/b?lifecycle"),
    "PutBucketLifecycleConfiguration": ("PUT", "/b?lifecycle"),
    "GetObjectTagging": ("GET", "/b/k?tagging"),
    "PutObjectTagging": ("PUT", "/b/k?tagging"),
    "GetBucketTagging": ("GET", "/b?tagging"),
    "PutBucketTagging": ("PUT", "/b?tagging"),
    "GetBucketCors": ("GET", "/b?cors"),
    "PutBucketCors": ("PUT", "/b?cors"),
    "PostObject": ("POST", "/b"),
    "GetBucketEncryption": ("GET", "/b?encryption"),
    "PutBucketEncryption": ("PUT", "/b?encryption"),
    "GetObjectLockConfiguration": ("GET", "/b?object-lock"),
    "PutObjectLockConfiguration": ("PUT", "/b?object-lock"),
    "PutObjectRetention": ("PUT", "/b/k?retention"),
    "PutObjectLegalHold": ("PUT", "/b/k?legal-hold"),
    "GetObjectAttributes": ("GET", "/b/k?attributes"),
    "SelectObjectContent": ("POST", "/b/k?select&select-type=2"),
    "RestoreObject": ("POST", "/b/k?restore"),
    "PutBucketNotificationConfiguration": ("PUT", "/b?notification"),
    "PutBucketWebsite": ("PUT", "/b?website"),
}
NOT_YET = rows(README.section("What does not yet"), "area", "today")
NAMED_MISSING = [name for _, today in NOT_YET for name in codes(today)]


def operations_named(names: list[str]) -> set[str]:
    return {name for name in names if re.fullmatch(r"(?:[A-Z][a-z]+)+(?:V2)?", name)}


def test_every_operation_is_in_the_table_and_nothing_else() -> None:
    table = rows(README.section("What works"), "area", "S3 operations")
    shown = [name for _, names in table for name in codes(names)]
    assert operations_named(shown) == {operation.name for operation in OPERATIONS.values()}
    assert len(operations_named(shown)) == len([name for name in shown if name in operations_named(shown)])


def test_the_operations_said_to_be_missing_are_the_ones_tested_to_be() -> None:
    assert operations_named(NAMED_MISSING) == set(MISSING)


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_operation_is_501(name: str) -> None:
    with pytest.raises(S3Error) as caught:
        route(request_for(*MISSING[name]))
    assert (caught.value.code, caught.value.status) == ("NotImplemented", 501)


@pytest.mark.parametrize("header", [name for name in NAMED_MISSING if name.startswith("x-amz-")])
def test_a_header_said_to_be_missing_is_501(header: str) -> None:
    with pytest.raises(S3Error) as caught:
        refuse_unimplemented(request_for("PUT", "/b/k", **{header: "AES256"}))
    assert caught.value.status == 501


def test_every_client_named_has_its_tests() -> None:
    for client, proof in rows(README.section("What works"), "client", "proven by"):
        path, pattern = _proof(proof)
        assert re.search(pattern, (ROOT / path).read_text()), client


def _proof(cell: str) -> tuple[str, str]:
    """The test file that a cell links to, and what in it shows the client at work."""
    found = re.fullmatch(r"\[`(?P<shown>[^`]+)`\]\((?P<path>tests/[^)]+)\)", cell)
    assert found is not None, cell
    assert found["path"].endswith(found["shown"])
    return found["path"], r"^(?:async )?def test_|^test\("


# REST.


def api_paths() -> set[str]:
    """Every path of the API's own description."""
    application: Any = create_app(Services(*[None] * 7), "0")  # type: ignore[arg-type]
    return set(application._app.openapi()["paths"])


def test_every_path_of_the_api_is_in_the_table_and_nothing_else() -> None:
    table = rows(README.section("The REST API"), "resource", "paths")
    assert {path for _, paths in table for path in codes(paths)} == api_paths()


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_path_that_a_document_names_exists(page: str) -> None:
    known = api_paths() | {"/v1", "/v1/docs", "/v1/openapi.json"}
    for path in re.findall(r"/v1(?:/[a-z{}A-Z.]+)*", Document(page).text):
        assert path in known, path


# Events and deliveries.


def test_the_event_types_are_the_ones_named() -> None:
    table = rows(README.section("Events"), "event", "when")
    assert [codes(name)[0] for name, _ in table] == list(EVENT_TYPES)


def example_event() -> Event:
    return Event(
        id="evt_1",
        bucket_id=1,
        bucket="lake1--pond1--my-bucket",
        sequence=42,
        type="object:created",
        time_ms=0,
        key=b"uploads/document.pdf",
        size_bytes=1048576,
        etag="d41d8cd98f00b204e9800998ecf8427e",
        content_type="application/pdf",
        lake="production",
        pond="documents",
        reason="PutObject",
        principal="EL",
        request_id="0A",
    )


def test_the_payload_shown_has_the_fields_of_a_real_one() -> None:
    shown = next(json.loads(block.text) for block in blocks(README.section("Events")) if block.language == "json")
    real = payload(example_event())
    assert list(shown) == list(real)
    assert list(shown["object"]) == list(real["object"])
    assert {name: type(value) for name, value in shown.items()} == {name: type(value) for name, value in real.items()}
    assert {name: value for name, value in shown["object"].items()} == real["object"]


def delivery(sequence: int = 42, generation: int = 0) -> Delivery:
    webhook = Webhook(
        id="wh_mfrggzdfmztwq2lk",
        account_id="root",
        scope=WebhookScope("bucket", 1, "lake1--pond1--my-bucket"),
        endpoint="https://example.com/",
        events=EVENT_TYPES,
        secret="my-webhook-secret",
    )
    return Delivery(webhook, example_event(), DeliveryId(webhook.id, 1, sequence, generation))


def test_the_headers_of_a_delivery_are_the_ones_named() -> None:
    table = rows(README.section("Deliveries"), "header", "value")
    request = compose(delivery(generation=1), 1, 0)
    sent = {name for name, _ in request.headers} - {"Content-Type"}
    assert {codes(name)[0] for name, _ in table} == sent
    assert request.body == encode_payload(payload(example_event()))


def test_a_delivery_has_no_redelivery_header_unless_asked_for() -> None:
    assert "X-ElasticLake-Redelivery" not in {name for name, _ in compose(delivery(), 1, 0).headers}


def test_the_error_classes_are_the_ones_named() -> None:
    section = README.section("Deliveries")
    listed = section[section.index("A failed one has a class:") :].split("\n\n")[0]
    assert tuple(codes(listed)) == ERROR_CLASSES


def test_the_webhook_defaults_are_the_ones_named() -> None:
    table = {codes(name)[0]: (default, meaning) for name, default, meaning in _webhook_fields()}
    assert table["ordering"][0] == f"`{Webhook.__dataclass_fields__['ordering'].default}`"
    assert set(get_args(Ordering)) <= set(codes(table["ordering"][1]))
    assert table["timeoutSeconds"][0] == f"{DEFAULT_TIMEOUT_SECONDS:g}"
    assert codes(table["onDead"][0]) == [default_on_dead("key"), default_on_dead("bucket"), "bucket"]
    seconds = {"s": 1, "min": 60, "h": 3600}
    steps = [step.split() for step in table["retrySchedule"][0].split(", ")]
    assert tuple(int(count) * seconds[unit] for count, unit in steps) == DEFAULT_RETRY_SCHEDULE_SECONDS
    assert f"±{JITTER:.0%}".replace("%", " %") in table["retrySchedule"][1]
    assert f"{BODY_CAP_BYTES // 1024} KiB" in README.section("Deliveries")


def _webhook_fields() -> list[list[str]]:
    return rows(README.section("Deliveries"), "field", "default", "meaning")


def test_every_webhook_field_named_is_one_of_the_api() -> None:
    application: Any = create_app(Services(*[None] * 7), "0")  # type: ignore[arg-type]
    fields = application._app.openapi()["components"]["schemas"]["NewWebhookBody"]["properties"]
    for name, _, _ in _webhook_fields():
        assert codes(name)[0] in fields


def test_the_make_targets_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        for target in re.findall(r"\bmake ([a-z]+)\b(?=[ `\n\"]|$)", _code_of(Document(page))):
            assert target in targets, f"{page}: make {target}"


def _code_of(page: Document) -> str:
    return "\n".join([*codes(page.prose), *(block.text for block in blocks(page.text))])


def test_the_sources_named_are_there() -> None:
    check: Callable[[Path], bool] = Path.exists
    for page in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        for path in re.findall(r"`((?:src|tests|docs|bench|requirements)/[\w./-]*\w/?)`", Document(page).prose):
            if "{" not in path and "range" not in path:
                assert check(ROOT / path), f"{page}: {path}"
