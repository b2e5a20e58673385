"""Steps of cells in time, from labelled RNA or from velocities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..causality import CellStates
from ..names import examples
from ..preprocessing import correct_detection, exceeds, log_normalize, to_dense, zscore
from ._chunks import Bools, Chunk, Floats, submatrix
from ._find import choose_layers
from ._given import GIVEN, StateChoices, given_values
from ._names import GeneSymbols
from ._passes import Columns, Kept, choose_cells, choose_genes
from ._recipe import Arguments, Recipe
from ._source import Source

if TYPE_CHECKING:
    from anndata import AnnData

# What to do where the counts beside velocities are none.
_UNIT = (
    "Pass raw counts only if the velocities have their unit (scVelo's have that of its normalised "
    "counts, `Ms`)"
)
# Share of the entries with new counts that exceed the total by chance, or by the way of counting.
_FEW_ABOVE = 0.01


def labelled_states(
    adata: AnnData,
    tf_names: Iterable[str],
    nt_layers: Sequence[str] | Literal["auto"] = ("new", "total"),
    regulator: str = "total",
    given: Sequence[str] = ("size_factor",),
    *,
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    gene_symbols: GeneSymbols = None,
    detection_rate: float | str | None = None,
) -> CellStates:
    r"""Compute the states of cells before and after the labelling, from new and total RNA.

    A step is the labelling period of one cell: its old RNA, total − new, is what is left of the
    RNA at the beginning, its new RNA is what was made since.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        As for `prepare_anndata`; never modified.
    tf_names : iterable of str
        Names of the possible regulators; those that match a gene exactly are TFs.
    nt_layers : (str, str) or "auto", default=("new", "total")
        Layers of counts of new and of total RNA, as for `prepare_anndata`.
    regulator : {"total", "old"}, default="total"
        RNA of the TFs. "total" is what acted during the labelling. "old" is strictly earlier than
        the new RNA of the targets, and weaker: RNA with a short half-life is hardly in it.
    given : sequence of str, default=("size_factor",)
        What every test is conditioned on. "size_factor" is the logarithm of the size factors: the
        depth of a cell changes all of its counts, so without it unlinked genes look linked. Others
        are columns of ``adata.obs``, which become columns as `covariates` do in `prepare_anndata`:
        ``obs:column``, or ``obs:column[level]`` for each level but the first, all z-scored. Few
        columns are best; each makes neighbours more distant. Constant size factors are left out,
        and constant columns with a warning.
    gene_filter_rate, cell_filter_UMI, gene_symbols, detection_rate
        As for `prepare_anndata`.

    Returns
    -------
    CellStates
        One step per kept cell, in the order of `adata` and not ordered in time: `regulator` of
        shape (n_kept_cells, n_TFs), `target_t0` (old) and `target_t1` (new) of shape
        (n_kept_cells, n_kept_genes). TFs are targets too.

    Raises
    ------
    TypeError, ValueError
        As `prepare_anndata`. Also if `regulator` is invalid, or new counts exceed the total ones
        in a kept cell and gene (by more than rounding to single precision).

    Warns
    -----
    UserWarning
        As `prepare_anndata`.

    See Also
    --------
    velocity_states : States of cells and their RNA velocity.
    lagged_states : States of successive cells in pseudotime.

    Notes
    -----
    Genes, cells and size factors s are those of `prepare_anndata`. With a detection rate r, new
    counts first become min(new/r, total). Each column is z-scored with ddof 1; constant ones are 0:

    .. math::
        t_0 = z(\log((total - new)/s + 0.1)), \quad t_1 = z(\log(new/s + 0.1))

    and the regulators in the same way from total or total − new.

    All matrices are dense: 8 bytes × cells × (2 genes + TFs), and up to 2.5 times as much while
    they are made: 1.7 and 4.2 GB for 10,000 cells, 10,000 genes and 1,000 TFs. Dask layers take
    once more. Raise `gene_filter_rate`, or select the genes of `adata`, if that is too much.

    Examples
    --------
    >>> from scifate_sklearn import labelled_states
    >>> from scifate_sklearn.datasets import make_labelled_cells
    >>> cells = make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)
    >>> labelled_states(cells.adata, cells.tf_names, cell_filter_UMI=0)
    CellStates(100 steps: 5 TFs, 25 targets, given 'size_factor')
    """
    if regulator not in ("total", "old"):
        raise ValueError(f"`regulator` must be 'total' or 'old', got {regulator!r}.")
    choices = StateChoices(tf_names, given=given)
    recipe = Recipe(
        choose_layers(adata, nt_layers),
        gene_filter_rate,
        cell_filter_UMI,
        "counts",
        "counts",
        gene_symbols,
        choices.obs_columns(),
        detection_rate,
        Arguments(kinds=("", ""), covariates=GIVEN),
    )
    kept = _keep(Source.from_anndata(adata, recipe), choices)
    steps = _read_steps(kept, partial(_labelled, columns=kept.columns, regulator=regulator))
    _check_new(steps, kept)
    return _to_states(steps, kept)


def velocity_states(
    adata: AnnData,
    tf_names: Iterable[str],
    layers: Sequence[str] = ("spliced", "velocity"),
    given: Sequence[str] = ("size_factor",),
    *,
    dt: float,
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    gene_symbols: GeneSymbols = None,
) -> CellStates:
    r"""Compute the states of cells now and after a short time, from counts and RNA velocities.

    Velocities that were smoothed over neighbouring cells, as those of scVelo and dynamo are, void
    the p-values of any test: cells are then no independent observations, and a permuted TF is
    compared with targets that were averaged. Scores can still be ranked.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        As for `prepare_anndata`; never modified.
    tf_names : iterable of str
        Names of the possible regulators; those that match a gene exactly are TFs.
    layers : (str, str), default=("spliced", "velocity")
        Layer of counts, and layer of velocities in counts per unit of time: what is added to a
        count must have its unit. scVelo's velocities have that of its normalised counts (``Ms``).
    given : sequence of str, default=("size_factor",)
        What every test is conditioned on, as for `labelled_states`.
    dt : float
        Duration of a step in the unit of time of the velocities, above 0. Within it, velocities
        should hardly change, and counts should mostly stay above 0.
    gene_filter_rate, cell_filter_UMI
        As for `prepare_anndata`, applied to the layer of counts.
    gene_symbols : str, mapping, DataFrame, path-like or None, default=None
        As for `prepare_anndata`.

    Returns
    -------
    CellStates
        One step per kept cell, in the order of `adata` and not ordered in time: `regulator` (the
        counts of the TFs) of shape (n_kept_cells, n_TFs), `target_t0` and `target_t1` of shape
        (n_kept_cells, n_targets). TFs are targets too.

    Raises
    ------
    TypeError, ValueError
        As `prepare_anndata`. Also if `layers` are not two names, `dt` is not a positive number, or
        counts after a step are too large for double precision.

    Warns
    -----
    UserWarning
        As `prepare_anndata`: targets whose velocity is NaN or infinite in a kept cell, such as
        genes without a model of scVelo, are left out. Also if counts become negative.

    See Also
    --------
    labelled_states : States of labelled cells, which need no model of velocities.

    Notes
    -----
    Genes, cells and size factors s are those of `prepare_anndata` for the layer of counts x. With
    velocities v, and z-scores with ddof 1 (constant columns are 0):

    .. math::
        t_0 = z(\log(x/s + 0.1)), \quad t_1 = z(\log(\max(x + v\,dt, 0)/s + 0.1))

    The regulators are :math:`z(\log(x/s + 0.1))` of the TFs. Memory as for `labelled_states`.
    """
    counts, velocity = _check_layers(layers)
    choices = StateChoices(tf_names, given=given)
    recipe = Recipe(
        (velocity, counts),
        gene_filter_rate,
        cell_filter_UMI,
        "values",
        "counts",
        gene_symbols,
        choices.obs_columns(),
        arguments=Arguments("layers", ("", ""), GIVEN, _UNIT),
    )
    duration = _check_dt(dt)
    kept = _keep(Source.from_anndata(adata, recipe), choices)
    steps = _read_steps(kept, partial(_moved, columns=kept.columns, dt=duration))
    _check_later(steps, kept)
    _warn_of_clipped(steps, kept)
    return _to_states(steps, kept)


class _Steps(NamedTuple):
    """Steps of some cells.

    Attributes
    ----------
    logs : list of ndarray of shape (n_cells, n_TFs), (n_cells, n_targets) twice
        Of the TFs, and of the targets before and after.
    n_negative : ndarray of int of shape (n_targets,)
        Number of entries of each target that would be negative.
    n_compared : int
        Number of entries that could be so: with new counts, or all.
    """

    logs: list[Floats]
    n_negative: NDArray[np.int64]
    n_compared: int


def _keep(source: Source, choices: StateChoices) -> Kept:
    return choose_cells(source, choose_genes(source, choices), choices)


def _read_steps(kept: Kept, make: Callable[..., _Steps]) -> _Steps:
    """Read the steps of all kept cells in the third pass."""
    n_tfs, n_targets = kept.columns.tfs.size, kept.columns.targets.size
    n_cells = len(kept.cells)
    x, before, after = (np.empty((n_cells, size)) for size in (n_tfs, n_targets, n_targets))
    n_negative, n_compared = np.zeros(n_targets, np.int64), 0
    made = kept.source.chunks.map(make, *kept.per_chunk)
    for rows, steps in zip(kept.bounds, made, strict=True):
        x[rows], before[rows], after[rows] = steps.logs
        n_negative += steps.n_negative
        n_compared += steps.n_compared
    return _Steps([x, before, after], n_negative, n_compared)


def _labelled(
    chunk: Chunk,
    keep: Bools,
    size_factor: Floats,
    rate: Floats | None,
    *,
    columns: Columns,
    regulator: str,
) -> _Steps:
    """Return the steps of the kept cells of a chunk, given new and total counts."""
    new, total = (
        to_dense(submatrix(each, keep, columns.targets)) for each in (chunk.new, chunk.total)
    )
    n_above, n_new = np.count_nonzero(exceeds(new, total), axis=0), int(np.count_nonzero(new))
    if rate is not None:
        new = to_dense(correct_detection(new, total, rate))
    old = np.maximum(total - new, 0.0)
    tfs = (total if regulator == "total" else old)[:, np.isin(columns.targets, columns.tfs)]
    return _Steps([log_normalize(each, size_factor) for each in (tfs, old, new)], n_above, n_new)


def _moved(
    chunk: Chunk,
    keep: Bools,
    size_factor: Floats,
    rate: Floats | None,
    *,
    columns: Columns,
    dt: float,
) -> _Steps:
    """Return the steps of the kept cells of a chunk, given velocities and counts."""
    tfs = submatrix(chunk.total, keep, columns.tfs)
    now = to_dense(submatrix(chunk.total, keep, columns.targets))
    with np.errstate(over="ignore"):  # an error later
        later = now + dt * to_dense(submatrix(chunk.new, keep, columns.targets))
    n_below = np.count_nonzero(later < 0, axis=0)
    np.maximum(later, 0.0, out=later)
    logs = [log_normalize(each, size_factor) for each in (tfs, now, later)]
    return _Steps(logs, n_below, later.size)


def _to_states(steps: _Steps, kept: Kept) -> CellStates:
    index, targets = kept.cells.index, kept.target_names
    values, names = given_values(kept)
    # Each matrix is released before the next one is scaled.
    tfs, before, after = (zscore(steps.logs.pop(0)) for _ in range(3))
    return CellStates(
        pd.DataFrame(tfs, index, kept.tf_names),
        pd.DataFrame(before, index, targets),
        pd.DataFrame(after, index, targets),
        pd.DataFrame(values, index, names),
    )


def _check_new(steps: _Steps, kept: Kept) -> None:
    """Raise ValueError if new counts exceed total ones."""
    n_above = steps.n_negative
    if not n_above.any():
        return
    new, total = kept.source.recipe.nt_layers
    advice = "Leave out these genes, or set their new counts to the total ones."
    if n_above.sum() > _FEW_ABOVE * steps.n_compared:
        advice = (
            "Name as total RNA in `nt_layers` a layer with the new RNA in it, such as "
            f"{f'{total}+{new}'!r} if {total!r} lacks it; or leave out these genes."
        )
    raise ValueError(
        f"layer {new!r} (new RNA) exceeds layer {total!r} (total RNA) in {n_above.sum():,} of "
        f"{steps.n_compared:,} entries with new RNA, of {_genes_of(n_above, kept)}, so that old "
        f"RNA, {total} - {new}, would be negative. {advice}"
    )


def _check_later(steps: _Steps, kept: Kept) -> None:
    """Raise ValueError if counts after a step are infinite."""
    n_infinite = np.count_nonzero(np.isinf(steps.logs[2]), axis=0)
    if n_infinite.any():
        velocity, counts = kept.source.recipe.nt_layers
        raise ValueError(
            f"layer {counts!r} + dt x layer {velocity!r} is too large for double precision in "
            f"{n_infinite.sum():,} entries, of {_genes_of(n_infinite, kept)}. Check the unit of "
            f"`dt`, and layer {velocity!r}."
        )


def _warn_of_clipped(steps: _Steps, kept: Kept) -> None:
    n_below = steps.n_negative
    if n_below.any():
        velocity, counts = kept.source.recipe.nt_layers
        warn(
            f"layer {counts!r} + dt x layer {velocity!r} is negative in {n_below.sum():,} of "
            f"{steps.n_compared:,} entries, of {_genes_of(n_below, kept)}, which become 0. With a "
            "shorter `dt`, fewer are."
        )


def _genes_of(n_entries: NDArray[np.int64], kept: Kept) -> str:
    """Return how many genes have such entries, and which."""
    genes = kept.target_names[n_entries > 0]
    return f"{len(genes):,} of {n_entries.size:,} genes ({examples(genes)})"


def _check_layers(layers: Any) -> tuple[str, str]:
    names = list(layers) if isinstance(layers, list | tuple) else []
    if len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise ValueError(
            "`layers` must be two layer names, that of the counts and that of the velocities, such "
            f"as ('spliced', 'velocity'), got {layers!r}."
        )
    return names[0], names[1]


def _check_dt(dt: Any) -> float:
    if not isinstance(dt, Real) or not 0 < float(dt) < np.inf:
        raise ValueError(f"`dt` must be a duration above 0, got {dt!r}.")
    return float(dt)
