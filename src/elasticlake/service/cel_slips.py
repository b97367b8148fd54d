"""What other languages say and CEL does not, named in the words of whoever wrote it.

CEL's parser would refuse it too, but tell what it expected instead. Nothing is refused here that CEL could read.
"""

from __future__ import annotations

from elasticlake.service.cel_words import Token, fault, short

_SIGNS = {
    "=~": 'write object.key.matches("…") instead of =~.',
    "=>": "write >= instead of =>.",
    "=<": "write <= instead of =<.",
    "=": "write == to compare.",
    "<>": "write != instead of <>.",
    "&": "write && instead of &.",
    "|": "write || instead of |.",
    '"': "the text that begins here has no end.",
    "'": "the text that begins here has no end.",
}
_WORDS = {"and": "&&", "or": "||", "not": "!"}


def require_none(text: str, tokens: list[Token]) -> None:
    """Raise `InvalidWebhook`, with the place, for the first such slip."""
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        found = _slip(before, token, after)
        if found is not None:
            fault(text, token.at, found)


def _slip(before: Token | None, token: Token, after: Token | None) -> str | None:
    if token.kind == "sign":
        return _sign(token, after)
    if token.kind == "number":
        return _number(token, after)
    if token.kind == "name" and _is_operator(before, token, after):
        return f"write {_WORDS[token.text.lower()]} instead of {token.text}."
    return None


def _sign(token: Token, after: Token | None) -> str | None:
    both = token.text + after.text if after is not None and _touches(token, after) else ""
    return _SIGNS.get(both) or _SIGNS.get(token.text)


def _number(token: Token, after: Token | None) -> str | None:
    if after is None or after.kind != "name" or after.text == "in" or not _touches(token, after):
        return None
    return f"a number is digits alone, not {short(token.text + after.text)}."


def _is_operator(before: Token | None, token: Token, after: Token | None) -> bool:
    """Whether the word stands where CEL could have no name: after an operand, or `not` before one. A macro may well
    bind a name like that."""
    if token.text.lower() not in _WORDS:
        return False
    if before is not None and _ends_operand(before):
        return True
    is_member = before is not None and before.text == "."
    return token.text.lower() == "not" and not is_member and after is not None and _begins_operand(after)


def _ends_operand(token: Token) -> bool:
    if token.kind == "sign":
        return token.text in (")", "]", "}")
    return token.text != "in"


def _begins_operand(token: Token) -> bool:
    return token.text == "(" if token.kind == "sign" else token.text != "in"


def _touches(token: Token, after: Token) -> bool:
    return token.at + len(token.text) == after.at
