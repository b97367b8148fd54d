"""OpenAPI 3.1 in the words of 3.0.3, for the bundled page and for generators of clients that know no other."""

from __future__ import annotations

from typing import Any

VERSION = "3.0.3"
_SCHEMAS = "#/components/schemas/"


def in_3_0(document: dict[str, Any]) -> dict[str, Any]:
    """The description without what 3.0 has no place for: the webhooks, and the schemas that they alone use."""
    made: dict[str, Any] = _downgraded({name: part for name, part in document.items() if name != "webhooks"})
    made["openapi"] = VERSION
    made["info"]["license"].pop("identifier")
    made["components"].pop("parameters", None)
    schemas = made["components"].pop("schemas")
    used = _used(made, schemas)
    made["components"]["schemas"] = {name: schema for name, schema in schemas.items() if name in used}
    return made


def _used(document: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """The schemas that the document refers to, through others too."""
    used: set[str] = set()
    nodes: list[Any] = [document]
    while nodes:
        node = nodes.pop()
        nodes += node if isinstance(node, list) else node.values() if isinstance(node, dict) else ()
        reference = node.get("$ref") if isinstance(node, dict) else None
        if isinstance(reference, str) and reference.startswith(_SCHEMAS):
            name = reference.removeprefix(_SCHEMAS)
            if name not in used:
                used.add(name)
                nodes.append(schemas[name])
    return used


def _downgraded(node: Any) -> Any:
    """Null is `nullable`, a list of examples is its first, `const` is an `enum` of one."""
    if isinstance(node, list):
        return [_downgraded(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {name: value if _is_shown(name, value) else _downgraded(value) for name, value in node.items()}
    if isinstance(node.get("examples"), list):
        made["example"] = node["examples"][0]
        del made["examples"]
    if isinstance(made.get("anyOf"), list) and {"type": "null"} in made["anyOf"]:
        return _nullable(made)
    made.pop("propertyNames", None)
    if isinstance(made.get("exclusiveMinimum"), int | float):
        made |= {"minimum": made["exclusiveMinimum"], "exclusiveMinimum": True}
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made


def _is_shown(name: str, value: Any) -> bool:
    """Whether this is an example, which is no part of the description's own words."""
    return name == "example" or (name == "examples" and isinstance(value, dict))


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    others = [choice for choice in schema.pop("anyOf") if choice != {"type": "null"}]
    if len(others) > 1:
        return {**schema, "anyOf": others, "nullable": True}
    if "$ref" in others[0]:
        return {**schema, "allOf": others, "nullable": True}
    return {**others[0], **schema, "nullable": True}
