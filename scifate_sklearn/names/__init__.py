"""Names of genes and TFs: matching, renaming, coding, and lists of TFs."""

from ._codes import as_flags, as_names, name_codes, rename_rows
from ._lists import read_tf_names
from ._matching import (
    MIN_OVERLAP,
    examples,
    ignoring_case,
    ignoring_version,
    overlap_share,
    require_overlap,
)
from ._renaming import RULES, Renaming, Rule, plan_renaming

__all__ = [
    "MIN_OVERLAP",
    "RULES",
    "Renaming",
    "Rule",
    "as_flags",
    "as_names",
    "examples",
    "ignoring_case",
    "ignoring_version",
    "name_codes",
    "overlap_share",
    "plan_renaming",
    "read_tf_names",
    "rename_rows",
    "require_overlap",
]
