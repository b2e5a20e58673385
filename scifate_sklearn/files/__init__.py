"""Safe reading and writing of files: atomic replacement, checked archives, parts and text."""

from . import _archive as archive
from ._atomic import replacing
from ._lock import lock_file, share_lock
from ._parts import Part, PartFolder, PartKind
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
    "Part",
    "PartFolder",
    "PartKind",
    "archive",
    "check_lines",
    "decode_text",
    "find_delimiter",
    "lock_file",
    "prefix_errors",
    "read_content",
    "read_start",
    "read_text",
    "replacing",
    "share_lock",
    "size_limit",
    "split_fields",
]
