"""Accounts: whose the buckets and the keys are."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import AlreadyExists, InvalidInput

ACCOUNTS = f"{PREFIX}/accounts"


async def list_accounts(visit: Visit) -> Response:
    return await _accounts_page(visit)


async def create_account(visit: Visit) -> Response:
    form = await visit.form()
    try:
        made = await visit.services.accounts.create(
            visit.token, form.text("id") or None, form.text("displayName"), form.text("email")
        )
    except InvalidInput as error:
        return await _accounts_page(visit, {error.field: str(error)}, form.values())
    except AlreadyExists as error:
        return await _accounts_page(visit, {"id": str(error)}, form.values())
    return visit.redirect(ACCOUNTS, f"Account {made.id} was made.")


async def show_account(visit: Visit) -> Response:
    return await _account_page(visit)


async def change_account(visit: Visit) -> Response:
    account_id, form = visit.path("account"), await visit.form()
    try:
        await visit.services.accounts.change(visit.token, account_id, form.text("displayName"), form.text("email"))
    except InvalidInput as error:
        return await _account_page(visit, {error.field: str(error)}, form.values())
    return visit.redirect(ACCOUNTS, f"Account {account_id} was changed.")


async def ask_delete(visit: Visit) -> Response:
    account = await visit.services.accounts.get(visit.token, visit.path("account"))
    return visit.page(
        "question.html",
        title="Delete account",
        heading=f"Delete account {account.id}?",
        text="Its access keys go with it and stop working at once. It can only go while it owns no lake, bucket or "
        "webhook.",
        button="Delete the account",
        action=f"{ACCOUNTS}/{account.id}/delete",
        fields={},
        back=f"{ACCOUNTS}/{account.id}",
    )


async def delete_account(visit: Visit) -> Response:
    account_id = visit.path("account")
    await visit.services.accounts.delete(visit.token, account_id)
    return visit.redirect(ACCOUNTS, f"Account {account_id} was deleted.")


async def _accounts_page(
    visit: Visit, faults: dict[str, str] | None = None, values: dict[str, str] | None = None
) -> Response:
    page = await visit.services.accounts.list(visit.token, visit.page_request())
    return visit.page("accounts.html", title="Accounts", page=page, faults=faults, values=values)


async def _account_page(
    visit: Visit, faults: dict[str, str] | None = None, values: dict[str, str] | None = None
) -> Response:
    account = await visit.services.accounts.get(visit.token, visit.path("account"))
    shown = values or {"displayName": account.display_name, "email": account.email}
    return visit.page("account.html", title=account.display_name, account=account, faults=faults, values=shown)
