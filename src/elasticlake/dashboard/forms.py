"""Forms as browsers send them, within bounds."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.requests import Request

from elasticlake.errors import ElasticLakeError

MAX_FIELDS = 2000


class BadForm(ElasticLakeError):
    """What was sent is no form."""


class Texts(dict[str, str]):
    """Texts by the names of fields; empty for what it has not."""

    def __missing__(self, name: str) -> str:
        return ""


class Form:
    """The fields of a form, in order."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return any(known == name for known, _ in self._fields)

    def text(self, name: str, default: str = "") -> str:
        """The field, without blanks around it."""
        return self.raw(name, default).strip()

    def raw(self, name: str, default: str = "") -> str:
        """The field as it was sent: keys and secrets may begin with a blank. A browser's line ends are LF."""
        return next((value for known, value in self._fields if known == name), default).replace("\r\n", "\n")

    def all(self, name: str) -> list[str]:
        """Every value of a field that may come several times."""
        return [value for known, value in self._fields if known == name]

    def key(self, name: str) -> bytes:
        """A key, which is percent-encoded within its field: a browser would change line ends, and drop NUL."""
        return unquote_to_bytes(self.raw(name))

    def keys(self, name: str) -> list[bytes]:
        """Every key of a field, as `key` reads one."""
        return [unquote_to_bytes(value) for value in self.all(name)]

    def lines(self, name: str) -> list[str]:
        """The lines of a text area that are not empty."""
        return [line for line in (line.strip() for line in self.raw(name).split("\n")) if line]

    def checked(self, name: str) -> bool:
        """Whether the box was ticked."""
        return name in self

    def values(self) -> Texts:
        """The first value of each field, to show the form again."""
        return Texts(reversed(self._fields))


async def read_form(request: Request) -> Form:
    """The body, which is urlencoded; raises `BadForm`."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise BadForm("Send a form.")
    try:
        text = (await request.body()).decode("ascii")
        return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except ValueError:
        raise BadForm("The form cannot be read.") from None
