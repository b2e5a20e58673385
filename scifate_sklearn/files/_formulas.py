"""Text in tables that spreadsheets would take for formulas."""

import re

# Spreadsheets run text that begins with these characters, those of East Asian keyboards included;
# an apostrophe marks it as text.
_FORMULA = re.compile(r"[=+\-@＝＋－＠\t\r\n]")
_ESCAPED = re.compile(rf"'+{_FORMULA.pattern}")


def escape_formula(text: str) -> str:
    """Return text with an apostrophe before the beginning of a formula.

    Text that begins with an apostrophe and a formula gets another one, so that
    `unescape_formula` returns the original.

    >>> escape_formula("=1+1"), escape_formula("E2F1")
    ("'=1+1", 'E2F1')
    """
    return f"'{text}" if _FORMULA.match(text) or _ESCAPED.match(text) else text


def unescape_formula(text: str) -> str:
    """Return text as it was before `escape_formula`.

    >>> unescape_formula("'=1+1"), unescape_formula("'text'")
    ('=1+1', "'text'")
    """
    return text[1:] if _ESCAPED.match(text) else text
