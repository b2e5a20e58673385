"""Text of untrusted names."""

import re


def as_text(value: object) -> str:
    r"""Return a text on one line, with characters that cannot be seen escaped.

    Such characters could hide a part of a name, or turn the direction of the text around it.

    >>> as_text("a\u202eb")
    'a\\u202eb'
    """
    text = " ".join(re.split(r"[\t\r\n ]+", str(value)))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
