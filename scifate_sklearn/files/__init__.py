"""Safe reading and writing of files: atomic replacement, checked archives and text."""

from . import _archive as archive
from ._atomic import replacing
from ._expansion import COMPRESSORS, expands_beyond
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
    "expands_beyond",
    "find_delimiter",
    "prefix_errors",
    "read_content",
    "read_start",
    "read_text",
    "replacing",
    "size_limit",
    "split_fields",
]
