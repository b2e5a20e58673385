"""One network for each group of cells, from one survey of all cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from .._warnings import warn, warnings_about
from ..fitting import missing_labels
from ..links import LINK_COLUMNS
from ..moments import FoldPlan
from ..networks import compare_links
from ..regressor import SciFateRegressor
from ._choices import NewChoices
from ._find import choose_layers
from ._folds import Folds
from ._iterate import KeptCells
from ._names import GeneSymbols
from ._obs import in_memory, obs_column
from ._passes import (
    Kept,
    keep_cells,
    kept_moments,
    survey_cells,
    survey_genes,
)
from ._recipe import Recipe
from ._source import Source

if TYPE_CHECKING:
    from anndata import AnnData

Codes = NDArray[np.intp]

# Each group has counts of all genes in the survey.
MOST_GROUPS = 500


@dataclass(frozen=True)
class GroupSurvey:
    """Genes and cells of each group that pass the filters; their moments are summed on request.

    Attributes
    ----------
    kept : dict of (Kept, FoldPlan)
        Kept cells and genes, and the folds, by group.
    skipped : dict of str
        Why each other group has no network.
    sizes : dict of int
        Number of cells of each group, before any filter.
    """

    kept: Mapping[str, tuple[Kept, FoldPlan]]
    skipped: Mapping[str, str]
    sizes: Mapping[str, int]

    @property
    def genes(self) -> pd.DataFrame:
        """The genes that are kept in any group, with the column ``is_tf``."""
        tables = pd.concat([kept.genes[["is_tf"]] for kept, _ in self.kept.values()])
        return tables[~tables.index.duplicated()]

    def prepare(self) -> Iterator[tuple[str, KeptCells]]:
        """Yield the name and the cells of each group, with the moments from a pass over them."""
        for name, (kept, plan) in self.kept.items():
            with warnings_about(f"Group {name!r}"):
                prepared = kept_moments(kept, plan)
            yield name, KeptCells(kept, prepared)


def survey_groups(
    adata: AnnData,
    tf_names: Iterable[str],
    by: str,
    *,
    min_cells: int = 100,
    nt_layers: Sequence[str] | Literal["auto"] = ("new", "total"),
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    response: str = "counts",
    regulators: str = "counts",
    gene_symbols: GeneSymbols = None,
    covariates: Sequence[str] = (),
    detection_rate: float | str | None = None,
    cv: Any = 10,
    groups: str | ArrayLike | None = None,
    random_state: Any = 123456,
    n_repeats: int = 1,
    chunk_size: int | None = None,
) -> GroupSurvey:
    """Choose genes and cells of each group in two passes over all cells.

    Parameters
    ----------
    adata, tf_names, by, min_cells
        As for `fit_by_group`.
    nt_layers, gene_filter_rate, cell_filter_UMI, response, regulators, gene_symbols, covariates, \
            detection_rate, cv, groups, random_state, n_repeats, chunk_size
        As for `prepare_moments`.

    Returns
    -------
    GroupSurvey

    Raises
    ------
    TypeError, ValueError
        As `fit_by_group`.
    """
    layers = choose_layers(adata, nt_layers)
    choices = NewChoices(tf_names)
    recipe = Recipe(
        layers,
        gene_filter_rate,
        cell_filter_UMI,
        response,
        regulators,
        gene_symbols,
        choices.obs_columns(covariates),
        detection_rate,
    )
    _check_min_cells(min_cells)
    source = Source.from_anndata(adata, recipe, chunk_size)
    labels = _labels(adata, by)
    folds = Folds(cv, groups, random_state, n_repeats)
    survey = _Survey(source, choices, labels, min_cells)
    kept = survey.kept(adata, folds)
    if not kept:
        reasons = "; ".join(f"{name!r}: {why}" for name, why in list(survey.skipped.items())[:5])
        raise ValueError(
            f"None of the {len(survey.skipped)} groups of `by` = {by!r} has a network. {reasons}"
        )
    return GroupSurvey(kept, survey.skipped, survey.sizes)


class _Survey:
    """The first two passes over the cells; groups that cannot be fitted are skipped."""

    def __init__(
        self, source: Source, choices: NewChoices, labels: pd.Series[Any], min_cells: int
    ) -> None:
        self._source, self._choices, self._min_cells = source, choices, min_cells
        counts = labels.value_counts()
        self.sizes = {name: int(counts[name]) for name in _levels(labels) if counts[name]}
        self.skipped = {
            name: _too_few(f"{size} cells", min_cells)
            for name, size in self.sizes.items()
            if size < min_cells
        }
        self._names = [name for name in self.sizes if name not in self.skipped]
        self._codes: Codes = pd.Index(self._names).get_indexer(pd.Index(labels.to_numpy(object)))
        if len(self._names) > MOST_GROUPS:
            raise ValueError(
                f"`by` gives {len(self._names)} groups of at least {min_cells} cells, more than "
                f"{MOST_GROUPS}. Name a column of fewer groups, or raise `min_cells`."
            )

    def kept(self, adata: AnnData, folds: Folds) -> dict[str, tuple[Kept, FoldPlan]]:
        """Return the kept cells and the folds of each group."""
        if not self._names:
            return {}
        source, found = self._source, {}
        genes = self._genes()
        order = np.full(len(self._names) + 1, -1)  # the last is that of cells without a group
        order[[self._names.index(name) for name in genes]] = np.arange(len(genes))
        codes = order[self._codes]
        measured = survey_cells(source, list(genes.values()), codes) if genes else []
        for code, (name, census) in enumerate(zip(genes, measured, strict=True)):
            try:
                with warnings_about(f"Group {name!r}"):
                    kept = keep_cells(source, genes[name], self._choices, census, codes == code)
                if len(kept.cells) < self._min_cells:
                    found_cells = f"{len(kept.cells)} cells that pass the filters"
                    self.skipped[name] = _too_few(found_cells, self._min_cells)
                else:
                    found[name] = kept, folds.plan(adata, kept.mask)
            except ValueError as error:
                self.skipped[name] = str(error)
        return found

    def _genes(self) -> dict[str, pd.DataFrame]:
        """Return the kept genes of each group that has any."""
        found, source = {}, self._source
        tables = survey_genes(source, self._choices, self._codes)
        for code, (name, genes) in enumerate(zip(self._names, tables, strict=True)):
            n_cells = int(np.count_nonzero(self._codes == code))
            try:
                found[name] = self._choices.choose_genes(genes, source.recipe, n_cells)
            except ValueError as error:
                self.skipped[name] = str(error)
        return found


def _too_few(cells: str, min_cells: int) -> str:
    return f"{cells}, fewer than `min_cells` = {min_cells}"


def _check_min_cells(number: Any) -> None:
    if not isinstance(number, Integral) or number < 1:
        raise ValueError(f"`min_cells` must be a number of cells from 1, got {number!r}.")


def _labels(adata: AnnData, by: str) -> pd.Series[Any]:
    """Return the group of each cell as text, missing where there is none."""
    if not isinstance(by, str):
        raise TypeError(f"`by` must be the name of a column of adata.obs, got {by!r}.")
    column = obs_column(in_memory(adata.obs), by, "by")
    is_missing = missing_labels(column)
    if is_missing.any():
        warn(
            f"{np.count_nonzero(is_missing)} of {is_missing.size} cells have no group in `by` = "
            f"{by!r}, and are left out."
        )
    texts = column.astype(object).map(str, na_action="ignore")
    labels: pd.Series[Any] = texts.where(~is_missing, None)
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = list(dict.fromkeys(map(str, column.cat.categories)))
        return labels.astype(pd.CategoricalDtype(categories))
    return labels


def _levels(labels: pd.Series[Any]) -> list[str]:
    """Return the names of the groups: in the order of the categories, or sorted."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        return list(labels.cat.categories)
    return sorted(labels.dropna().unique())


@dataclass(frozen=True)
class GroupNetworks:
    """Networks of groups of cells, returned by `fit_by_group`.

    Attributes
    ----------
    models : dict of SciFateRegressor
        The fitted regressor of each group.
    cells : dict of DataFrame
        The kept cells of each group, as `SciFateInputs.cells`.
    skipped : dict of str
        Why each other group has no network.
    """

    models: dict[str, SciFateRegressor]
    cells: dict[str, pd.DataFrame]
    skipped: dict[str, str]

    @property
    def links(self) -> pd.DataFrame:
        """The links of all groups, with the column ``group`` first."""
        return with_groups({name: model.links_ for name, model in self.models.items()})

    def compare(self) -> pd.DataFrame:
        """Compare the links of each pair of groups.

        Returns
        -------
        DataFrame
            ``group_a``, ``group_b`` and the attributes of `LinkComparison`, one row per pair.
        """
        rows = [
            {"group_a": a, "group_b": b}
            | vars(compare_links(self.models[a].links_, self.models[b].links_))
            for a, b in combinations(self.models, 2)
        ]
        return pd.DataFrame(rows)


def with_groups(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of the tables of several groups, with the column ``group`` first.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The table of each group.

    Returns
    -------
    DataFrame
    """
    named = [table.assign(group=name) for name, table in tables.items()]
    if not named:
        return pd.DataFrame(columns=["group", *LINK_COLUMNS])
    rows = pd.concat(named, ignore_index=True)
    return rows[["group", *rows.columns.drop("group")]]


def fit_by_group(
    adata: AnnData,
    tf_names: Iterable[str],
    by: str,
    *,
    regressor: SciFateRegressor | None = None,
    min_cells: int = 100,
    **options: Any,
) -> GroupNetworks:
    """Fit one network for each group of cells, such as a cell type or a condition.

    Each group is prepared as if it were the only one: its genes and cells are filtered, and its
    size factors, z-scores, covariates and folds are computed from its own cells.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        As for `prepare_moments`.
    tf_names : iterable of str
        Names of the possible regulators.
    by : str
        Column of ``adata.obs`` with the group of each cell. Cells without one, or with the text
        "nan" that a missing one becomes, are left out with a warning.
    regressor : SciFateRegressor, default=None
        Not changed: a clone is fitted to each group. None means ``SciFateRegressor()``.
    min_cells : int, default=100
        Groups with fewer cells that pass the filters are skipped.
    **options
        Of `prepare_moments`, except `like`. `groups` are those of the folds.

    Returns
    -------
    GroupNetworks
        ``links`` with the column ``group``, ``models``, ``cells`` and ``skipped``.

    Raises
    ------
    TypeError, ValueError
        As `prepare_moments`, if an argument is invalid for all groups. Also if `by` is not a
        column, or no group has a network. What is wrong in one group only (no gene passes the
        filter, fewer donors than folds) is the reason why it is skipped.

    Notes
    -----
    The cells are read twice for all groups together, to choose their genes and cells, and a third
    time for each group, to sum them: sums of all groups at once could exceed the memory. Chunks
    without a cell of the group are not read in the third pass, so files in which the cells are
    sorted by group are read three times in all.

    Examples
    --------
    >>> from scifate_sklearn import fit_by_group
    >>> from scifate_sklearn.datasets import make_labelled_cells
    >>> cells = make_labelled_cells(n_cells=400, n_tfs=5, n_targets=20, random_state=0)
    >>> cells.adata.obs["cell_type"] = ["B"] * 180 + ["T"] * 200 + ["rare"] * 20
    >>> found = fit_by_group(cells.adata, cells.tf_names, "cell_type", cell_filter_UMI=0)
    >>> found.links["group"].unique().tolist()
    ['B', 'T']
    >>> found.skipped
    {'rare': '20 cells, fewer than `min_cells` = 100'}
    """
    survey = survey_groups(adata, tf_names, by, min_cells=min_cells, **options)
    models, cells = {}, {}
    for name, own in survey.prepare():
        model = SciFateRegressor() if regressor is None else clone(regressor)
        with warnings_about(f"Group {name!r}"):
            models[name] = model.fit_moments(own.prepared.moments, own)
        cells[name] = own.prepared.cells
    return GroupNetworks(models, cells, dict(survey.skipped))
