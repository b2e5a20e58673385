"""Steps from cell to cell along pseudotime."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..causality import CellStates, as_delays
from ..names import examples
from ..preprocessing import zscore
from ._chunks import Bools, Floats
from ._given import GIVEN, SIZE_FACTOR, StateChoices, given_values
from ._names import GeneSymbols
from ._obs import in_memory, number_column, obs_column
from ._passes import Kept, keep_cells, read_matrices, survey_cells, survey_genes
from ._recipe import Arguments, Recipe
from ._source import Source

if TYPE_CHECKING:
    from anndata import AnnData


def lagged_states(
    adata: AnnData,
    tf_names: Iterable[str],
    layer: str,
    pseudotime: str,
    lineage: str | None = None,
    delays: Sequence[int] = (1,),
    *,
    response: str = "counts",
    given: Sequence[str] | None = None,
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    gene_symbols: GeneSymbols = None,
) -> CellStates:
    r"""Compute the states of successive cells in pseudotime, or in measured time.

    A step leads from one cell to the next of the same lineage. Pseudotime is not time: the order
    of the cells is estimated from the same RNA, and neighbours are different cells, whose
    differences are mostly noise (Qiu et al., Cell Systems 2020). Series of one cell or culture
    over time have neither problem, but their steps are no independent observations if TFs change
    slowly: p-values are then far too small.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        As for `prepare_anndata`; never modified.
    tf_names : iterable of str
        Names of the possible regulators; those that match a gene exactly are TFs.
    layer : str
        Layer of both TFs and targets. ``"X"`` means ``adata.X``; a sum of layers is written with
        plus signs.
    pseudotime : str
        Column of ``adata.obs`` with numbers by which the cells are ordered. Only their order
        matters. Cells with missing or infinite ones are left out with a warning.
    lineage : str or None, default=None
        Column of ``adata.obs`` with the lineage of each cell, within which cells are ordered; None
        for one lineage. Cells without a lineage, and lineages of one cell, are left out with a
        warning.
    delays : sequence of int, default=(1,)
        Delays of the TFs in cells, from 1 to the number of cells of the shortest lineage minus 1:
        the target in a cell is compared with the TF so many cells before it.
    response : {"counts", "values"}, default="counts"
        Contents of the layer. Counts are divided by size factors, and log(x/s + 0.1) is z-scored.
        "values", such as logarithms or smoothed expression, are only z-scored; there are no
        filters and no size factors. Targets that are not finite in every kept cell are left out
        with a warning.
    given : sequence of str or None, default=None
        What every test is conditioned on, as for `labelled_states`, in the cell where a step
        begins. None is ("size_factor",) for counts and nothing for values.
    gene_filter_rate, cell_filter_UMI, gene_symbols
        As for `prepare_anndata`, applied to the cells with pseudotime and lineage.

    Returns
    -------
    CellStates
        One step per kept cell but the first of each lineage, named after the cell in which it
        ends; lineages one after the other, in the order of their categories or sorted. TFs are
        targets too.

    Raises
    ------
    TypeError, ValueError
        As `prepare_anndata`. Also if a column is missing, pseudotimes are not numbers, no lineage
        has two cells, a delay does not fit into the shortest lineage, or `given` has size factors
        of values.

    Warns
    -----
    UserWarning
        As `prepare_anndata`. Also if cells or lineages are left out, or cells of a lineage have
        the same pseudotime; these keep the order of `adata`.

    See Also
    --------
    labelled_states : States of labelled cells, in which time is measured within each cell.

    Notes
    -----
    With cells c = 0, …, n − 1 of a lineage and z-scored expression X of the TFs and Y of all
    genes, the row of cell c > 0 has

    .. math::
        regulator = X_{c-1}, \quad t_0 = Y_{c-1}, \quad t_1 = Y_c

    and `CellStates.rows_at` finds X of the cell c − delay. Columns are z-scored (ddof 1; constant
    ones are 0) over the cells of all lineages before steps are made, so t_0 and t_1 have one scale.

    All matrices are dense: 8 bytes × steps × (2 genes + TFs), and up to about three times as much
    while they are made.

    Examples
    --------
    >>> import anndata, numpy as np, pandas as pd
    >>> from scifate_sklearn import lagged_states
    >>> series = np.random.default_rng(0).normal(size=(60, 2))
    >>> obs = pd.DataFrame({"hour": np.repeat(np.arange(30.0), 2), "dish": ["a", "b"] * 30})
    >>> adata = anndata.AnnData(series, obs.set_index(obs.index.astype(str)))
    >>> adata.var_names = ["Pax6", "Neurog3"]
    >>> lagged_states(adata, ["Pax6"], "X", "hour", "dish", delays=(1, 2), response="values")
    CellStates(58 steps: 1 TFs, 2 targets, 2 lineages)
    """
    lags = as_delays(delays)
    if not isinstance(layer, str):
        raise TypeError(f"`layer` must be the name of a layer, got {layer!r}.")
    choices = StateChoices(tf_names, given=_default_given(given, response))
    recipe = Recipe(
        (layer, layer),
        gene_filter_rate,
        cell_filter_UMI,
        response,
        response,
        gene_symbols,
        choices.obs_columns(),
        arguments=Arguments("layer", ("response", "response"), GIVEN),
    )
    source = Source.from_anndata(adata, recipe)
    path = _Path.from_obs(in_memory(adata.obs), pseudotime, lineage)
    kept = _keep(source, choices, path.placed())
    order = _Order.from_path(path, kept.mask)
    order.check_delays(lags)
    return _to_states(kept, order, lags)


@dataclass(frozen=True)
class _Path:
    """Place of all cells in pseudotime.

    Attributes
    ----------
    times : ndarray of shape (n_cells,)
        NaN or infinite where missing.
    codes : ndarray of int of shape (n_cells,)
        Lineage of each cell, -1 where missing.
    names : list of str
        Names of the lineages.
    """

    times: Floats
    codes: NDArray[np.intp]
    names: list[str]

    @classmethod
    def from_obs(cls, obs: pd.DataFrame, pseudotime: str, lineage: str | None) -> Self:
        """Read the columns; raise TypeError or ValueError if they cannot be used."""
        times = number_column(obs, pseudotime, "pseudotime")
        if lineage is None:
            return cls(times, np.zeros(times.size, np.intp), ["all cells"])
        labels = obs_column(obs, lineage, "lineage").astype("category")
        codes: Any = labels.cat.codes.to_numpy(np.intp)
        return cls(times, codes, [str(name) for name in labels.cat.categories])

    def placed(self) -> Bools:
        """Return whether each cell has a pseudotime and a lineage; warn of the others."""
        has_time, has_lineage = np.isfinite(self.times), self.codes >= 0
        if not has_time.all():
            _warn_of_missing(has_time, "finite `pseudotime`")
        if not has_lineage.all():
            _warn_of_missing(has_lineage, "`lineage`")
        placed: Bools = has_time & has_lineage
        if not placed.any():
            raise ValueError("No cell has a finite `pseudotime` and a `lineage`.")
        return placed


@dataclass(frozen=True)
class _Order:
    """Kept cells in the order of pseudotime, lineages one after the other.

    Attributes
    ----------
    rows : ndarray of int of shape (n_ordered,)
        Position of each cell among the kept ones.
    codes : ndarray of int of shape (n_ordered,)
        Lineage of each of these cells.
    names : list of str
        Names of the lineages.
    """

    rows: NDArray[np.intp]
    codes: NDArray[np.intp]
    names: list[str]

    @classmethod
    def from_path(cls, path: _Path, kept: Bools) -> Self:
        """Sort the kept cells; leave out lineages of one cell."""
        times, codes = path.times[kept], path.codes[kept]
        n_cells = np.bincount(codes, minlength=len(path.names))
        alone = [path.names[code] for code in np.flatnonzero(n_cells == 1)]
        if len(alone) == np.count_nonzero(n_cells):
            raise ValueError(
                "No step is left: `lineage` has one cell in each of "
                f"{len(alone):,} lineages that pass the filters ({examples(alone)})."
            )
        if alone:
            warn(
                f"{len(alone):,} of {np.count_nonzero(n_cells):,} lineages have one cell and are "
                f"left out ({examples(alone)})."
            )
        rows = np.lexsort((times, codes))  # which is stable
        rows = rows[n_cells[codes[rows]] > 1]
        _warn_of_ties(times[rows], codes[rows])
        return cls(rows, codes[rows], path.names)

    @property
    def is_step(self) -> Bools:
        """Whether each cell but the last is followed by one of its lineage."""
        same: Bools = self.codes[1:] == self.codes[:-1]
        return same

    def check_delays(self, delays: tuple[int, ...]) -> None:
        """Raise ValueError if a lineage is too short for a delay."""
        n_cells = np.bincount(self.codes)
        sizes = {code: n_cells[code] for code in np.unique(self.codes)}
        shortest = min(sizes, key=sizes.__getitem__)
        if max(delays) >= sizes[shortest]:
            raise ValueError(
                f"`delays` has {max(delays)}, but the shortest lineage, "
                f"{examples([self.names[shortest]])}, has {sizes[shortest]} cells. Give delays "
                "below that, or leave out its cells."
            )


def _default_given(given: Sequence[str] | None, response: str) -> Sequence[str]:
    if given is None:
        return (SIZE_FACTOR,) if response == "counts" else ()
    if response == "values" and SIZE_FACTOR in given:
        raise ValueError(
            f"`given` names {SIZE_FACTOR!r}, but values have no size factors. Leave it out, or "
            "name a column of adata.obs that describes the depth of the cells."
        )
    return given


def _keep(source: Source, choices: StateChoices, placed: Bools) -> Kept:
    """Choose genes and cells among those with a place in pseudotime."""
    codes = np.where(placed, 0, -1)
    (survey,) = survey_genes(source, choices, codes)
    genes = choices.choose_genes(survey, source.recipe, int(placed.sum()))
    (census,) = survey_cells(source, [genes], codes)
    return keep_cells(source, genes, choices, census, placed)


def _to_states(kept: Kept, order: _Order, delays: tuple[int, ...]) -> CellStates:
    before = np.flatnonzero(order.is_step)
    after = before + 1
    x, y = (zscore(each[order.rows]) for each in read_matrices(kept))
    values, names = given_values(kept, order.rows)
    index = kept.cells.index[order.rows[after]]
    return CellStates(
        pd.DataFrame(x[before], index, kept.tf_names),
        pd.DataFrame(y[before], index, kept.target_names),
        pd.DataFrame(y[after], index, kept.target_names),
        pd.DataFrame(values[before], index, names),
        order.codes[after],
        delays,
    )


def _warn_of_missing(has: Bools, what: str) -> None:
    warn(f"{np.count_nonzero(~has):,} of {has.size:,} cells have no {what} and are left out.")


def _warn_of_ties(times: Floats, codes: NDArray[np.intp]) -> None:
    tied = pd.DataFrame({"time": times, "lineage": codes}).duplicated(keep=False)
    if tied.any():
        warn(
            f"{np.count_nonzero(tied):,} of {tied.size:,} cells have the `pseudotime` of another "
            "cell of their lineage; these are ordered as in adata."
        )
