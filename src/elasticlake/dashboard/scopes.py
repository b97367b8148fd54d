"""What an access key may do, as a sentence; and as the fields of a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from elasticlake.dashboard import show
from elasticlake.dashboard.forms import Form
from elasticlake.model.accounts import PERMISSIONS, Scope

PLACES = ("lakes", "ponds", "buckets")
MEANINGS = {
    "read": "read objects and what is said of them",
    "write": "write objects and their metadata",
    "delete": "delete objects",
    "list": "list buckets and keys",
    "admin": "make and delete buckets, webhooks, and whatever manages them",
}


def words(scope: Scope) -> Markup:
    """`May read and list in bucket a--b--c, where keys begin with in/.`"""
    if scope == Scope():
        return Markup("May do everything.")
    doing = "do everything" if set(scope.permissions) == set(PERMISSIONS) else _joined(scope.permissions)
    places = [f"{kind[:-1]} {name}" for kind in PLACES for name in getattr(scope, kind)]
    where = Markup(" in {}").format(_joined(places)) if places else Markup()
    prefixes = [show.key(prefix) for prefix in scope.prefixes]
    beginning = Markup(", where keys begin with {}").format(_joined(prefixes, "or")) if prefixes else Markup()
    return Markup("May {}{}{}.").format(doing, where, beginning)


def from_form(form: Form) -> dict[str, Any]:
    """The scope that a form asks for, for the service to judge. A box that is not ticked is a permission less."""
    places = {kind: form.lines(f"scope.{kind}") for kind in PLACES}
    return {**places, "prefixes": _prefixes(form), "permissions": form.all("scope.permissions")}


def _prefixes(form: Form) -> list[str]:
    """Line by line as they are: a prefix may begin or end with a blank."""
    return [line for line in form.raw("scope.prefixes").split("\n") if line]


def _joined(parts: Sequence[str], word: str = "and") -> Markup:
    """`a`, `a and b`, `a, b and c`."""
    shown = [Markup("{}").format(part) for part in parts]
    if len(shown) < 2:
        return Markup().join(shown)
    return Markup(", ").join(shown[:-1]) + f" {word} " + shown[-1]
