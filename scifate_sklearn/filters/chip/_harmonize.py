"""Renaming of a reference to the names of the links: letter case, Ensembl versions, aliases.

A rule defines which names mean the same gene. The names of the links are kept and the reference is
renamed, so that results use the names of the user's data.
"""

import logging
import os
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import pandas as pd

from ...names import (
    Cause,
    Renaming,
    Rule,
    examples,
    ignoring_case,
    ignoring_version,
    overlap_share,
    plan_renaming,
    require_overlap,
)
from ...names import read_gene_table as read_gene_table
from ._reference import BindingReference, as_reference

logger = logging.getLogger(__name__)

ROLES = ("TF", "target")
Sides: TypeAlias = Mapping[str, Set[str]]
GivenNames: TypeAlias = pd.DataFrame | Mapping[str, Collection[str]]


def harmonize_reference(
    reference: BindingReference | pd.DataFrame | str | os.PathLike[str],
    links: GivenNames,
    harmonize: Rule = "auto",
) -> BindingReference:
    """Return a reference with the names of the links for TFs and genes.

    Parameters
    ----------
    reference : BindingReference, DataFrame or path-like
        Evidence, as for `EncodeLinkFilter`.
    links : DataFrame or mapping of str to collection of str
        A links table, or names under ``"TF"`` and ``"target"``.
    harmonize : {"case", "versions", "auto"}, mapping, DataFrame or None, default="auto"
        Names that mean the same gene: those that differ in letter case, in the version of an
        Ensembl id, or in both ("auto"); or those that a table of aliases or orthologs makes equal,
        a mapping from old to new names or a DataFrame with the columns ``old`` and ``new``, as
        from `read_gene_table`. An old name with several new ones stays unchanged. None renames
        nothing.

    Returns
    -------
    BindingReference
        Names of the links never change; a name of the reference that matches one of them is
        replaced by it. Names that become equal are united, as by `BindingReference.map_names`: a
        peak under one of them is a peak. A name that matches several names of the links stays
        unchanged.

    Raises
    ------
    TypeError, ValueError
        If the reference, the links or the rule are invalid.

    Examples
    --------
    >>> import pandas as pd
    >>> human = pd.DataFrame({"TF": ["PAX6", "PAX6", "MYC"], "target": ["INS", "GCG", "INS"]})
    >>> mouse = {"TF": ["Pax6", "Myc"], "target": ["Ins", "Gcg"]}
    >>> harmonize_reference(BindingReference.from_edges(human), mouse).tfs.tolist()
    ['Pax6', 'Myc']
    """
    reference = as_reference(reference)
    if harmonize is None:
        return reference
    plan = NamePlan.from_names(names_of_links(links), names_of_reference(reference), harmonize)
    return plan.rename(reference)


def name_overlap(
    links: GivenNames,
    reference: object,
    harmonize: Rule = None,
) -> pd.DataFrame:
    """Return the overlap of names in links and reference, as they are and under a rule.

    Parameters
    ----------
    links : DataFrame or mapping of str to collection of str
        A links table, or names under ``"TF"`` and ``"target"``, such as the columns of the TF
        matrix and of the target matrix before a fit.
    reference : BindingReference, DataFrame, path-like or mapping
        Evidence, as for `EncodeLinkFilter`; or names, as for `links`.
    harmonize : {"case", "versions", "auto"}, mapping, DataFrame or None, default=None
        Rule to apply, as in `harmonize_reference`.

    Returns
    -------
    DataFrame
        Rows ``TF`` and ``target``, columns:

        - ``n_links``, ``n_reference``: distinct names on both sides;
        - ``n_common``: names that occur on both, exactly equal;
        - ``share``: of the smaller side, NaN if it is empty;
        - ``share_ignoring_case``, ``share_ignoring_versions``: the share without these differences;
        - ``n_harmonized``, ``share_harmonized``: number and share after `harmonize` has renamed
          the reference;
        - ``n_renamed``: names of the reference that change; ``n_united``: new names that several of
          them share;
        - ``n_found``: names of the reference that are in the links, as they are or renamed;
          ``n_ambiguous``: those that match several of the links', or have several new names in a
          table, and stay unchanged; ``n_lost``: all others.

        ``attrs["report"]`` says the same in a line of text for each row.

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
    theirs = (
        _names_under_roles(reference, "`reference`")
        if isinstance(reference, Mapping)
        else names_of_reference(as_reference(reference))
    )
    return NamePlan.from_names(names_of_links(links), theirs, harmonize).overlap()


@dataclass(frozen=True)
class NamePlan:
    """Names of links and reference, and the renaming that brings them together.

    Attributes
    ----------
    ours, theirs : mapping of str to set of str
        Names of the links and of the reference, under ``"TF"`` and ``"target"``.
    renamings : mapping of str to Renaming
        New names of the reference, under the same keys.
    """

    ours: Sides
    theirs: Sides
    renamings: Mapping[str, Renaming]

    @classmethod
    def from_names(cls, ours: Sides, theirs: Sides, rule: Rule) -> Self:
        """Plan the renaming of a reference by a rule of `harmonize_reference`."""
        return cls(
            ours, theirs, {role: plan_renaming(ours[role], theirs[role], rule) for role in ROLES}
        )

    def rename(self, reference: BindingReference) -> BindingReference:
        """Return the reference with its new names; itself if none changes."""
        for role, renaming in self.renamings.items():
            _log(role, renaming)
        if not any(renaming.new_names for renaming in self.renamings.values()):
            return reference
        return reference.map_names(self.renamings["TF"], self.renamings["target"])

    def overlap(self) -> pd.DataFrame:
        """Return the table of `name_overlap`."""
        rows = [self._compare(role) for role in ROLES]
        table = pd.DataFrame(rows, index=list(ROLES))
        table.attrs["report"] = "\n".join(
            f"{row.n_found:,} of {row.n_reference:,} {row.Index} names of the reference are in the "
            f"data ({row.n_renamed:,} of them renamed); {row.n_ambiguous:,} are ambiguous, "
            f"{row.n_lost:,} are not in the data"
            for row in table.itertuples()
        )
        return table

    def _compare(self, role: str) -> dict[str, Any]:
        ours, theirs, renaming = self.ours[role], self.theirs[role], self.renamings[role]
        renamed = set(map(renaming, theirs)) if renaming.new_names else theirs
        n_found = sum(renaming(name) in ours for name in theirs)
        return {
            "n_links": len(ours),
            "n_reference": len(theirs),
            "n_common": len(ours & theirs),
            "share": overlap_share(ours, theirs),
            "share_ignoring_case": overlap_share(ours, theirs, ignoring_case),
            "share_ignoring_versions": overlap_share(ours, theirs, ignoring_version),
            "n_harmonized": len(ours & renamed),
            "share_harmonized": overlap_share(ours, renamed),
            "n_renamed": len(renaming.new_names),
            "n_united": len(renaming.united),
            "n_found": n_found,
            "n_ambiguous": len(renaming.ambiguous),
            "n_lost": len(theirs) - n_found - len(renaming.ambiguous),
        }


def require_common_names(ours: Sides, theirs: Sides, min_overlap: float) -> None:
    """Raise an error if TFs or targets have too few names in common, with the likely cause.

    Parameters
    ----------
    ours : mapping of str to set of str
        Names of the links under ``"TF"`` and ``"target"``. No names match any reference.
    theirs : mapping of str to set of str
        Names of the reference, as they are tested.
    min_overlap : float
        Least share of the smaller side.

    Raises
    ------
    ValueError
        If there are too few.
    """
    for role in ROLES:
        if ours[role]:
            require_overlap(
                ours[role], theirs[role], what=role, min_share=min_overlap, hint=_advice
            )


def names_of_links(links: object) -> Sides:
    """Return the names in a links table, or in a mapping of roles to names."""
    if not isinstance(links, pd.DataFrame | Mapping):
        raise TypeError(
            "`links` must be a links table or a mapping with names under 'TF' and 'target', got "
            f"{type(links).__name__}."
        )
    return _names_under_roles(links, "`links`")


def names_of_reference(reference: BindingReference) -> Sides:
    """Return the names in a reference by role."""
    return {"TF": set(reference.tfs), "target": set(reference.genes)}


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


def _advice(cause: Cause | None) -> str:
    if cause in ("case", "versions"):
        return f'Use `harmonize="{cause}"`.'
    return "If a small overlap is expected, lower `min_overlap`."


def _log(role: str, renaming: Renaming) -> None:
    if renaming.new_names:
        logger.info("%d %s names of the reference renamed", len(renaming.new_names), role)
    if renaming.united:
        logger.info("%s names united from several: %s", role, examples(renaming.united))
    if renaming.ambiguous:
        logger.info("%s names that match several and stay: %s", role, examples(renaming.ambiguous))
