"""What is made of an AnnData: matrices or sums, and what was kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from scifate_sklearn.moments import Moments, Scale


class SciFateInputs(NamedTuple):
    """What the regression needs, made by `prepare_anndata`.

    Attributes
    ----------
    tf_matrix : DataFrame of shape (n_cells, n_TFs + n_covariates)
        Predictors, z-scored: the TFs in the order of the data, then the covariates
        ``new_size_factor`` and ``labeling_ratio``, each left out if undefined or constant.
    target_matrix : DataFrame of shape (n_cells, n_targets)
        Responses, z-scored: all kept genes (of values, those that are finite in every kept cell).
    cells : DataFrame of n_cells rows
        ``size_factor``; ``labeling_ratio``, Σ new / Σ total over the kept genes; ``total_umi``, Σ
        total over the kept genes. NaN where not defined because a layer holds values.
    genes : DataFrame of n_genes rows
        The kept genes by name: ``n_cells_new`` and ``n_cells_total``, in how many of *all* cells
        the layer is positive; ``is_tf``; ``position``, the gene's column in `adata`.
    """

    tf_matrix: pd.DataFrame
    target_matrix: pd.DataFrame
    cells: pd.DataFrame
    genes: pd.DataFrame


@dataclass(frozen=True)
class SciFateMoments:
    """What the regression needs of any number of cells, made by `prepare_moments`.

    Attributes
    ----------
    moments : Moments
        Of the z-scores that `SciFateInputs` would hold, for `SciFateRegressor.fit_moments`.
    cells, genes : DataFrame
        As in `SciFateInputs`.
    unit : float
        Geometric mean of the cells' totals, which size factors are relative to.
    scale : Scale
        Means and standard deviations of the logarithms (or values) before they were z-scored.
    """

    moments: Moments
    cells: pd.DataFrame
    genes: pd.DataFrame
    unit: float
    scale: Scale

    @classmethod
    def of(
        cls, logs: Moments, cells: pd.DataFrame, genes: pd.DataFrame, unit: float
    ) -> SciFateMoments:
        """Z-score moments.

        Parameters
        ----------
        logs : Moments
            Of logarithms, or values. They are overwritten.
        cells, genes, unit
            As in the attributes.

        Returns
        -------
        SciFateMoments
        """
        scale = Scale.of(logs)
        return cls(scale.zscore(logs, copy=False), cells, genes, unit, scale)

    @property
    def feature_names(self) -> list[str]:
        """Names of the TFs and covariates."""
        names = self.moments.feature_names
        return [] if names is None else list(names)

    @property
    def target_names(self) -> list[str]:
        """Names of the targets."""
        names = self.moments.target_names
        return [] if names is None else list(names)

    def __add__(self, other: SciFateMoments) -> SciFateMoments:
        """Return what the cells of both make together, fold by fold, z-scored together.

        Raises
        ------
        ValueError
            If `other` was not made with ``like`` this, or this with ``like`` the other.
        """
        if not isinstance(other, SciFateMoments):
            return NotImplemented
        is_like = self.unit == other.unit or np.isnan([self.unit, other.unit]).all()
        if not is_like or not self.genes.index.equals(other.genes.index):
            raise ValueError(
                "Batches can be added if they have the same genes and the same unit of size "
                "factors. Prepare the second with prepare_moments(..., like=first)."
            )
        logs = self.scale.undo(self.moments) + other.scale.undo(other.moments)
        counted = ["n_cells_new", "n_cells_total"]
        genes = self.genes.assign(
            **{name: self.genes[name] + other.genes[name] for name in counted}
        )
        return SciFateMoments.of(logs, pd.concat([self.cells, other.cells]), genes, self.unit)
