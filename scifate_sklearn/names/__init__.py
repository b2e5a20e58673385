"""Names of genes and TFs: comparison, renaming, codes, and lists of TFs."""

from ._codes import as_names, name_codes, rename_rows
from ._examples import examples
from ._matching import (
    MIN_OVERLAP,
    Cause,
    find_cause,
    ignoring_case,
    ignoring_version,
    overlap_share,
    require_common,
    require_overlap,
)
from ._renaming import RULES, Renaming, Rule, plan_renaming
from ._tfs import match_tfs, read_tf_names

__all__ = [
    "MIN_OVERLAP",
    "RULES",
    "Cause",
    "Renaming",
    "Rule",
    "as_names",
    "examples",
    "find_cause",
    "ignoring_case",
    "ignoring_version",
    "match_tfs",
    "name_codes",
    "overlap_share",
    "plan_renaming",
    "read_tf_names",
    "rename_rows",
    "require_common",
    "require_overlap",
]
