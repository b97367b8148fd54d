"""How an operation of the REST API is called, with curl and by the Python client, by the description's examples."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from typing import Any

from tools.generate_client import Argument, Operation, method_name, snake

Document = dict[str, Any]
_BODY_WIDTH, _CALL_WIDTH = 64, 96


@dataclass(frozen=True, slots=True)
class Described:
    """An operation as the description has it, and as a method of the client has it: none for a stream."""

    method: str
    path: str
    document: Document
    call: Operation | None

    @property
    def tag(self) -> str:
        return str(self.document["tags"][0])

    @property
    def body(self) -> str | None:
        """The schema that is sent."""
        content = self.document.get("requestBody", {}).get("content", {}).get("application/json", {})
        return referred(content["schema"]) if content else None


def curl(api: Document, one: Described) -> str:
    """The call in a shell. Names in the path are variables, so that a reader sees what is theirs to say."""
    examples = {p["name"]: example_of(p) for p in one.document.get("parameters", ()) if p.get("required")}
    in_path = re.findall(r"\{(\w+)\}", one.path)
    lines = [f"{snake(name).upper()}={examples[name]}" for name in in_path]
    place = re.sub(r"\{(\w+)\}", lambda found: f"${snake(found[1]).upper()}", one.path)
    query = "&".join(f"{name}={value}" for name, value in examples.items() if name not in in_path)
    command = ["curl -sS --fail-with-body"]
    if one.method != ("POST" if one.body else "GET"):
        command[0] += f" -X {one.method}"
    command[0] += f' "$ELASTICLAKE_URL{place}{"?" if query else ""}{query}"'
    if one.tag != "health":
        command.append('-H "Authorization: Bearer $ELASTICLAKE_API_TOKEN"')
    if one.call is None:
        command.append("-N -H 'Accept: text/event-stream'")
    if one.body is not None:
        body = json.dumps(body_example(api, one), ensure_ascii=False)
        if len(body) > _BODY_WIDTH:
            body = textwrap.indent(json.dumps(json.loads(body), indent=2, ensure_ascii=False), "  ").lstrip()
        command.append(f"-H 'Content-Type: application/json' -d '{body}'")
    return "\n".join([*lines, " \\\n  ".join(command)])


def in_python(api: Document, one: Described, call: Operation) -> str:
    """The same call, by the client."""
    given = arguments(api, one, call)
    models = sorted(set(re.findall(r"\b(\w+Input)\(", ", ".join(given))))
    lines = [f"from elasticlake.client.models import {', '.join(models)}\n"] if models else []
    lines += ["from datetime import datetime\n"] if any("=datetime." in text for text in given) else []
    attribute = {"events": "event_log"}.get(one.tag, one.tag)
    written = f"client.{attribute}.{method_name(one.tag, one.document['operationId'])}({', '.join(given)})"
    if len(written) > _CALL_WIDTH:
        written = written[: written.index("(")] + "(\n" + "".join(f"    {text},\n" for text in given) + ")"
    if call.item is not None:
        return "\n".join([*lines, f"for item in {written}:\n    print(item)"])
    return "\n".join([*lines, written if call.answer is None else f"print({written})"])


def arguments(api: Document, one: Described, call: Operation) -> list[str]:
    """What the example gives: all that is required, and of the body what its example has."""
    body = body_example(api, one) if one.body is not None else {}
    examples = {p["name"]: example_of(p) for p in one.document.get("parameters", ()) if p.get("required")}
    found = []
    for argument in call.arguments:
        given = body if argument.place == "body" else examples
        if argument.api_name in given:
            value = python_value(given[argument.api_name], argument)
            found.append(value if argument.required else f"{argument.name}={value}")
    return found


def python_value(value: Any, argument: Argument) -> str:
    model = re.match(r"(\w+Input)\b", argument.type)
    if isinstance(value, dict) and model:
        return f"{model[1]}({', '.join(f'{snake(name)}={python_text(member)}' for name, member in value.items())})"
    if argument.type.startswith("datetime") and isinstance(value, str):
        return f"datetime.fromisoformat({python_text(value)})"
    return python_text(value)


def python_text(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(python_text(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {python_text(member)}" for name, member in value.items()) + "}"
    return repr(value)


def body_example(api: Document, one: Described) -> Document:
    """The body that the description shows; one made of its fields' examples where it shows none."""
    content = one.document["requestBody"]["content"]["application/json"]
    schema = schema_of(api, str(one.body))
    shown = example_of({**schema, **content})
    if isinstance(shown, dict):
        return shown
    required = schema.get("required", ())
    return {name: example_of(member) for name, member in schema["properties"].items() if name in required}


def example_of(node: Document) -> Any:
    """A parameter's, a member's or a document's example, wherever it stands; else its name in capitals."""
    for place in (node, node.get("schema", {})):
        if "example" in place:
            return place["example"]
        shown = place.get("examples")
        if isinstance(shown, list) and shown:
            return shown[0]
        if isinstance(shown, dict) and shown:
            return next(iter(shown.values()))["value"]
    return node.get("name", "").upper() or None


def schema_of(api: Document, name: str) -> Document:
    found: Document = api["components"]["schemas"][name]
    return found


def referred(schema: Document) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
