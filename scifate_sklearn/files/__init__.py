"""Safe reading and writing of files: atomic replacement, checked archives, parts and text."""

from . import _archive as archive
from ._advice import AdvisedError, prefix_errors
from ._atomic import remove_unfinished, replacing
from ._delimited import (
    MAX_FIELDS,
    DelimitedText,
    find_delimiter,
    is_comment,
    is_repeated_header,
    is_spreadsheet_error,
    split_fields,
)
from ._expansion import COMPRESSORS, expands_beyond
from ._formulas import escape_formula, unescape_formula
from ._lock import lock_file, share_lock
from ._parts import Part, PartFolder, PartKind
from ._text import (
    check_lines,
    decode_text,
    is_parquet,
    open_decompressed,
    read_content,
    read_start,
    read_text,
    require_file,
    size_error,
    size_limit,
)

__all__ = [
    "COMPRESSORS",
    "MAX_FIELDS",
    "AdvisedError",
    "DelimitedText",
    "Part",
    "PartFolder",
    "PartKind",
    "archive",
    "check_lines",
    "decode_text",
    "escape_formula",
    "expands_beyond",
    "find_delimiter",
    "is_comment",
    "is_parquet",
    "is_repeated_header",
    "is_spreadsheet_error",
    "lock_file",
    "open_decompressed",
    "prefix_errors",
    "read_content",
    "read_start",
    "read_text",
    "remove_unfinished",
    "replacing",
    "require_file",
    "share_lock",
    "size_error",
    "size_limit",
    "split_fields",
    "unescape_formula",
]
