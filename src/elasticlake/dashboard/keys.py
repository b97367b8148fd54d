"""Access keys: those of each account, a form for a new one, and the page that shows its secret once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches

from starlette.responses import Response

from elasticlake.dashboard import scopes
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import AlreadyExists, InvalidInput, NoSuchAccount, NoSuchBucket
from elasticlake.model.accounts import PERMISSIONS, AccessKey, Account
from elasticlake.model.names import BucketName
from elasticlake.service.accounts import NewKey
from elasticlake.service.pages import Page, PageRequest

KEYS = f"{PREFIX}/keys"
MADE = f"{KEYS}/made"
_ACCOUNTS_SHOWN = 20
_KEYS_SHOWN = 10
_ACCOUNTS_OFFERED = 200
_BUCKETS_COMPARED = 1000


@dataclass(frozen=True, slots=True)
class _AccountView:
    """An account and the first of its keys."""

    account: Account
    keys: Page[AccessKey]


class _NoBucketYet(InvalidInput):
    """A key may be made before its buckets are: whoever means it says so."""


async def list_keys(visit: Visit) -> Response:
    """The first keys of every account; of the one that the query names, all, in pages."""
    accounts, name = visit.services.accounts, visit.query("account")
    if name:
        account = await accounts.get(visit.token, name)
        keys = await accounts.list_keys(visit.token, name, visit.page_request())
        views, next_cursor = [_AccountView(account, keys)], keys.next_cursor
    else:
        page = await accounts.list(visit.token, visit.page_request(_ACCOUNTS_SHOWN))
        views = [await _first_keys(visit, account) for account in page.items]
        next_cursor = page.next_cursor
    return visit.page("keys.html", title="Access keys", views=views, next_cursor=next_cursor, only=name)


async def new_key(visit: Visit) -> Response:
    given = {"account": visit.query("account", visit.viewer.key.account_id)}
    return await _form(visit, given, list(PERMISSIONS))


async def create_key(visit: Visit) -> Response:
    form = await visit.form()
    scope = scopes.from_form(form)
    new = NewKey(form.text("accessKeyId") or None, form.raw("secretAccessKey") or None, scope)
    try:
        if not scope["permissions"]:
            raise InvalidInput("scope.permissions", "A key that may do nothing is of no use: tick one at least.")
        if not form.text("anyway"):
            await _require_buckets(visit, scope["buckets"])
        key = await visit.services.accounts.create_key(visit.token, form.text("account"), new)
    except (InvalidInput, AlreadyExists, NoSuchAccount) as error:
        is_early = isinstance(error, _NoBucketYet)
        return await _form(visit, form.values(), scope["permissions"], _faults(error), is_early=is_early)
    return visit.show_once(MADE, json.dumps([key.id, key.account_id, key.secret]))


async def show_made(visit: Visit) -> Response:
    """The new key with its secret: by now nothing but the browser's cookie holds it, and it goes with this answer."""
    sealed = visit.once()
    key_id, account, secret = json.loads(sealed) if sealed else ("", "", "")
    response = visit.page("key_made.html", title="New access key", key_id=key_id, account=account, secret=secret)
    return visit.forget_once(response)


async def ask_delete(visit: Visit) -> Response:
    account, key_id = visit.query("account"), visit.query("key")
    await visit.services.accounts.get(visit.token, account)
    return visit.page(
        "question.html",
        title="Delete access key",
        heading=f"Delete access key {key_id}?",
        text="It stops working at once, for every program that uses it. What it has stored stays.",
        button="Delete the key",
        action=f"{KEYS}/delete",
        fields={"account": account, "key": key_id},
        back=KEYS,
    )


async def delete_key(visit: Visit) -> Response:
    form = await visit.form()
    await visit.services.accounts.delete_key(visit.token, form.text("account"), form.text("key"))
    return visit.redirect(KEYS, f"Access key {form.text('key')} was deleted.")


async def _first_keys(visit: Visit, account: Account) -> _AccountView:
    request = PageRequest(limit=_KEYS_SHOWN)
    return _AccountView(account, await visit.services.accounts.list_keys(visit.token, account.id, request))


async def _form(
    visit: Visit,
    values: dict[str, str],
    permissions: list[str],
    faults: dict[str, str] | None = None,
    *,
    is_early: bool = False,
) -> Response:
    page = await visit.services.accounts.list(visit.token, PageRequest(limit=_ACCOUNTS_OFFERED))
    offered = sorted({account.id for account in page.items} | ({values["account"]} - {""}))
    return visit.page(
        "key_new.html",
        title="New access key",
        accounts=offered,
        permissions=permissions,
        meanings=scopes.MEANINGS,
        values=values,
        faults=faults,
        is_early=is_early,
    )


async def _require_buckets(visit: Visit, names: list[str]) -> None:
    """Raise `InvalidInput` for names that no bucket has, with what may have been meant."""
    missing = [name for name in names if not await _exists(visit, name)]
    if not missing:
        return
    page = await visit.services.hierarchy.list_buckets(visit.token, PageRequest(limit=_BUCKETS_COMPARED))
    known = [bucket.name for bucket in page.items]
    raise _NoBucketYet("scope.buckets", " ".join(_missing(name, known) for name in missing))


def _missing(name: str, known: list[BucketName]) -> str:
    meant = [one.name for one in known if one.slug == name] or get_close_matches(name, [one.name for one in known])
    return f"There is no bucket {name}" + (f"; did you mean {meant[0]}?" if meant else ".")


async def _exists(visit: Visit, name: str) -> bool:
    try:
        await visit.services.hierarchy.get_bucket(visit.token, name)
    except NoSuchBucket:
        return False
    except InvalidInput:
        return True  # whatever is wrong with the name, the service says it
    return True


def _faults(error: InvalidInput | AlreadyExists | NoSuchAccount) -> dict[str, str]:
    """Which field is wrong, and why."""
    if isinstance(error, InvalidInput):
        return {error.field: str(error)}
    return {"account" if isinstance(error, NoSuchAccount) else "accessKeyId": str(error)}
