"""Deleting: one object, those that were selected, or all under a prefix. First the page counts what goes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.responses import Response

from elasticlake.dashboard.forms import Form
from elasticlake.dashboard.show import counted, in_url
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import InvalidInput
from elasticlake.service.access import may
from elasticlake.service.conditions import NONE

BATCH = 1000
"""Objects that go in one transaction, as in S3's DeleteObjects."""
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to go: these keys, and all under these prefixes; of the first prefix, what lies beyond `after`.

    `deleted` and `refused` count what became of what was selected before."""

    keys: tuple[bytes, ...] = ()
    prefixes: tuple[bytes, ...] = ()
    after: bytes = b""
    deleted: int = 0
    refused: int = 0

    @classmethod
    def of_form(cls, form: Form) -> Selection:
        return cls(
            tuple(form.keys("key")), tuple(form.keys("prefix")), form.key("after"),
            _number(form.text("deleted")), _number(form.text("refused")),
        )  # fmt: skip

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields of the form that asks for the next batch."""
        return [
            *(("key", in_url(key)) for key in self.keys),
            *(("prefix", in_url(prefix)) for prefix in self.prefixes),
            ("after", in_url(self.after)),
            ("deleted", str(self.deleted)),
            ("refused", str(self.refused)),
        ]

    @property
    def is_empty(self) -> bool:
        return not self.keys and not self.prefixes

    @property
    def names(self) -> list[bytes]:
        """The first of what was selected."""
        return [*self.keys, *self.prefixes][:_NAMED]

    @property
    def others(self) -> int:
        """How many more were selected."""
        return len(self.keys) + len(self.prefixes) - len(self.names)

    def went(self, deleted: int, refused: int) -> Selection:
        return replace(self, deleted=self.deleted + deleted, refused=self.refused + refused)


async def confirm(visit: Visit) -> Response:
    """The question for what a link names."""
    parameters = visit.request.query_params
    keys = tuple(key.encode() for key in parameters.getlist("key"))
    prefixes = tuple(prefix.encode() for prefix in parameters.getlist("prefix"))
    return await _ask(visit, Selection(keys, prefixes), visit.query("folder").encode())


async def confirm_selected(visit: Visit) -> Response:
    """The question for what boxes were ticked for."""
    form = await visit.form()
    return await _ask(visit, Selection.of_form(form), form.key("folder"))


async def delete(visit: Visit) -> Response:
    """One batch of what is to go. A script asks for the next one; without it the page does."""
    form = await visit.form()
    selection, folder = Selection.of_form(form), form.key("folder")
    if selection.is_empty:
        raise InvalidInput("key", "Select what shall go.")
    left = await _delete_batch(visit, selection)
    if "application/json" in visit.request.headers.get("accept", ""):
        answer = {"deleted": left.deleted, "refused": left.refused, "next": None if left.is_empty else left.fields}
        return visit.json(answer) if answer["next"] else visit.leave(visit.json(answer), _said(left))
    if left.is_empty:
        return visit.redirect(f"{PREFIX}/buckets/{visit.path('bucket')}", _said(left), **_at(folder))
    return await _ask(visit, left, folder)


async def _ask(visit: Visit, selection: Selection, folder: bytes) -> Response:
    name = visit.path("bucket")
    if selection.is_empty:
        return visit.redirect(f"{PREFIX}/buckets/{name}", "Nothing was selected.", **_at(folder))
    bucket = await visit.services.buckets.get(visit.as_request, name, "list")
    measure = await visit.services.measures.of_selection(visit.caller, name, selection.keys, selection.prefixes)
    return visit.page(
        "delete.html",
        title=f"Delete from {name}",
        bucket=bucket,
        selection=selection,
        folder=folder,
        measure=measure,
        may_delete=all(may(visit.caller, bucket, "delete", name) for name in selection.names),
    )


async def _delete_batch(visit: Visit, selection: Selection) -> Selection:
    """Delete the next thousand; returns what is left."""
    if selection.keys:
        batch, rest = selection.keys[:BATCH], selection.keys[BATCH:]
        return replace(selection, keys=rest).went(*await _delete_keys(visit, batch))
    prefix = selection.prefixes[0]
    _, page = await visit.services.objects.list_page(
        visit.caller, visit.path("bucket"), prefix=prefix, delimiter=b"", after=selection.after, limit=BATCH
    )
    counts = await _delete_keys(visit, tuple(item.key for item in page.items))
    if page.truncated and page.last is not None:
        return replace(selection, after=page.last).went(*counts)
    return replace(selection, prefixes=selection.prefixes[1:], after=b"").went(*counts)


async def _delete_keys(visit: Visit, keys: tuple[bytes, ...]) -> tuple[int, int]:
    """How many are gone, and how many were refused."""
    if not keys:
        return 0, 0
    outcomes = await visit.services.objects.delete_many(
        visit.as_request, visit.path("bucket"), [(key, NONE) for key in keys]
    )
    refused = sum(outcome is not None for outcome in outcomes)
    return len(keys) - refused, refused


def _said(done: Selection) -> str:
    message = f"{counted(done.deleted, 'object')} deleted."
    if done.refused:
        message += f" {counted(done.refused, 'object')} could not be deleted: this access key may not."
    return message


def _at(folder: bytes) -> dict[str, str]:
    return {"prefix": folder.decode("utf-8", "replace")} if folder else {}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
