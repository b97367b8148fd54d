"""The REST API's tokens: a list, a form for a new one, and the page that shows its text once."""

from __future__ import annotations

import json

from starlette.responses import Response

from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import InvalidInput, NoSuchAccount

TOKENS = f"{PREFIX}/tokens"
MADE = f"{TOKENS}/made"


async def list_tokens(visit: Visit) -> Response:
    return await _tokens_page(visit)


async def create_token(visit: Visit) -> Response:
    form = await visit.form()
    named = tuple(form.lines("accounts")) if form.text("reach") == "some" else None
    try:
        made, text = await visit.services.tokens.create(
            visit.token, name=form.text("name"), account_ids=named, access=form.text("access")
        )
    except InvalidInput as error:
        return await _tokens_page(visit, {error.field: str(error)}, form.values())
    except NoSuchAccount:
        fault = "Not all of these accounts exist: name one a line, by its id."
        return await _tokens_page(visit, {"accounts": fault}, form.values())
    return visit.show_once(MADE, json.dumps([made.id, text]))


async def show_made(visit: Visit) -> Response:
    """The new token's text: by now nothing but the browser's cookie holds it, and it goes with this answer."""
    sealed = visit.once()
    token_id, text = json.loads(sealed) if sealed else ("", "")
    return visit.forget_once(visit.page("token_made.html", title="New token", token_id=token_id, text=text))


async def ask_delete(visit: Visit) -> Response:
    token_id = visit.query("token")
    return visit.page(
        "question.html",
        title="Delete token",
        heading=f"Delete token {token_id}?",
        text="It stops working at once, for every program that uses it.",
        button="Delete the token",
        action=f"{TOKENS}/delete",
        fields={"token": token_id},
        back=TOKENS,
    )


async def delete_token(visit: Visit) -> Response:
    token_id = (await visit.form()).text("token")
    await visit.services.tokens.delete(visit.token, token_id)
    return visit.redirect(TOKENS, f"Token {token_id} was deleted.")


async def _tokens_page(
    visit: Visit, faults: dict[str, str] | None = None, values: dict[str, str] | None = None
) -> Response:
    page = await visit.services.tokens.list(visit.token, visit.page_request())
    return visit.page("tokens.html", title="Tokens", page=page, faults=faults, values=values)
