"""Training data of half of the samples: by a pass over them, or from the sums of whole folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ..fitting import TrainingData
from ..moments import FoldLayout, Moments, Samples
from ._units import Rows, rows_of

# From the units (cells, groups or folds) in the half to its data.
Halving: TypeAlias = Callable[[Rows], TrainingData]


def halving_of_samples(
    moments: Moments, samples: Samples, units: Rows | list[Rows], with_folds: bool
) -> Halving:
    """Return the function that makes halves of samples.

    Parameters
    ----------
    moments : Moments
        Of all samples.
    samples : Samples
    units : ndarray of int, or list of ndarray of int
        The row of each unit, or the rows that stay together.
    with_folds : bool
        Whether a half is cross-validated, by the same folds, or a single set.
    """
    own = samples if with_folds else samples.without_folds()

    def halve(drawn: Rows) -> TrainingData:
        rows = rows_of(units, drawn)
        # A sample without weight has no effect.
        weight = np.zeros_like(own.weight)
        weight[rows] = own.weight[rows]
        half = replace(own, weight=weight)
        return TrainingData(half.sums(around=moments), half)

    return halve


def parts_by_fold(moments: Moments) -> list[Rows]:
    """Return the parts of each fold that has samples of positive weight.

    Raises
    ------
    ValueError
        If there are no folds, or they do not add up to the samples.
    """
    layout = moments.layout
    if not layout.n_folds:
        raise ValueError(
            'resample="folds" needs folds, and there are none: an information criterion as '
            '`lambda_rule` is not cross-validated. Use resample="cells", or another rule.'
        )
    if not layout.total.all():
        raise ValueError(
            'resample="folds" needs folds whose test sets are all cells, each cell in one of them; '
            'those of this `cv` are not. Use KFold or its like, or resample="cells".'
        )
    folds = [layout.held_out[layout.training_of == k] for k in range(layout.n_folds)]
    return [parts for parts in folds if moments.n_cells[parts].any()]


def halving_of_folds(moments: Moments, folds: list[Rows], with_folds: bool) -> Halving:
    """Return the function that makes halves of whole folds, given the parts of each."""

    def halve(drawn: Rows) -> TrainingData:
        parts = np.concatenate([folds[fold] for fold in drawn])
        if with_folds:
            own = np.repeat(np.arange(len(drawn)), [len(folds[fold]) for fold in drawn])
            half = replace(moments.take(parts), layout=FoldLayout.partition(own))
        else:
            member = np.zeros((1, len(moments.weight)))
            member[0, parts] = 1.0
            half = replace(moments.combine(member), layout=FoldLayout.whole_only(1))
        return TrainingData(half)

    return halve
