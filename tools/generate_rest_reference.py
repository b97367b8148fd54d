"""Writes the REST reference, `docs/rest.md`, from the API's own description: `python -m tools.generate_rest_reference`.

It is made to be read: each operation with what it takes, what it answers, and how to call it with curl and in Python. A
test makes it anew and compares, another runs what it shows.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tools.generate_client import description, model_name, resources_of
from tools.rest_calls import Described, curl, in_python, referred, schema_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/rest.md"
Document = dict[str, Any]

_HEAD = """# REST API

Everything that the dashboard and the command line do, your program can do: each operation, what it takes, what it
answers, and how to call it.

<!-- Made from the API's description by `tools/generate_rest_reference.py`: change that, not this. -->

A running server has the same to try at `/v1/docs`, without internet, and for machines at `/v1/openapi.json`
(`/v1/openapi-3.0.json` for tools that know no other).

## How to call

- **Where:** everything is under `/v1`. The examples take the server's place from `ELASTICLAKE_URL`, as
  `http://127.0.0.1:9000`.
- **Who:** `Authorization: Bearer TOKEN`. A server's first token is `apiToken` in `data/credentials.json`;
  `elasticlake token create` makes others. Health needs none.
- **What:** JSON in and out, with camelCase. Times are RFC 3339 in UTC. Pass over members that you do not know: later
  versions add some. A member that the API does not know is refused.
- **Lists** answer pages: `items`, and `nextCursor`, which you hand back as `cursor` until it is null (`limit` says how
  many a page has). Events answer their sequences instead of a cursor.
- **Refusals** are problem documents (RFC 9457): `type` ([all of them](problems.md)), `status`, `title`, `detail`, and
  `errors`, which names each field at fault.
- **In Python,** the examples go on from here:

```python
from elasticlake import Client

client = Client()  # ELASTICLAKE_URL and ELASTICLAKE_API_TOKEN
```

## The resources

Each links to its operations below.

"""
_TITLES = {"keys": "Access keys"}
_GUIDES = {
    "events": "[Events and payload](events.md) says what they mean, [Live](live.md) how to follow them.",
    "webhooks": "[Make a webhook](webhooks.md) explains each field, [Filters](filters.md) those that choose events.",
    "jobs": "[Replay and backfill](replay.md) says what each does.",
    "deliveries": "[Deliveries](deliveries.md) says when they are sent, retried and given up.",
    "accounts": "[Accounts and permissions](permissions.md) says who may do what.",
    "keys": "[Accounts and permissions](permissions.md) says what a scope opens.",
    "activity": "[Operations](operations.md#activity) lists the actions.",
    "health": "[Operations](operations.md#health) says what to ask when.",
    "metrics": "[Operations](operations.md#metrics) lists them.",
}
"""Where a resource is explained."""
_SCALARS = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "object": "object"}
_PAGE_MEMBERS = {"limit", "cursor"}


def main() -> None:
    PAGE.write_text(generate(description()))


def generate(api: Document) -> str:
    """The page."""
    groups: dict[str, list[Described]] = {}
    for one in operations(api):
        groups.setdefault(one.tag, []).append(one)
    parts = [_HEAD, "| resource | paths |\n| --- | --- |\n", *(index_row(tag, of) for tag, of in groups.items())]
    for tag, found in groups.items():
        guide = f"\n{_GUIDES[tag]}\n" if tag in _GUIDES else ""
        parts.append(f"\n## {title(tag)}\n{guide}")
        parts += [section(api, one) for one in found]
    parts.append("\n## Documents\n\nWhat the answers are made of, and what is sent inside of a request.\n")
    parts += [document_section(api, name) for name in documents(api)]
    return "".join(parts)


def operations(api: Document) -> list[Described]:
    """All of them, in the description's order."""
    calls = {(call.method, call.path): call for group in resources_of(api).values() for call in group}
    return [
        Described(method.upper(), path, document, calls.get((method.upper(), path)))
        for path, methods in api["paths"].items()
        for method, document in methods.items()
        if method != "parameters"
    ]


def title(tag: str) -> str:
    return _TITLES.get(tag, tag.capitalize())


def index_row(tag: str, found: list[Described]) -> str:
    anchor = title(tag).lower().replace(" ", "-")
    paths = ", ".join(f"`{path}`" for path in dict.fromkeys(one.path for one in found))
    return f"| [{title(tag)}](#{anchor}) | {paths} |\n"


def section(api: Document, one: Described) -> str:
    """What one operation is, takes and answers, and how it is called."""
    parts = [f"\n### {one.document['summary']}\n\n`{one.method} {one.path}`\n"]
    if one.document.get("description"):
        parts.append(f"\n{one.document['description'].strip()}\n")
    parts.append(table("parameter", parameter_rows(one)))
    if one.body is not None:
        schema = schema_of(api, one.body)
        if schema.get("description"):
            parts.append(f"\n{line(schema['description'])}\n")
        parts.append(table("field", member_rows(schema, is_sent=True)))
    parts.append(f"\n{answers(one)}\n\n<!-- tabs -->\n\n```sh\n{curl(api, one)}\n```\n")
    if one.call is not None:
        parts.append(f"\n```python\n{in_python(api, one, one.call)}\n```\n")
    return "".join(parts)


def table(heading: str, found: list[tuple[str, str, str]]) -> str:
    """A column of meanings only where one is said: names often say enough."""
    if not found:
        return ""
    is_said = any(meaning for *_, meaning in found)
    lines = [f"| `{name}` | {kind} |{f' {meaning} |' if is_said else ''}\n" for name, kind, meaning in found]
    head = f"| {heading} | type | meaning |\n| --- | --- | --- |\n"
    return "".join(
        [
            "\n",
            head if is_said else head.replace(" meaning |", "").replace("| --- | --- | --- |", "| --- | --- |"),
            *lines,
        ]
    )


def parameter_rows(one: Described) -> list[tuple[str, str, str]]:
    """The path's and the query's; every list has the same two for its pages, which the page's head explains."""
    found = []
    for parameter in one.document.get("parameters", ()):
        if parameter["name"] in _PAGE_MEMBERS and is_list(one):
            continue
        schema = parameter["schema"]
        is_needed = parameter["in"] == "query" and parameter.get("required")
        kind = type_text(schema) + (", required" if is_needed else "")
        kind += ", a header" if parameter["in"] == "header" else ""
        found.append((parameter["name"], kind, meaning_of({**schema, **parameter})))
    return found


def is_list(one: Described) -> bool:
    return one.call is not None and one.call.item is not None


def member_rows(schema: Document, *, is_sent: bool) -> list[tuple[str, str, str]]:
    """What is sent says what is required; what is answered says what may be null."""
    required = set(schema.get("required", ()))
    found = []
    for name, member in sorted(schema["properties"].items(), key=lambda one: is_sent and one[0] not in required):
        kind = type_text(member)
        if is_sent and name in required:
            kind += ", required"
        if not is_sent and member.get("nullable"):
            kind += ", or null"
        found.append((name, kind, meaning_of(member)))
    return found


def meaning_of(member: Document) -> str:
    text = line(member.get("description", ""))
    default = member.get("default")
    if default is None or default in ("", [], {}):
        return text
    return f"{text} By default {code(default)}.".strip()


def type_text(schema: Document) -> str:
    """The type in words, with a link where it is a document of ours."""
    if "$ref" in schema:
        name = referred(schema)
        return f"[{document_title(name)}](#{document_anchor(name)})"
    if "allOf" in schema:
        return type_text(schema["allOf"][0])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_text(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(code(one) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_text(schema['items'])}"
    if schema.get("format") == "date-time":
        return "time"
    return _SCALARS.get(schema.get("type", ""), "anything")


def answers(one: Described) -> str:
    """In a sentence."""
    said = []
    for status, answer in one.document["responses"].items():
        if not status.startswith("2"):
            continue
        contents = answer.get("content", {})
        content: Document = next(iter(contents.values()), {})
        schema = content.get("schema", {})
        said.append(f"`{status}`" + (f" with {answer_text(one, schema, next(iter(contents)))}" if content else ""))
    return f"Answers {', or '.join(said)}."


def answer_text(one: Described, schema: Document, media_type: str) -> str:
    if one.call is not None and one.call.item is not None:
        item = f"{one.call.item}Document"
        return f"a page of [{document_title(item)}](#{document_anchor(item)})"
    if "json" not in media_type:
        return f"`{media_type}`"
    return type_text(schema)


def documents(api: Document) -> list[str]:
    """The schemas with a section: not what is a page of others, what is a whole request, or what only says why not."""
    whole = {one.body for one in operations(api)}
    pages = {name for name in api["components"]["schemas"] if name.startswith("DocumentPage_")}
    return sorted(
        (
            name
            for name, schema in api["components"]["schemas"].items()
            if name not in whole | pages and "properties" in schema
        ),
        key=document_title,
    )


def document_section(api: Document, name: str) -> str:
    schema = schema_of(api, name)
    said = f"\n{line(schema['description'])}\n" if schema.get("description") else ""
    is_sent = schema.get("additionalProperties") is False
    return f"\n### {document_title(name)} document\n{said}{table('field', member_rows(schema, is_sent=is_sent))}"


def document_title(name: str) -> str:
    return " ".join(re.findall(r"[A-Z][a-z]*", model_name(name))).capitalize()


def document_anchor(name: str) -> str:
    return f"{document_title(name)} document".lower().replace(" ", "-")


def line(text: str) -> str:
    """In one line, for a table's cell; what looks like a column's end is none."""
    return " ".join(text.split()).replace("|", "\\|")


def code(value: Any) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    main()
