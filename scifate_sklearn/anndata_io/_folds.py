"""Folds of the cells that pass the filters."""

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..fitting import check_same_rows, group_labels
from ..moments import FoldPlan, plan_folds
from ..preprocessing import make_group_folds, make_repeated_folds
from ._chunks import Bools
from ._obs import in_memory, obs_column

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class Folds:
    """The arguments of `prepare_moments` that make folds.

    Attributes
    ----------
    cv, groups, random_state, n_repeats :
        As for `prepare_moments`.
    """

    cv: Any
    groups: str | ArrayLike | None
    random_state: Any
    n_repeats: int

    def plan(self, adata: "AnnData", keep: Bools) -> FoldPlan:
        """Return the plan of the kept cells.

        Parameters
        ----------
        adata : AnnData of shape (n_cells, n_genes)
        keep : ndarray of bool of shape (n_cells,)

        Raises
        ------
        TypeError, ValueError
            If there are fewer cells or groups than folds, or the groups are invalid.
        """
        n_cells = int(np.count_nonzero(keep))
        if isinstance(self.cv, int) and n_cells < self.cv:
            raise ValueError(
                f"Only {n_cells} cell(s) are left, fewer than the {self.cv} folds of the "
                "cross-validation. Lower `cell_filter_UMI` or `cv`."
            )
        labels = self._labels(adata, keep)
        if labels is not None and isinstance(self.cv, Integral):
            repeats = make_group_folds(int(self.cv), self.random_state, self.n_repeats, labels)
        else:
            cells = np.zeros((n_cells, 1))
            repeats = make_repeated_folds(
                self.cv, self.random_state, self.n_repeats, cells, None, labels
            )
        return FoldPlan.repeated([plan_folds(folds, n_cells) for folds in repeats])

    def _labels(self, adata: "AnnData", keep: Bools) -> NDArray[Any] | None:
        """Return the labels of the kept cells."""
        groups = self.groups
        if groups is None:
            return None
        if isinstance(groups, str):
            groups = obs_column(in_memory(adata.obs), groups, "groups")
        else:
            cells = pd.DataFrame(index=adata.obs_names)
            check_same_rows(cells, groups, "adata.obs", "groups", "cells")
        if np.shape(groups) != keep.shape:
            raise ValueError(
                "`groups` must be a column of adata.obs, or one label for each of the "
                f"{keep.size} cells of adata, got an array of shape {np.shape(groups)}."
            )
        return group_labels(groups, keep)[keep]
