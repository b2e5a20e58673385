"""Which names of a reference mean a gene of the links: rules on case, versions and aliases."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import pandas as pd

from ._matching import examples, ignoring_case, ignoring_version

logger = logging.getLogger(__name__)

RULES = ("case", "versions", "auto")
Rule: TypeAlias = Literal["case", "versions", "auto"] | Mapping[str, str] | pd.DataFrame | None


@dataclass(frozen=True)
class Renaming:
    """What a rule does to the names of a reference.

    Attributes
    ----------
    new_names : dict of str
        From old to new, for the names that change.
    united : frozenset of str
        Names that several names of the reference become.
    ambiguous : frozenset of str
        Names of the reference that could become several of the links' and stay as they are.
    """

    new_names: dict[str, str]
    united: frozenset[str]
    ambiguous: frozenset[str]

    def __call__(self, name: str) -> str:
        """Return the new name."""
        return self.new_names.get(name, name)


def plan_renaming(ours: Iterable[str], theirs: Iterable[str], rule: Rule) -> Renaming:
    """Return how a rule renames a reference; neither order nor repetition of names matters.

    Parameters
    ----------
    ours, theirs : iterable of str
        Names in the links and in the reference.
    rule : {"case", "versions", "auto"}, mapping, DataFrame or None
        As in `harmonize_reference`.

    Returns
    -------
    Renaming
        A name that the links have too never changes, nor does one that meets none of theirs.
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
    return Renaming(
        new_names,
        frozenset(taken[taken.duplicated()]),
        frozenset(name for name, found in candidates.items() if len(found) > 1),
    )


def rule_key(rule: Rule) -> Callable[[str], str] | None:
    """Return what maps the names of one gene to one text; None if names stay as they are.

    Raises
    ------
    TypeError, ValueError
        If there is no such rule, or a table of aliases lacks its columns or names.
    """
    if rule is None:
        return None
    if isinstance(rule, str):
        if rule not in RULES:
            raise ValueError(f"`harmonize` must be one of {RULES} or aliases, got {rule!r}.")
        return {"case": ignoring_case, "versions": ignoring_version, "auto": _ignoring_both}[rule]
    aliases = _aliases(rule)
    return lambda name: aliases.get(name, name)


def _ignoring_both(name: str) -> str:
    return ignoring_version(ignoring_case(name))


def _aliases(table: Any) -> dict[str, str]:
    """Return the new name of each old one that has just one."""
    if isinstance(table, pd.DataFrame):
        missing = [name for name in ("old", "new") if name not in table.columns]
        if missing:
            raise ValueError(
                f"`harmonize`: a table of aliases needs the columns 'old' and 'new', lacks "
                f"{missing}; found {', '.join(map(repr, table.columns[:8]))}."
            )
        pairs = table[["old", "new"]].drop_duplicates()
        several = pairs["old"].duplicated(keep=False)
        if several.any():
            found = examples(set(pairs.loc[several, "old"].astype(str)))
            logger.info("Aliases with several new names are left out: %s", found)
        table = dict(pairs[~several].itertuples(index=False, name=None))
    if not isinstance(table, Mapping):
        raise TypeError(
            f"`harmonize` must be one of {RULES}, a mapping or a DataFrame of aliases, got "
            f"{type(table).__name__}."
        )
    if not all(isinstance(name, str) for pair in table.items() for name in pair):
        raise TypeError("`harmonize`: aliases must map strings to strings.")
    return dict(table)
