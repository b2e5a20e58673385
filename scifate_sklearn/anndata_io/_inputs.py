"""What is made of an AnnData: matrices or sums, and what was kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..files import archive
from ..moments import Moments, Scale

# What `SciFateMoments.save` writes.
_KIND = "prepared moments"
_VERSION = 1
_CELLS = {"size_factor": "f", "labeling_ratio": "f", "total_umi": "f"}
_GENES = {"n_cells_new": "i", "n_cells_total": "i", "is_tf": "b", "position": "i"}


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
        scale = Scale.from_moments(logs)
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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to a file (npz, with a checksum) for `load`, to add cells to later.

        Parameters
        ----------
        path : path-like
            Replaced only once the new file is complete.
        """
        arrays = {"unit": np.array(self.unit)}
        arrays |= {f"moments {name}": array for name, array in self.moments.to_state().items()}
        arrays |= {f"scale {f.name}": getattr(self.scale, f.name) for f in fields(Scale)}
        for what, frame, kinds in (("cells", self.cells, _CELLS), ("genes", self.genes, _GENES)):
            arrays[f"{what} names"] = frame.index.to_numpy().astype(np.str_)
            arrays |= {f"{what} {column}": frame[column].to_numpy() for column in kinds}
        archive.write_arrays(path, _KIND, _VERSION, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SciFateMoments:
        """Read what `save` wrote.

        Nothing in the file is executed, and nothing is believed unchecked.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        SciFateMoments

        Raises
        ------
        ValueError
            If the file holds something else, is damaged, or of an unknown version.
        OSError
            If it cannot be read.
        """
        arrays = archive.read_arrays(path, _KIND, _VERSION)
        try:
            cells = _read_frame(arrays, "cells", _CELLS)
            genes = _read_frame(arrays, "genes", _GENES).rename_axis(index="gene")
            moments = Moments.from_state(_part(arrays, "moments"))
            scale = _read_scale(arrays, moments)
            if arrays["unit"].shape != () or arrays["unit"].dtype != np.float64:
                raise ValueError("the unit is no number")
            if moments.target_names is None or not set(moments.target_names) <= set(genes.index):
                raise ValueError("the targets are not among the genes")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{os.fspath(path)} holds no valid {_KIND}: {error}.") from error
        return cls(moments, cells, genes, float(arrays["unit"]), scale)


def _part(arrays: Mapping[str, NDArray[Any]], what: str) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names begin with a word, by what follows."""
    names = [name for name in arrays if name.startswith(f"{what} ")]
    return {name.removeprefix(f"{what} "): arrays[name] for name in names}


def _read_frame(
    arrays: Mapping[str, NDArray[Any]], what: str, kinds: Mapping[str, str]
) -> pd.DataFrame:
    columns = _part(arrays, what)
    names = columns.pop("names")
    if names.ndim != 1 or names.dtype.kind != "U" or set(columns) != set(kinds):
        raise ValueError(f"the {what} are no table")
    for column, kind in kinds.items():
        if columns[column].shape != names.shape or columns[column].dtype.kind != kind:
            raise ValueError(f"column {column} of the {what} is of another type or length")
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
