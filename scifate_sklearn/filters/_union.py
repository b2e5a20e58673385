"""LinkUnion: filter of links that any of several filters keeps."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.metaestimators import _BaseComposition

from .base import Evidence, LinkFilter, Reasons

Members: TypeAlias = Sequence[LinkFilter | tuple[str, LinkFilter]]

CONF_COLUMN = "Conf"


class LinkUnion(LinkFilter, _BaseComposition):
    """Keep the links that any of several filters keeps, and record which.

    In the published table, likewise, a link is kept if it has a ChIP-seq peak *or* a motif (Cao et
    al. 2020). Every filter evaluates all links, so that no evidence is missing from the table.

    Parameters
    ----------
    filters : list of LinkFilter or of (str, LinkFilter)
        Filters, optionally with names; the default name is the class in lower case (numbered if it
        repeats). Parameters of the filters are accessed by these names, as in
        ``GridSearchCV(pipe, {"union__encodelinkfilter__coef_threshold": [0.03, 0.04]})``.

    Attributes
    ----------
    filters_ : dict of str to LinkFilter
        The fitted filters by name. The given ones stay unfitted.
    ledger_ : DataFrame
        One row per link given to `fit`: its columns, the evidence of all filters, ``Conf``,
        ``kept`` and, for a dropped link, the ``reason`` of each filter.
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.
    n_features_in_, feature_names_in_ : int, ndarray of str
        Columns of the links table.

    Notes
    -----
    The column ``Conf`` holds the evidence by which a link is kept: ``Chip_peak``
    (`EncodeLinkFilter`), ``Motif_high`` or ``Motif_low`` (`MotifLinkFilter`), or the name of any
    other filter. Several are joined by ";" in the order of the filters; R's table has one row for
    each instead. An evidence column that several filters add, such as ``chip_q`` of two ChIP-seq
    references, is prefixed with the name of the filter: ``encode__chip_q``.

    `score` is the mean of the filters' scores, each in its own unit. This suffices to search the
    parameters of one filter while the others are fixed. To weigh one kind of evidence against
    another, pass a ``scoring`` function to the search.

    Examples
    --------
    >>> import pandas as pd
    >>> from scifate_sklearn import BindingReference, EncodeLinkFilter, LinkUnion
    >>> genes = [f"G{i}" for i in range(40)]
    >>> def chip(tf, bound):
    ...     edges = pd.DataFrame({"TF": tf, "target": bound})
    ...     return EncodeLinkFilter(BindingReference.from_edges(edges, genes))
    >>> links = pd.DataFrame({"TF": ["MYC"] * 8 + ["MAX"] * 8, "target": genes[:16], "coef": 0.1})
    >>> union = LinkUnion([("myc", chip("MYC", genes[:9])), ("max", chip("MAX", genes[7:20]))])
    >>> union.fit_transform(links)["TF"].value_counts().to_dict()
    {'MYC': 8, 'MAX': 8}
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"filters": [list, tuple]}

    def __init__(self, filters: Members) -> None:
        self.filters = filters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the union and of its filters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the filters and their parameters.

        Returns
        -------
        dict
        """
        return self._get_params("_named", deep=deep) | {"filters": self.filters}

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the union, filters by name, or parameters of filters.

        Parameters
        ----------
        **params
            ``filters``, a filter's name, or ``name__parameter``.

        Returns
        -------
        LinkUnion
        """
        if "filters" in params:
            self.filters = params.pop("filters")
        if params:
            self._set_params("_named", **params)
        return self

    @property
    def _named(self) -> list[tuple[str, LinkFilter]]:
        return _name(self.filters)

    @_named.setter
    def _named(self, named: list[tuple[str, LinkFilter]]) -> None:
        self.filters = named

    def _learn(self, links: pd.DataFrame) -> None:
        named = self._named
        self._check_members(named)
        self.filters_ = {name: clone(member).fit(links) for name, member in named}

    def _check_members(self, named: list[tuple[str, Any]]) -> None:
        if not named:
            raise ValueError("`filters` is empty; pass at least one filter.")
        self._validate_names([name for name, _ in named])
        for name, member in named:
            if not isinstance(member, LinkFilter):
                raise TypeError(
                    f"`filters` must hold filters of links such as EncodeLinkFilter; {name!r} is "
                    f"a {type(member).__name__}."
                )

    @property
    def evidence_columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """Columns that the fitted filters add to the links table, then ``Conf``."""
        return (*(new for names in self._renamed().values() for new in names), CONF_COLUMN)

    def _renamed(self) -> dict[str, list[str]]:
        """Return the names in the union of the evidence columns of each filter."""
        columns = [name for member in self.filters_.values() for name in member.evidence_columns]
        columns.append(CONF_COLUMN)  # unions within this one have this column too
        return {
            name: [
                column if columns.count(column) == 1 else f"{name}__{column}"
                for column in member.evidence_columns
            ]
            for name, member in self.filters_.items()
        }

    def _judge(self, links: pd.DataFrame) -> tuple[Evidence, Reasons]:
        renamed = self._renamed()
        evidence: dict[str, Any] = {}
        labels, reasons = [], {}
        for name, member in self.filters_.items():
            found = member.evaluate(links)
            reasons[name] = found.reasons
            evidence |= dict(zip(renamed[name], found.evidence.values(), strict=True))
            label = name if found.label is None else found.label
            labels.append(np.where(reasons[name] == "", label, ""))
        evidence[CONF_COLUMN] = _join_labels(labels)
        return evidence, _join_reasons(reasons)

    def _score(self, links: pd.DataFrame) -> float:
        return float(np.mean([member.score(links) for member in self.filters_.values()]))


def _name(filters: Members) -> list[tuple[str, LinkFilter]]:
    """Return filters with their names, which are generated where they are missing."""
    classes = [type(member).__name__.lower() for member in filters]
    named: list[tuple[str, LinkFilter]] = []
    for position, (member, kind) in enumerate(zip(filters, classes, strict=True)):
        if isinstance(member, tuple):
            named.append(member)
        else:
            number = f"-{classes[: position + 1].count(kind)}" if classes.count(kind) > 1 else ""
            named.append((kind + number, member))
    return named


def _join_labels(labels: list[NDArray[np.object_]]) -> NDArray[np.object_]:
    return np.array(
        [";".join(dict.fromkeys(filter(None, row))) for row in zip(*labels, strict=True)], object
    )


def _join_reasons(reasons: dict[str, Reasons]) -> Reasons:
    """Return the reasons of all filters per link; empty if one of them keeps it."""
    joined = []
    for row in zip(*reasons.values(), strict=True):
        texts = [f"{name}: {text}" for name, text in zip(reasons, row, strict=True)]
        joined.append("" if "" in row else row[0] if len(set(row)) == 1 else "; ".join(texts))
    return np.array(joined, object)
