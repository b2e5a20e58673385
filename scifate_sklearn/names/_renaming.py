"""Renaming of a reference to the names of the links: letter case, Ensembl versions, aliases."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from .._warnings import warn
from ._columns import rename_columns
from ._examples import examples
from ._matching import ignoring_case, ignoring_version
from ._missing import are_missing
from ._rows import places

logger = logging.getLogger(__name__)

RULES = ("case", "versions", "auto")
Rule: TypeAlias = Literal["case", "versions", "auto"] | Mapping[str, str] | pd.DataFrame | None


@dataclass(frozen=True)
class Renaming:
    """New names of a reference under a rule.

    Attributes
    ----------
    new_names : dict of str
        The new name of each old name that changes.
    united : frozenset of str
        New names that several names of the reference share.
    ambiguous : frozenset of str
        Names of the reference that match several names of the links, or have several new names in
        a table of aliases, and stay unchanged.
    """

    new_names: dict[str, str]
    united: frozenset[str]
    ambiguous: frozenset[str]

    def __call__(self, name: str) -> str:
        """Return the new name."""
        return self.new_names.get(name, name)


def plan_renaming(ours: Iterable[str], theirs: Iterable[str], rule: Rule) -> Renaming:
    """Return the renaming of a reference under a rule; order and repetition do not matter.

    Parameters
    ----------
    ours, theirs : iterable of str
        Names in the links and in the reference.
    rule : {"case", "versions", "auto"}, mapping, DataFrame or None
        As in `harmonize_reference`.

    Returns
    -------
    Renaming
        A name that the links contain never changes, nor does one that matches none of theirs.
    """
    known, names = set(ours), set(theirs)
    key = rule_key(rule)
    if key is None:
        return Renaming({}, frozenset(), frozenset())
    spellings: dict[str, list[str]] = defaultdict(list)
    for name in known:
        spellings[key(name)].append(name)
    candidates = {name: spellings.get(key(name), []) for name in names - known}
    new_names = {name: found[0] for name, found in candidates.items() if len(found) == 1}
    taken = pd.Series([new_names.get(name, name) for name in names], dtype=object)
    several = frozenset(name for name, found in candidates.items() if len(found) > 1)
    return Renaming(
        new_names,
        frozenset(taken[taken.duplicated()]),
        several | (candidates.keys() & _ambiguous_aliases(rule)),
    )


def _ambiguous_aliases(rule: Rule) -> frozenset[str]:
    return frozenset() if rule is None or isinstance(rule, str) else read_aliases(rule)[1]


def rule_key(rule: Rule) -> Callable[[str], str] | None:
    """Return the function that maps all names of a gene to one text; None for no renaming.

    Raises
    ------
    TypeError, ValueError
        If the rule is unknown, or a table of aliases lacks columns or names.
    """
    if rule is None:
        return None
    if isinstance(rule, str):
        if rule not in RULES:
            raise ValueError(
                f"`harmonize` must be one of {RULES} or a table of aliases, got {rule!r}."
            )
        return {"case": ignoring_case, "versions": ignoring_version, "auto": _ignoring_both}[rule]
    aliases, _ = read_aliases(rule)
    return lambda name: aliases.get(name, name)


def _ignoring_both(name: str) -> str:
    return ignoring_version(ignoring_case(name))


def read_aliases(
    table: Any, argument: str = "harmonize"
) -> tuple[Mapping[str, str], frozenset[str]]:
    """Return the new name of each old name that has exactly one, and the old names with several.

    Parameters
    ----------
    table : mapping, or DataFrame with the columns ``old`` and ``new``
    argument : str, default="harmonize"
        Name of the argument, for messages.

    Raises
    ------
    TypeError, ValueError
        If the table is none, or lacks columns or names.
    """
    several: frozenset[str] = frozenset()
    if isinstance(table, pd.DataFrame):
        pairs = _named_pairs(table, argument)
        is_ambiguous = pairs["old"].duplicated(keep=False)
        several = frozenset(pairs.loc[is_ambiguous, "old"])
        if several:
            found = examples(set(map(str, several)))
            logger.info("aliases with several new names ignored: %s", found)
        table = dict(pairs[~is_ambiguous].itertuples(index=False, name=None))
    if not isinstance(table, Mapping):
        raise TypeError(
            f"`{argument}` must be one of {RULES}, a mapping or a DataFrame of aliases, got "
            f"{type(table).__name__}."
        )
    if not all(isinstance(name, str) for pair in table.items() for name in pair):
        raise TypeError(f"`{argument}`: aliases must map strings to strings.")
    return dict(table), several


def _named_pairs(table: pd.DataFrame, argument: str) -> pd.DataFrame:
    """Return the distinct pairs of old and new names; warn about rows that lack one."""
    table = rename_columns(table, ("old", "new"))
    missing = [name for name in ("old", "new") if name not in table.columns]
    if missing:
        raise ValueError(
            f"`{argument}`: a table of aliases requires the columns 'old' and 'new', lacks "
            f"{missing}; found {examples(table.columns, 8)}."
        )
    pairs = table[["old", "new"]].drop_duplicates()
    lacks_name = are_missing(pairs["old"]) | are_missing(pairs["new"])
    if lacks_name.all() and len(pairs):
        raise TypeError(f"`{argument}`: aliases must map strings to strings; all lack a name.")
    if lacks_name.any():
        warn(
            f"`{argument}`: {np.count_nonzero(lacks_name):,} of {len(pairs):,} aliases lack a "
            f"name and are not used ({places(pairs.index, lacks_name)})."
        )
    return pairs[~lacks_name]
