"""Writes docs/configuration.md from the settings themselves: `python -m tools.generate_configuration_reference`.

A test makes it anew and compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ByteSize

from elasticlake.config.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
INTRODUCTION = Path(__file__).with_name("configuration_introduction.md")
CREDENTIALS = Path(__file__).with_name("configuration_credentials.md")

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Where it is": (
        "Behind a proxy, say so: a server that listens on loopback alone, with neither `public_url` nor "
        "`trusted_proxy`, takes itself for a developer's and lets webhooks call this machine.",
        ("listen", "public_url", "trusted_proxy", "domain", "tls_cert", "tls_key"),
    ),
    "Where the data is": (
        "One machine needs the folder alone. Many share a PostgreSQL and an object store: [scaling](scaling.md).",
        ("data", "metadata", "blobs", "role", "workers", "min_free_space", "blob_grace_seconds"),
    ),
    "Where webhooks may call": (
        "Endpoints are `https` at public addresses, unless you allow more; what counts is the address that is dialled.",
        ("egress_allow", "egress_http"),
    ),
    "What is kept, and how long": (
        "Objects stay until somebody deletes them. This is about what is known of them.",
        (
            *("history", "history_days", "event_retention_days", "event_retention_size"),
            "activity_retention_days",
        ),
    ),
    "Logs": (
        "Logs go to stderr, a line each.",
        ("access_log", "log_level", "log_format"),
    ),
    "Credentials": (
        "What is not given is made at the first start, and kept.",
        ("root_access_key", "root_secret_key", "api_token", "dashboard_password", "master_key", "master_key_file"),
    ),
}
SECRETS = ("root_access_key", "root_secret_key", "api_token", "dashboard_password")
WITHOUT_FLAG = (*SECRETS, "master_key")


def main() -> None:
    PAGE.write_text(generate())


def generate() -> str:
    """The page."""
    parts = [INTRODUCTION.read_text().rstrip()]
    for title, (about, names) in GROUPS.items():
        head = "| flag | variable | in the file | default | meaning |\n| --- | --- | --- | --- | --- |"
        parts += [f"## {title}", about, "\n".join([head, *map(_row, names)])]
    return "\n\n".join([*parts, CREDENTIALS.read_text()])


def _row(name: str) -> str:
    flag = "–" if name in WITHOUT_FLAG else f"`--{name.replace('_', '-')}`"
    setting = Settings.model_fields[name]
    choices = get_args(setting.annotation) if get_origin(setting.annotation) is Literal else ()
    listed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
    default = "made" if name in SECRETS else _default(setting.default)
    return f"| {flag} | `ELASTICLAKE_{name.upper()}` | `{name}` | {default} | {setting.description}{listed} |"


def _default(default: Any) -> str:
    match default:
        case None | ():
            return "–"
        case bool():
            return "on" if default else "off"
        case ByteSize():
            return f"`{default.human_readable(separator='').replace('.0', '')}`"
        case _:
            return f"`{default}`"


if __name__ == "__main__":
    main()
