"""What of an object can be shown on its page, and how. Never as a document of its own: HTML is shown as its text."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from elasticlake.model.objects import DEFAULT_CONTENT_TYPE, ObjectVersion

Kind = Literal["image", "audio", "video", "pdf", "csv", "json", "text", "none"]

READ_BYTES = 64 * 1024
"""How much of a text is read."""
MAX_PDF_BYTES = 32 * 1024**2
MAX_ROWS = 200
MAX_COLUMNS = 50
_MAX_INDENT = 40
_UNTOLD = {"", DEFAULT_CONTENT_TYPE, "application/octet-stream"}
_IMAGES = {"png", "jpeg", "gif", "webp", "avif", "bmp", "svg+xml", "x-icon", "vnd.microsoft.icon"}
_AUDIO = {"mpeg", "mp3", "mp4", "aac", "ogg", "opus", "wav", "x-wav", "flac", "x-flac", "webm", "x-m4a"}
_VIDEO = {"mp4", "webm", "ogg", "x-matroska", "quicktime"}
_TEXTS = {
    "application/xml", "application/javascript", "application/x-javascript", "application/yaml", "application/x-yaml",
    "application/toml", "application/sql", "application/x-sh", "application/xhtml+xml", "application/x-httpd-php",
}  # fmt: skip
_LINES = {"application/x-ndjson", "application/jsonl"}
_BY_NAME: dict[str, Kind] = {
    "csv": "csv", "json": "json",
    **dict.fromkeys((
        "txt", "md", "log", "xml", "yaml", "yml", "toml", "ini", "conf", "cfg", "env", "html", "htm", "css", "js", "ts",
        "py", "rs", "go", "java", "c", "h", "cpp", "rb", "php", "sh", "sql", "tsv", "jsonl", "ndjson",
    ), "text"),
}  # fmt: skip

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Preview:
    """How the object is shown: for a text `text`, for a table `rows`. `is_cut` where there is more of it."""

    kind: Kind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    is_cut: bool = False


def kind_of(version: ObjectVersion) -> Kind:
    """As what the object can be shown, by its content type; by its name where the type says nothing."""
    media, _, form = version.attributes.content_type.partition(";")[0].strip().lower().partition("/")
    kind = _by_type(media, form)
    if f"{media}/{form}".strip("/") in _UNTOLD or not form:
        kind = _BY_NAME.get(version.key.decode().rpartition(".")[2].lower(), "none")
    is_encoded = "content-encoding" in version.attributes.headers
    if (is_encoded and kind in ("csv", "json", "text")) or (kind == "pdf" and version.size_bytes > MAX_PDF_BYTES):
        return "none"
    return kind


def _by_type(media: str, form: str) -> Kind:
    whole = f"{media}/{form}"
    shown: tuple[tuple[bool, Kind], ...] = (
        (media == "image" and form in _IMAGES, "image"),
        (media == "audio" and form in _AUDIO, "audio"),
        (media == "video" and form in _VIDEO, "video"),
        (whole == "application/pdf", "pdf"),
        (whole == "text/csv", "csv"),
        (whole == "application/json" or form.endswith("+json"), "json"),
        (media == "text" or whole in _TEXTS or whole in _LINES or form.endswith("+xml"), "text"),
    )
    return next((kind for holds, kind in shown if holds), "none")


def read_preview(kind: Kind, data: bytes, size_bytes: int) -> Preview:
    """The preview of a text whose first `READ_BYTES` are `data`."""
    is_cut = size_bytes > len(data)
    text = data.decode("utf-8-sig", "replace").replace("\x00", "\ufffd")
    if kind == "csv":
        return _table(text, is_cut)
    if kind == "json" and not is_cut:
        return Preview("json", _pretty(text))
    return Preview("text", text, is_cut=is_cut)


def _pretty(text: str) -> str:
    """The document with a line for each member, its numbers as they were written; as it is if it is none."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    lines, depth, before = [""], 0, ""
    for token in _TOKENS.findall(text):
        closes, opened = token in ("}", "]"), before in ("{", "[")
        depth -= closes
        if (not opened) if closes else (opened or before == ","):
            lines.append("  " * min(depth, _MAX_INDENT))
        lines[-1] += ": " if token == ":" else token
        depth += token in ("{", "[")
        before = token
    pretty = "\n".join(lines)
    return pretty if len(pretty) <= 2 * READ_BYTES else text


def _table(text: str, is_cut: bool) -> Preview:
    """The first rows, the last of which is left out where the text was cut within it."""
    lines = text[: text.rfind("\n") + 1] if is_cut and "\n" in text else text
    try:
        read = list(islice(csv.reader(io.StringIO(lines, newline=""), _dialect(lines)), MAX_ROWS + 2))
    except csv.Error:
        return Preview("text", text, is_cut=is_cut)
    rows = tuple(tuple(row[:MAX_COLUMNS]) for row in read[: MAX_ROWS + 1])
    return Preview("csv", rows=rows, is_cut=is_cut or len(read) > len(rows))


def _dialect(text: str) -> type[csv.excel]:
    """Comma, semicolon or tab: whichever the first line has most of."""
    first = text.partition("\n")[0]

    class Dialect(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Dialect
