"""Writes the client's models and resources from the API's own description: `python -m tools.generate_client`.

The two clients have the same methods, so both are made here and neither is a copy of the other that could fall behind.
A test makes them anew and compares.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "src" / "elasticlake" / "client"
_HEAD = '"""{what}\n\nMade from the API\'s description by `tools/generate_client.py`: change that, not this.\n"""\n\n'
_WIDTH = 112
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_ATTRIBUTES = {"events": "event_log"}
"""What a resource's attribute is called where its tag's own name is taken by something better."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a method: its name in Python and in the API, where it goes, its type, what it is for."""

    name: str
    api_name: str
    place: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a resource."""

    name: str
    method: str
    path: str
    arguments: tuple[Argument, ...]
    answer: str | None
    item: str | None
    """Of a list in pages, what it lists."""
    text: str


def main() -> None:
    for name, text in generate(description()).items():
        (CLIENT / name).write_text(text)


def description() -> Document:
    """The API's description, without a server."""
    from fastapi import FastAPI

    from elasticlake.api.application import create_app
    from elasticlake.api.openapi_3_0 import in_3_0

    app: Any = create_app(None, "")  # type: ignore[arg-type]
    while not isinstance(app, FastAPI):
        app = app._app
    return with_words(in_3_0(app.openapi()))


def with_words(api: Document) -> Document:
    """The description with the words of each named set in the places where it is referred to: a client's types need no
    name for them."""
    schemas = api["components"]["schemas"]
    sets = {f"#/components/schemas/{name}": schema for name, schema in schemas.items() if "enum" in schema}

    def replaced(node: Any) -> Any:
        if isinstance(node, list):
            return [replaced(item) for item in node]
        if not isinstance(node, dict):
            return node
        words = sets.get(str(node.get("$ref")))
        if words is None:
            return {name: replaced(value) for name, value in node.items()}
        return {"enum": words["enum"], **{name: value for name, value in node.items() if name != "$ref"}}

    made: Document = replaced(api)
    made["components"]["schemas"] = {
        name: schema for name, schema in made["components"]["schemas"].items() if "enum" not in schema
    }
    return made


def generate(api: Document) -> dict[str, str]:
    """Each file's text by its name."""
    resources = resources_of(api)
    return {
        "models.py": formatted(models_text(api["components"]["schemas"])),
        "sync_resources.py": formatted(resources_text(resources, is_async=False)),
        "async_resources.py": formatted(resources_text(resources, is_async=True)),
    }


def formatted(text: str) -> str:
    """As the project formats: sorted imports, wrapped lines."""
    for command in (["check", "--select", "I,F401", "--fix-only", "--quiet", "-"], ["format", "--quiet", "-"]):
        run = [sys.executable, "-m", "ruff", *command[:-1], "--stdin-filename", str(CLIENT / "made.py"), "-"]
        text = subprocess.run(run, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def model_name(schema: str) -> str:
    """`LakeDocument` is the model `Lake`, `FilterBody` is `FilterInput` beside `Filter`."""
    page = re.fullmatch(r"DocumentPage_(\w+?)_", schema)
    if page:
        return f"{model_name(page[1])}Page"
    name = schema.removesuffix("Document")
    return name.removesuffix("Body") + "Input" if name.endswith("Body") else name


def python_type(schema: Document) -> str:
    """The annotation of a value."""
    nullable = " | None" if schema.get("nullable") else ""
    return _type(schema) + nullable


def _type(schema: Document) -> str:
    if "$ref" in schema:
        return model_name(schema["$ref"].rpartition("/")[2])
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return f"Literal[{', '.join(repr(one) for one in schema['enum'])}]"
    if schema.get("type") == "array":
        return f"list[{python_type(schema['items'])}]"
    if schema.get("type") == "object":
        members = schema.get("additionalProperties")
        return f"dict[str, {python_type(members)}]" if isinstance(members, dict) else "dict[str, Any]"
    if schema.get("format") == "date-time":
        return "datetime"
    return _SCALARS.get(schema.get("type", ""), "Any")


def models_text(schemas: Document) -> str:
    """Every model that an answer or an argument has."""
    parts = [
        _HEAD.format(what="What the REST API answers, and what it takes that has members of its own."),
        "from __future__ import annotations\n\n",
        "from dataclasses import dataclass, field\nfrom datetime import datetime\nfrom typing import Any, Literal\n\n",
        "from elasticlake.client.call import UNSET, Given\n",
    ]
    inputs = nested_inputs(schemas)
    for name, schema in schemas.items():
        if name in _PROBLEMS or (name in bodies(schemas) and name not in inputs):
            continue
        parts.append(model_text(name, schema, is_input=name in inputs))
    return "".join(parts)


def bodies(schemas: Document) -> set[str]:
    """The schemas that a caller sends: they refuse what they do not know."""
    return {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}


def nested_inputs(schemas: Document) -> set[str]:
    """Those that are members of another: the others become arguments."""
    found: set[str] = set()
    for name in bodies(schemas):
        for member in schemas[name]["properties"].values():
            found |= {ref for ref in re.findall(r"schemas/(\w+)'", str(member)) if ref in bodies(schemas)}
    return found


def model_text(name: str, schema: Document, *, is_input: bool) -> str:
    required = set(schema.get("required", ()))
    lines = [f"\n\n@dataclass(frozen=True, slots=True, kw_only=True)\nclass {model_name(name)}:\n"]
    lines.append(docstring(schema.get("description") or f"{model_name(name)}.", 4))
    for member, described in schema["properties"].items():
        kind, default = python_type(described), ""
        if is_input and member not in required:
            kind, default = f"Given[{kind}]", " = UNSET"
        elif member not in required:
            kind, default = (kind if kind.endswith("None") or kind == "Any" else f"{kind} | None"), " = None"
        hidden = " = field(repr=False)" if member in _SECRETS and not default else ""
        hidden = hidden or (" = field(default=None, repr=False)" if member in _SECRETS and default == " = None" else "")
        lines.append(f"    {snake(member)}: {kind}{hidden or default}\n")
        if described.get("description"):
            lines.append(docstring(described["description"], 4))
    return "".join(lines)


_PROBLEMS = frozenset({"Problem", "FieldFault"})
"""The client has errors of its own for these (`client/errors.py`)."""
_SECRETS = frozenset({"secret", "secretAccessKey", "token", "clientKey"})


def resources_of(api: Document) -> dict[str, list[Operation]]:
    """The operations of each tag, in the description's order; streams have a way of their own."""
    found: dict[str, list[Operation]] = {}
    for path, operations in api["paths"].items():
        for method, described in operations.items():
            if method == "parameters" or described["operationId"].startswith("stream"):
                continue
            tag = described["tags"][0]
            found.setdefault(tag, []).append(operation(api, tag, method, path, described))
    return found


def operation(api: Document, tag: str, method: str, path: str, described: Document) -> Operation:
    answer = answer_type(described)
    item = answer.removesuffix("Page") if answer and answer.endswith("Page") else None
    text = sentence(described["summary"]) + "\n\n" + described.get("description", "")
    arguments = tuple(arguments_of(api, described, is_list=item is not None))
    return Operation(method_name(tag, described["operationId"]), method.upper(), path, arguments, answer, item, text)


def method_name(tag: str, operation_id: str) -> str:
    """`createLake` of `lakes` is `lakes.create`; `rotateSecret` of `webhooks` is `webhooks.rotate_secret`."""
    singular = re.sub("ie$", "y", tag.removesuffix("s"))
    return snake(operation_id).removesuffix(f"_{tag}").removesuffix(f"_{singular}")


def answer_type(described: Document) -> str | None:
    answers = [answer for status, answer in described["responses"].items() if status.startswith("2")]
    content = next(iter(answers[0].get("content", {}).values()), None)
    return python_type(content["schema"]) if content is not None else None


def arguments_of(api: Document, described: Document, *, is_list: bool) -> list[Argument]:
    """The path's, then the body's and the query's; a list's cursor is the iterator's own business."""
    found = []
    for parameter in described.get("parameters", ()):
        if parameter["in"] == "header" or (is_list and parameter["name"] == "cursor"):
            continue
        name, place = parameter["name"], parameter["in"]
        text = parameter.get("description", "")
        if is_list and name == "limit":
            text = "How many a page has; the iterator goes on to the next page by itself."
        kind = python_type(parameter["schema"]).removesuffix(" | None")
        found.append(Argument(argument_name(name), name, place, kind, parameter.get("required", False), text))
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        schema = api["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        required = set(schema.get("required", ()))
        for name, member in schema["properties"].items():
            kind, text = python_type(member), member.get("description", "")
            found.append(Argument(argument_name(name), name, "body", kind, name in required, text))
    return sorted(found, key=lambda one: (one.place != "path", not one.required))


def resources_text(resources: dict[str, list[Operation]], *, is_async: bool) -> str:
    kind = "Async" if is_async else "Sync"
    iterator = "AsyncIterator" if is_async else "Iterator"
    parts = [
        _HEAD.format(what=f"The REST API's resources, {'to await' if is_async else 'one call after the other'}."),
        '# mypy: disable-error-code="no-any-return"\n',
        "from __future__ import annotations\n\n",
        f"from collections.abc import {iterator}, Mapping, Sequence\n",
        "from datetime import datetime\nfrom typing import Any, Literal\n\n",
        "from elasticlake.client import models\nfrom elasticlake.client.call import UNSET, Given, make_call\n",
        f"from elasticlake.client.{kind.lower()}_resource import {kind}Resource\n",
    ]
    for tag, operations in resources.items():
        parts.append(f"\n\nclass {kind}{tag.capitalize()}({kind}Resource):\n{docstring(f'What there is of {tag}.', 4)}")
        parts += [method_text(one, is_async=is_async) for one in operations]
    parts.append(f"\n\nclass {kind}Resources({kind}Resource):\n{docstring('Every resource, by its name.', 4)}\n")
    for tag in resources:
        parts.append(f"    @property\n    def {_ATTRIBUTES.get(tag, tag)}(self) -> {kind}{tag.capitalize()}:\n")
        parts.append(f"        return {kind}{tag.capitalize()}(self._transport)\n\n")
    return "".join(parts)


def method_text(one: Operation, *, is_async: bool) -> str:
    answer = qualified(one.item or one.answer or "None")
    if one.item is not None:
        # An async generator is called without `await`.
        heading = "def"
        result = f"{'AsyncIterator' if is_async else 'Iterator'}[{answer}]"
        act = "return self._pages"
    else:
        heading = "async def" if is_async else "def"
        result = answer
        act = ("" if answer == "None" else "return ") + ("await " if is_async else "") + "self._send"
    signature = ["self"]
    optional = [argument for argument in one.arguments if not argument.required]
    signature += [f"{a.name}: {taken(a.type)}" for a in one.arguments if a.required]
    signature += ["*"] if optional else []
    signature += [f"{a.name}: Given[{taken(a.type)}] = UNSET" for a in optional]
    told = [f"`{a.name}`: {first_sentence(a.description)}" for a in one.arguments if a.description]
    text = one.text + ("\n\n" + "\n".join(told) if told else "")
    type_ = qualified(one.item or one.answer) if one.answer else "None"
    places = []
    for place in ("path", "query", "body"):
        members = [f'"{a.api_name}": {a.name}' for a in one.arguments if a.place == place]
        if members:
            places.append(f"{place}={{{', '.join(members)}}}")
    if one.item is not None:
        type_ = qualified(one.answer or "")
    call = f'make_call("{one.method}", "{one.path}", {type_}' + "".join(f", {place}" for place in places) + ")"
    return (
        f"\n    {heading} {one.name}({', '.join(signature)}) -> {result}:\n{docstring(text, 8)}        {act}({call})\n"
    )


def qualified(kind: str | None) -> str:
    """The annotation with models by their module, so that no method's name hides one."""
    builtin = {"None", "Any", "Literal", "True", "False"}
    return re.sub(
        r"(?<![\w'.])([A-Z]\w*)(?!['\w])",
        lambda found: found[1] if found[1] in builtin else f"models.{found[1]}",
        kind or "None",
    )


def taken(kind: str) -> str:
    """An argument's annotation: any sequence and any mapping will do, and `list` is the name of a method."""
    return qualified(kind).replace("list[", "Sequence[").replace("dict[", "Mapping[")


def docstring(text: str, indent: int) -> str:
    """The text in our width, in the place of a docstring."""
    paragraphs = text.replace("\\", "\\\\").replace('"""', "'''").strip().split("\n\n")
    wrapped = [
        "\n".join(textwrap.fill(line, _WIDTH - indent, break_long_words=False) for line in _lines(paragraph))
        for paragraph in paragraphs
    ]
    body = "\n\n".join(wrapped)
    closing = "\n" if "\n" in body else ""
    return textwrap.indent(
        f'"""{body if closing else sentence(body)}{closing}"""\n', " " * indent, lambda line: bool(line.strip())
    )


def _lines(paragraph: str) -> list[str]:
    """A list keeps its lines; prose is filled anew."""
    lines = paragraph.split("\n")
    return lines if lines[0].startswith(("`", "- ")) else [" ".join(lines)]


def sentence(text: str) -> str:
    return text if text.endswith((".", "?", "…", ":", ")")) else text + "."


def first_sentence(text: str) -> str:
    """What an argument is for, in a line."""
    found = re.split(r"(?<=[.:;])\s", text.strip())[0].rstrip(":;")
    return sentence(found[:1].lower() + found[1:] if found[1:2].islower() else found)


def argument_name(name: str) -> str:
    words = snake(name)
    return f"{words}_" if keyword.iskeyword(words) else words


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


if __name__ == "__main__":
    main()
