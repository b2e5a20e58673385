"""Directed information from some TFs to one target."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..solvers import InformationProblem
from ._information import shared_columns
from ._states import CellStates

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Null:
    """How the null distribution of a link is drawn.

    Attributes
    ----------
    n_permutations : int
    shuffle_neighbors : int
        Number of nearest cells among which a value is permuted.
    seed : int
        With the names of a link it determines the permutations of that link.
    """

    n_permutations: int
    shuffle_neighbors: int
    seed: int

    def rng(self, tf: str, target: str) -> np.random.Generator:
        """Return the random numbers of a link, whatever other links there are."""
        names = hashlib.sha256(repr((tf, target)).encode()).digest()
        return np.random.default_rng([self.seed, int.from_bytes(names, "little")])


@dataclass(frozen=True)
class Target:
    """Directed information from TFs to one target.

    Attributes
    ----------
    states : CellStates
    name : str
        The target.
    n_neighbors : int
    """

    states: CellStates
    name: str
    n_neighbors: int

    def rdi(self, tfs: Sequence[str], delay: int) -> Floats:
        """Return I(X; Y₁ | Y₀, given) of each TF X at a delay.

        It is NaN for TFs whose values are those of Y₀ or of a column of `given`.
        """
        problem, x, z = self._problem(tfs, delay)
        values = problem.estimate(x)
        values[shared_columns(x, z)] = np.nan
        return values

    def crdi(self, tfs: Sequence[str], delay: int, given: Mapping[str, int]) -> Floats:
        """Return I(X; Y₁ | Y₀, given, W) of each TF X at a delay.

        Parameters
        ----------
        tfs : sequence of str
        delay : int
        given : mapping of str to int
            Other TFs W, and their delays.
        """
        problem, x, _ = self._problem(tfs, delay, given)
        return problem.estimate(x)

    def p_value(self, tf: str, delays: Sequence[int], null: Null) -> float:
        """Return the share of permutations with at least the largest information over delays.

        Notes
        -----
        p = (1 + number of such permutations) / (1 + number of permutations). Each delay has
        permutations of its own, so that the test is conservative if there are several.
        """
        rng = null.rng(tf, self.name)
        observed, permuted = -np.inf, np.full(null.n_permutations, -np.inf)
        for delay in delays:
            problem, x, _ = self._problem([tf], delay)
            observed = max(observed, float(problem.estimate(x)[0]))
            drawn = problem.null(x[0], rng, null.n_permutations, null.shuffle_neighbors)
            permuted = np.maximum(permuted, drawn)
        n_above = int(np.count_nonzero(permuted >= observed))
        return (1 + n_above) / (1 + null.n_permutations)

    def _problem(
        self, tfs: Sequence[str], delay: int, given: Mapping[str, int] | None = None
    ) -> tuple[InformationProblem, Floats, Floats]:
        """Return the problem, the values of the TFs, and those that are given."""
        others = given or {}
        states = self.states
        rows, _ = states.rows_at(max([delay, *others.values()]))
        regulator = states.regulator.to_numpy()
        place = states.tf_names.get_indexer(pd.Index([*tfs, *others], dtype=object))
        own = states.target_names.get_loc(self.name)
        lags = [*others.values()]
        z = np.vstack(
            [
                states.target_t0.to_numpy()[rows, own],
                states.given.to_numpy()[rows].T,
                *(
                    regulator[rows - lag + 1, column]
                    for lag, column in zip(lags, place[len(tfs) :], strict=True)
                ),
            ]
        )
        x = np.ascontiguousarray(regulator[np.ix_(rows - delay + 1, place[: len(tfs)])].T)
        y = states.target_t1.to_numpy()[rows, own][None]
        return InformationProblem(y, z, self.n_neighbors), x, z
