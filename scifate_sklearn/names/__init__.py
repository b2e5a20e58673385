"""Names of genes and TFs: spellings in files, comparison, renaming, and lists of TFs."""

from ._additions import REPRESSION, plain_name
from ._codes import CleanNames, as_names, clean_names, name_codes, rename_rows
from ._columns import check_unique, column_key, known_columns, rename_columns
from ._covariates import OBS_PREFIX, are_covariates
from ._dates import date_symbols, describe_dates, serial_dates
from ._examples import examples
from ._flags import as_flags
from ._gene_tables import read_gene_table, translated
from ._kinds import NameKind, name_kind
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
from ._missing import are_missing, is_missing
from ._renaming import RULES, Renaming, Rule, plan_renaming
from ._rows import LINE, RowUse, places
from ._tf_lists import TFNames, read_tf_names
from ._tfs import match_tfs

__all__ = [
    "LINE",
    "MIN_OVERLAP",
    "OBS_PREFIX",
    "REPRESSION",
    "RULES",
    "Cause",
    "CleanNames",
    "NameKind",
    "Renaming",
    "RowUse",
    "Rule",
    "TFNames",
    "are_covariates",
    "are_missing",
    "as_flags",
    "as_names",
    "check_unique",
    "clean_names",
    "column_key",
    "date_symbols",
    "describe_dates",
    "examples",
    "find_cause",
    "ignoring_case",
    "ignoring_version",
    "is_missing",
    "known_columns",
    "match_tfs",
    "name_codes",
    "name_kind",
    "overlap_share",
    "places",
    "plain_name",
    "plan_renaming",
    "read_gene_table",
    "read_tf_names",
    "rename_columns",
    "rename_rows",
    "require_common",
    "require_overlap",
    "serial_dates",
    "translated",
]
