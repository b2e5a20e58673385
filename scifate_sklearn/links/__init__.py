"""The links table, with one row per TF → target link: columns, construction, checks, files."""

from ._file import read_links, read_table
from ._pairs import (
    PAIR,
    by_pair,
    fitted_positions,
    links_by_pair,
    pair_positions,
    several_groups,
)
from ._table import (
    INFORMATION_COLUMNS,
    LEDGER_COLUMNS,
    LINK_COLUMNS,
    PROBABILITY_COLUMNS,
    REQUIRED_COLUMNS,
    SIGNED_COLUMNS,
    build_links,
    check_links,
    check_named,
    first_reason,
    is_strong,
    ledger_of,
    strong_links,
    survivors,
)

__all__ = [
    "INFORMATION_COLUMNS",
    "LEDGER_COLUMNS",
    "LINK_COLUMNS",
    "PAIR",
    "PROBABILITY_COLUMNS",
    "REQUIRED_COLUMNS",
    "SIGNED_COLUMNS",
    "build_links",
    "by_pair",
    "check_links",
    "check_named",
    "first_reason",
    "fitted_positions",
    "is_strong",
    "ledger_of",
    "links_by_pair",
    "pair_positions",
    "read_links",
    "read_table",
    "several_groups",
    "strong_links",
    "survivors",
]
