"""Safe reading and writing of files: atomic replacement, checked archives and text."""

from . import _archive as archive
from ._atomic import remove_unfinished, replacing
from ._expansion import COMPRESSORS, expands_beyond
from ._formulas import escape_formula, unescape_formula
from ._locks import lock
from ._text import (
    check_lines,
    decode_text,
    find_delimiter,
    prefix_errors,
    read_content,
    read_start,
    read_text,
    size_limit,
    split_fields,
)

__all__ = [
    "COMPRESSORS",
    "archive",
    "check_lines",
    "decode_text",
    "escape_formula",
    "expands_beyond",
    "find_delimiter",
    "lock",
    "prefix_errors",
    "read_content",
    "read_start",
    "read_text",
    "remove_unfinished",
    "replacing",
    "size_limit",
    "split_fields",
    "unescape_formula",
]
