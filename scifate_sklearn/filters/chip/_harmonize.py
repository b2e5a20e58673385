"""The names of a reference in the spelling of the links: letter case, Ensembl versions, aliases.

A rule says when two names mean one gene. What the links call a gene is kept, and the reference is
renamed, so that results speak the user's language.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import pandas as pd

from ...names import (
    Renaming,
    Rule,
    examples,
    ignoring_case,
    ignoring_version,
    overlap_share,
    plan_renaming,
    require_overlap,
)
from ._reference import BindingReference, as_reference

logger = logging.getLogger(__name__)

ROLES = ("TF", "target")
Sides: TypeAlias = Mapping[str, Collection[str]]


def harmonize_reference(
    reference: BindingReference,
    links: pd.DataFrame | Sides,
    harmonize: Rule = "auto",
) -> BindingReference:
    """Return a reference whose TFs and genes are called as in the links.

    Parameters
    ----------
    reference : BindingReference
        The evidence.
    links : DataFrame or mapping of str to collection of str
        A links table, or names under ``"TF"`` and ``"target"``.
    harmonize : {"case", "versions", "auto"}, mapping, DataFrame or None, default="auto"
        Which names mean one gene: those that differ in letter case, in the version of an Ensembl
        id, or in both ("auto"); or those that a table of aliases makes equal, a mapping from old
        to new names or a DataFrame with the columns ``old`` and ``new``. An old name with several
        new ones is left out.

    Returns
    -------
    BindingReference
        Names of the links win: they never change, and a name that meets one of them becomes it.
        Names that become equal are united, as by `BindingReference.map_names`: a peak under one of
        them is a peak. A name that meets several names of the links stays as it is.

    Examples
    --------
    >>> import pandas as pd
    >>> human = pd.DataFrame({"TF": ["PAX6", "PAX6", "MYC"], "target": ["INS", "GCG", "INS"]})
    >>> mouse = {"TF": ["Pax6", "Myc"], "target": ["Ins", "Gcg"]}
    >>> harmonize_reference(BindingReference.from_edges(human), mouse).tfs.tolist()
    ['Pax6', 'Myc']
    """
    if harmonize is None:
        return reference
    ours, theirs = _names_of_links(links), _names_of_reference(reference)
    plans = {role: plan_renaming(ours[role], theirs[role], harmonize) for role in ROLES}
    for role, plan in plans.items():
        _log(role, plan)
    if not any(plan.new_names for plan in plans.values()):
        return reference
    return reference.map_names(plans["TF"], plans["target"])


def name_overlap(
    links: pd.DataFrame | Sides,
    reference: object,
    harmonize: Rule = None,
) -> pd.DataFrame:
    """Report how far the names of links and reference meet, and what would bring them together.

    Parameters
    ----------
    links : DataFrame or mapping of str to collection of str
        A links table, or names under ``"TF"`` and ``"target"``, as the columns of the TF matrix and
        of the target matrix before anything is fitted.
    reference : BindingReference, DataFrame, path-like or mapping
        Evidence, as for `EncodeLinkFilter`; or names, as for `links`.
    harmonize : {"case", "versions", "auto"}, mapping, DataFrame or None, default=None
        Rule to try, as in `harmonize_reference`.

    Returns
    -------
    DataFrame
        Rows ``TF`` and ``target``, columns:

        - ``n_links``, ``n_reference``: distinct names on both sides;
        - ``n_common``: names that are on both, letter by letter;
        - ``share``: of the smaller side, NaN if it is empty;
        - ``share_ignoring_case``, ``share_ignoring_versions``: what it would be;
        - ``n_harmonized``, ``share_harmonized``: the same once `harmonize` has renamed the
          reference;
        - ``n_renamed``: names of the reference that change; ``n_united``: new names that several of
          them share; ``n_ambiguous``: names that could become several of the links', and stay.

    Examples
    --------
    >>> mouse = {"TF": ["Pax6", "Myc"], "target": ["Ins1", "Ins2", "Gcg"]}
    >>> human = {"TF": ["PAX6", "MYC"], "target": ["INS", "GCG"]}
    >>> table = name_overlap(mouse, human, harmonize="case")
    >>> table[["n_common", "n_harmonized", "share_harmonized"]]
            n_common  n_harmonized  share_harmonized
    TF             0             2               1.0
    target         0             1               0.5
    """
    ours, theirs = _names_of_links(links), _names_of_reference(reference)
    rows = [_compare(set(ours[role]), set(theirs[role]), harmonize) for role in ROLES]
    return pd.DataFrame(rows, index=list(ROLES))


def require_common_names(
    links: pd.DataFrame | Sides, reference: BindingReference, min_overlap: float
) -> None:
    """Raise an error if TFs or targets have too few names in common, with the likely cause.

    Parameters
    ----------
    links : DataFrame or mapping of str to collection of str
        A links table, or names under ``"TF"`` and ``"target"``; none meet any reference.
    reference : BindingReference
        The evidence, in the names that are tested.
    min_overlap : float
        Least share of the smaller side.

    Raises
    ------
    ValueError
        If there are too few.
    """
    theirs = _names_of_reference(reference)
    for role, ours in _names_of_links(links).items():
        if ours:
            require_overlap(ours, theirs[role], what=role, min_share=min_overlap, hint=_way_out)


def _way_out(difference: str | None) -> str:
    if difference is not None:
        return f'`harmonize="{difference}"` does that.'
    return "If links and reference are to have so little in common, lower `min_overlap`."


def _compare(ours: set[str], theirs: set[str], rule: Rule) -> dict[str, Any]:
    plan = plan_renaming(ours, theirs, rule)
    renamed = set(map(plan, theirs)) if plan.new_names else theirs
    return {
        "n_links": len(ours),
        "n_reference": len(theirs),
        "n_common": len(ours & theirs),
        "share": overlap_share(ours, theirs),
        "share_ignoring_case": overlap_share(ours, theirs, ignoring_case),
        "share_ignoring_versions": overlap_share(ours, theirs, ignoring_version),
        "n_harmonized": len(ours & renamed),
        "share_harmonized": overlap_share(ours, renamed),
        "n_renamed": len(plan.new_names),
        "n_united": len(plan.united),
        "n_ambiguous": len(plan.ambiguous),
    }


def _names_of_links(links: Any) -> Sides:
    if not isinstance(links, pd.DataFrame | Mapping):
        raise TypeError(
            "`links` must be a links table or a mapping with names under 'TF' and 'target', got "
            f"{type(links).__name__}."
        )
    return _names_under_roles(links, "`links`")


def _names_of_reference(reference: Any) -> Sides:
    if isinstance(reference, Mapping):
        return _names_under_roles(reference, "`reference`")
    evidence = as_reference(reference)
    return {"TF": set(evidence.tfs), "target": set(evidence.genes)}


def _names_under_roles(names: Any, what: str) -> Sides:
    for role in ROLES:
        if role not in names:
            raise ValueError(f"{what} must have names under {ROLES}, lacks {role!r}.")
        if isinstance(names[role], str | bytes):
            raise TypeError(f"{what}: {role!r} must be a collection of names, got one string.")
    return {
        role: {str(name) for name in names[role] if isinstance(name, str) or not pd.isna(name)}
        for role in ROLES
    }


def _log(role: str, plan: Renaming) -> None:
    if plan.new_names:
        logger.info("%d %s names of the reference renamed", len(plan.new_names), role)
    if plan.united:
        logger.info("%s names united from several: %s", role, examples(plan.united))
    if plan.ambiguous:
        logger.info("%s names that meet several and stay: %s", role, examples(plan.ambiguous))
