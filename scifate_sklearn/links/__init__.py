"""The links table, one row per TF → target link, and the estimators that return it."""

from ._mixin import LinkTableMixin
from ._pairs import PAIR, by_pair, links_by_pair
from ._table import (
    LEDGER_COLUMNS,
    LINK_COLUMNS,
    REQUIRED_COLUMNS,
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
    "LEDGER_COLUMNS",
    "LINK_COLUMNS",
    "PAIR",
    "REQUIRED_COLUMNS",
    "LinkTableMixin",
    "build_links",
    "by_pair",
    "check_links",
    "check_named",
    "first_reason",
    "is_strong",
    "ledger_of",
    "links_by_pair",
    "strong_links",
    "survivors",
]
