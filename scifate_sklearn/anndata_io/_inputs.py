"""Results of `prepare_anndata` and `prepare_moments`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._state import VersionedState
from ..files import archive
from ..moments import Moments, Scale
from ..names import OBS_PREFIX
from ._covariates import (
    ObsCovariate,
    covariates_from_state,
    covariates_to_state,
    merge_covariates,
)

# Format of the files written by `SciFateMoments.save`: columns and their NumPy kinds.
_KIND = "prepared moments"
_VERSION = 1
_CELLS = {"size_factor": "f", "labeling_ratio": "f", "total_umi": "f"}
_GENES = {"n_cells_new": "i", "n_cells_total": "i", "is_tf": "b", "position": "i"}


class SciFateInputs(NamedTuple):
    """Matrices for the regression, returned by `prepare_anndata`.

    Attributes
    ----------
    tf_matrix : DataFrame of shape (n_cells, n_TFs + n_covariates)
        Predictors, z-scored: the TFs in the order of the data, then the covariates
        ``new_size_factor`` and ``labeling_ratio``, each omitted if undefined or constant, then
        those from ``adata.obs``: ``obs:column`` of numbers, ``obs:column[level]`` of a category.
    target_matrix : DataFrame of shape (n_cells, n_targets)
        Responses, z-scored: all kept genes (of values, only genes that are finite in every kept
        cell).
    cells : DataFrame of n_cells rows
        ``size_factor``; ``labeling_ratio``, Σ new / Σ total over the kept genes; ``total_umi``, Σ
        total over the kept genes. NaN if undefined because a layer holds values.
    genes : DataFrame of n_genes rows
        The kept genes by name: ``n_cells_new`` and ``n_cells_total``, the number of cells, before
        any filter, in which the layer is positive; ``is_tf``; ``position``, the gene's column in
        `adata`.
    """

    tf_matrix: pd.DataFrame
    target_matrix: pd.DataFrame
    cells: pd.DataFrame
    genes: pd.DataFrame


@dataclass(frozen=True)
class SciFateMoments(VersionedState):
    """Sums over cells for the regression, returned by `prepare_moments`.

    Attributes
    ----------
    moments : Moments
        Moments of the z-scores in `SciFateInputs`, for `SciFateRegressor.fit_moments`.
    cells, genes : DataFrame
        As in `SciFateInputs`.
    unit : float
        Geometric mean of the cells' totals, which size factors are relative to; NaN if there are no
        size factors.
    scale : Scale
        Means and standard deviations of the logarithms (or values) before they were z-scored.
    covariates : tuple of ObsCovariate, default=()
        The columns of ``adata.obs`` that are covariates, with the levels of categories.
    """

    moments: Moments
    cells: pd.DataFrame
    genes: pd.DataFrame
    unit: float
    scale: Scale
    covariates: tuple[ObsCovariate, ...] = ()

    @classmethod
    def from_logs(
        cls,
        logs: Moments,
        cells: pd.DataFrame,
        genes: pd.DataFrame,
        unit: float,
        covariates: Sequence[ObsCovariate] = (),
    ) -> SciFateMoments:
        """Return the z-scored moments of logarithms or values.

        Parameters
        ----------
        logs : Moments
            Moments of logarithms or values. Overwritten, to save memory.
        cells, genes, unit, covariates
            Stored as the attributes of the same names.

        Returns
        -------
        SciFateMoments
        """
        scale = Scale.from_moments(logs)
        moments = scale.zscore(logs, copy=False)
        return cls(moments, cells, genes, unit, scale, tuple(covariates))

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
        """Return the moments of the cells of both batches, z-scored together.

        Fold k of the result holds the cells of both folds k. Levels of a covariate that only one
        batch has are 0 in the cells of the other.

        Raises
        ------
        ValueError
            If neither batch was prepared with ``like=`` the other.
        """
        if not isinstance(other, SciFateMoments):
            return NotImplemented
        is_like = self.unit == other.unit or np.isnan([self.unit, other.unit]).all()
        if not is_like or not self.genes.index.equals(other.genes.index):
            raise ValueError(
                "The two batches have different genes or different units of size factors, so they "
                "cannot be added. Prepare the second with prepare_moments(..., like=first)."
            )
        covariates = merge_covariates(self.covariates, other.covariates)
        names = self._names_with(covariates)
        logs = self._logs(names) + other._logs(names)
        counted = ["n_cells_new", "n_cells_total"]
        genes = self.genes.assign(
            **{name: self.genes[name] + other.genes[name] for name in counted}
        )
        return SciFateMoments.from_logs(
            logs, pd.concat([self.cells, other.cells]), genes, self.unit, covariates
        )

    def _names_with(self, covariates: Sequence[ObsCovariate]) -> list[str]:
        """Return the names of the predictors with more levels of the covariates."""
        own = self.feature_names
        from_obs = [
            name
            for each in covariates
            for name in each.feature_names
            if each.levels or name in own  # constant numbers were left out
        ]
        return [*(name for name in own if not name.startswith(OBS_PREFIX)), *from_obs]

    def _logs(self, feature_names: Sequence[str]) -> Moments:
        """Return the moments before z-scoring, with predictors that are 0 in all cells added."""
        logs = self.scale.undo(self.moments)
        is_same = list(feature_names) == self.feature_names
        return logs if is_same else logs.with_features(feature_names)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the moments and tables to a file (npz, with a checksum).

        Parameters
        ----------
        path : path-like
            An existing file is replaced only after the new one is complete.
        """
        arrays = {"unit": np.array(self.unit)}
        arrays |= {f"moments {name}": array for name, array in self.moments.to_state().items()}
        arrays |= {f"scale {f.name}": getattr(self.scale, f.name) for f in fields(Scale)}
        state = covariates_to_state(self.covariates)
        arrays |= {f"covariates {name}": array for name, array in state.items()}
        for what, frame, kinds in (("cells", self.cells, _CELLS), ("genes", self.genes, _GENES)):
            arrays[f"{what} names"] = frame.index.to_numpy().astype(np.str_)
            arrays |= {f"{what} {column}": frame[column].to_numpy() for column in kinds}
        archive.write_arrays(path, _KIND, _VERSION, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SciFateMoments:
        """Read a file written by `save`.

        The contents are validated, and nothing in the file is executed.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        SciFateMoments

        Raises
        ------
        ValueError
            If the file is damaged, or of another kind or version.
        OSError
            If the file cannot be read.
        """
        arrays = archive.read_arrays(path, _KIND, _VERSION)
        try:
            cells = _read_frame(arrays, "cells", _CELLS)
            genes = _read_frame(arrays, "genes", _GENES).rename_axis(index="gene")
            moments = Moments.from_state(_part(arrays, "moments"))
            scale = _read_scale(arrays, moments)
            if arrays["unit"].shape != () or arrays["unit"].dtype != np.float64:
                raise ValueError("the unit is not a number")
            if moments.target_names is None or not set(moments.target_names) <= set(genes.index):
                raise ValueError("the targets are not among the genes")
            covariates = covariates_from_state(_part(arrays, "covariates"), moments.feature_names)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{os.fspath(path)} holds no valid {_KIND}: {error}.") from error
        return cls(moments, cells, genes, float(arrays["unit"]), scale, covariates)


def _part(arrays: Mapping[str, NDArray[Any]], what: str) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names start with a prefix, without that prefix."""
    names = [name for name in arrays if name.startswith(f"{what} ")]
    return {name.removeprefix(f"{what} "): arrays[name] for name in names}


def _read_frame(
    arrays: Mapping[str, NDArray[Any]], what: str, kinds: Mapping[str, str]
) -> pd.DataFrame:
    columns = _part(arrays, what)
    names = columns.pop("names")
    if names.ndim != 1 or names.dtype.kind != "U" or set(columns) != set(kinds):
        raise ValueError(f"the {what} are not a table")
    for column, kind in kinds.items():
        if columns[column].shape != names.shape or columns[column].dtype.kind != kind:
            raise ValueError(f"column {column} of the {what} has a wrong type or length")
    return pd.DataFrame({column: columns[column] for column in kinds}, names.astype(object))


def _read_scale(arrays: Mapping[str, NDArray[Any]], moments: Moments) -> Scale:
    scale = Scale(**_part(arrays, "scale"))
    for field in fields(Scale):
        values = getattr(scale, field.name)
        shape = moments.x_shift.shape if field.name.startswith("x") else moments.y_shift.shape
        if values.shape != shape or values.dtype != np.float64 or not np.isfinite(values).all():
            raise ValueError(f"{field.name} is not {shape} finite numbers")
    if min(scale.x_sd.min(), scale.y_sd.min()) < 0:
        raise ValueError("a standard deviation is negative")
    return scale
