"""CellStates: RNA of TFs and targets before and after a step in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._state import versioned_call
from ..names import examples


@dataclass(frozen=True, eq=False, repr=False)
class CellStates:
    """RNA of TFs and targets at the beginning and at the end of steps in time.

    A step is a labelling period of a cell, a cell and its velocity, or two successive cells of a
    trajectory. `scifate_sklearn.labelled_states`, `velocity_states` and `lagged_states` make them
    from an AnnData. Values are compared as they are, so columns should have similar spreads;
    those functions z-score them. The tables are copies, and must not be changed: deep copies and
    clones of estimators are the same object.

    Parameters
    ----------
    regulator : DataFrame of shape (n_steps, n_TFs)
        Expression of the TFs at the beginning of each step.
    target_t0, target_t1 : DataFrame of shape (n_steps, n_targets)
        Expression of the targets at the beginning and at the end of each step.
    given : DataFrame of shape (n_steps, n_given), optional
        What every test is conditioned on, such as the sequencing depth of the cells.
    run : array-like of shape (n_steps,) or None, default=None
        Lineage of each step. The steps of a lineage are consecutive rows in the order of time.
        None if the steps are not ordered.
    delays : sequence of int, default=(1,)
        Delays of the TFs in steps: the target at the end of step t is compared with the TF at the
        beginning of step t − delay + 1.

    Raises
    ------
    TypeError
        If a table is not a DataFrame of numbers.
    ValueError
        If values are missing or infinite, names repeat, the tables have different cells or targets,
        a lineage is interrupted, or a delay does not fit into the shortest lineage.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(50, 2)), columns=["Pax6", "Sox2"])
    >>> old = pd.DataFrame({"Neurog3": rng.normal(size=50)})
    >>> CellStates(tfs, old, old + rng.normal(size=(50, 1)))
    CellStates(50 steps: 2 TFs, 1 targets)
    """

    regulator: pd.DataFrame
    target_t0: pd.DataFrame
    target_t1: pd.DataFrame
    given: pd.DataFrame = field(default_factory=pd.DataFrame)
    run: NDArray[np.intp] | None = None
    delays: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        for name in ("regulator", "target_t0", "target_t1", "given"):
            table = _as_table(getattr(self, name), name)
            if name == "given" and not table.shape[1]:
                table = pd.DataFrame(index=self.regulator.index)
            object.__setattr__(self, name, table)
            if not table.index.equals(self.regulator.index):
                raise ValueError(
                    f"`{name}` must have the rows of `regulator`, in the same order; got "
                    f"{len(table)} rows for {len(self.regulator)}, or other names."
                )
        if not self.target_t0.columns.equals(self.target_t1.columns):
            raise ValueError("`target_t0` and `target_t1` must have the same columns.")
        if self.run is not None:
            object.__setattr__(self, "run", _as_run(self.run, len(self.regulator)))
        object.__setattr__(self, "delays", self.check_delays(self.delays))

    def __repr__(self) -> str:
        parts = [f"{self.regulator.shape[1]:,} TFs", f"{self.target_t1.shape[1]:,} targets"]
        if self.given.shape[1]:
            parts.append(f"given {examples(self.given.columns)}")
        if self.run is not None:
            parts.append(f"{self.run[-1] + 1} lineages" if len(self.run) else "no lineage")
        return f"CellStates({len(self.regulator):,} steps: {', '.join(parts)})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # scikit-learn's clone deep-copies every parameter.
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.regulator, self.target_t0, self.target_t1, self.given, self.run, self.delays)
        return versioned_call(type(self), *fields)

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.regulator)

    @property
    def tf_names(self) -> pd.Index:
        """Names of the TFs."""
        return self.regulator.columns

    @property
    def target_names(self) -> pd.Index:
        """Names of the targets."""
        return self.target_t1.columns

    def check_delays(self, delays: Sequence[int]) -> tuple[int, ...]:
        """Return delays as a tuple, if every lineage is long enough.

        Parameters
        ----------
        delays : sequence of int

        Returns
        -------
        tuple of int

        Raises
        ------
        ValueError
            If they are not different whole numbers from 1 on, or one is not below the number of
            cells of the shortest lineage; without an order of the steps, if one is not 1.
        """
        found = as_delays(delays)
        shortest = 1 if self.run is None else int(np.bincount(self.run).min(initial=self.n_steps))
        if max(found) > shortest:
            # A lineage of n cells has n - 1 steps.
            advice = (
                f"the shortest lineage has {shortest + 1} cells. Give shorter delays, or leave out "
                "short lineages."
                if self.run is not None
                else "the cells are not ordered in time, so that only a delay of 1 is defined."
            )
            raise ValueError(f"`delays` has {max(found)}, but {advice}")
        return found

    def rows_at(self, delay: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the steps with a TF value at a delay, and the steps where that value is.

        Parameters
        ----------
        delay : int

        Returns
        -------
        target_rows, regulator_rows : ndarray of int of shape (n_rows,)
        """
        rows = np.arange(delay - 1, self.n_steps)
        if self.run is not None:
            rows = rows[self.run[rows] == self.run[rows - delay + 1]]
        return rows, rows - delay + 1


def as_delays(delays: Any) -> tuple[int, ...]:
    """Return delays as a tuple, or raise ValueError if they are not whole numbers from 1 on.

    Parameters
    ----------
    delays : sequence of int
        Different delays in steps.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If they are others, repeat, or there is none.
    """
    given = list(delays) if isinstance(delays, Iterable) else []
    are_whole = all(isinstance(each, Integral) for each in given)
    if not given or not are_whole or min(given) < 1 or len(set(given)) < len(given):
        raise ValueError(
            f"`delays` must be a list of different whole numbers from 1 on, got {delays!r}."
        )
    return tuple(int(each) for each in given)


def _as_table(table: Any, name: str) -> pd.DataFrame:
    """Return a copy of a table as float64, or raise an error that names it."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"`{name}` must be a pandas DataFrame, got {type(table).__name__}.")
    columns = pd.Index(table.columns.astype(str), dtype=object)
    if not columns.is_unique:
        raise ValueError(
            f"`{name}` has several columns of one name ({examples(columns[columns.duplicated()])});"
            " rename all but one."
        )
    try:
        values = table.to_numpy(dtype=np.float64, copy=True)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`{name}` must hold numbers: {error}") from error
    is_bad = ~np.isfinite(values).all(axis=0)
    if is_bad.any():
        raise ValueError(
            f"`{name}` has missing or infinite values in {is_bad.sum()} of its columns "
            f"({examples(columns[is_bad])}). Leave out these genes, or fill in the values."
        )
    values.flags.writeable = False
    return pd.DataFrame(values, table.index, columns, copy=False)


def _as_run(run: Any, n_steps: int) -> NDArray[np.intp]:
    """Return the number of the lineage of each step, from 0 in the order of the rows."""
    labels = np.asarray(run)
    if labels.shape != (n_steps,):
        raise ValueError(f"`run` must have one label per step, {n_steps}, got {labels.shape}.")
    codes, names = pd.factorize(labels)
    if (codes < 0).any():
        raise ValueError(f"`run` is missing for {(codes < 0).sum()} steps.")
    again = np.unique(codes[1:][np.diff(codes) < 0])
    if again.size:
        raise ValueError(
            "`run`: the steps of a lineage must be consecutive rows, in the order of time. Sort "
            f"the rows; {again.size} lineages start again ({examples(map(str, names[again]))})."
        )
    codes = codes.astype(np.intp)
    codes.flags.writeable = False
    return codes
