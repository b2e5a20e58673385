"""Folder of finished blocks of targets, from which a killed fit resumes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np

from .._version import __version__
from ..files import Part, PartFolder, PartKind, archive
from ..moments import Moments
from ._engine import BlockFit

# Numbers, strings and checksums that determine the result of a fit, by a readable name.
Identity: TypeAlias = dict[str, Any]

_FIT = PartKind("fit", "fit", "fitted targets", 2, "These targets are fitted again.")


def identify(parameters: Mapping[str, Any], moments: Moments) -> Identity:
    """Return the numbers, strings and checksums that determine the result of a fit.

    Parameters
    ----------
    parameters : mapping of str to None, number, str or array-like
        Parameters of the fit.
    moments : Moments
        They contain the samples, the weights and the folds.
    """
    identity: Identity = {"version of scifate_sklearn": __version__}
    for name, value in parameters.items():
        value = value.item() if isinstance(value, np.generic) else value
        is_plain = value is None or isinstance(value, (str, bool, int, float))
        identity[f"`{name}`"] = value if is_plain else _checksum(value)
    for what, names, size in (
        ("predictors", moments.feature_names, moments.n_features),
        ("targets", moments.target_names, moments.n_targets),
    ):
        identity[f"number of {what}"] = size
        identity[f"names of the {what}"] = None if names is None else _checksum(names)
    identity["cells, weights and folds (checksum)"] = moments.checksum()
    return identity


def _checksum(values: Any) -> str:
    array = np.asarray(values)
    if array.dtype == object:  # strings
        array = array.astype(np.str_)
    # Series and frames are aligned by name, so the checksum includes their names. `index` of a list
    # is a method.
    is_pandas = hasattr(values, "iloc")
    names = {
        axis: np.asarray(getattr(values, axis, ()) if is_pandas else (), np.str_)
        for axis in ("index", "columns")
    }
    return archive.checksum({"values": array, **names})


class Checkpoint(PartFolder):
    """The finished blocks of one fit, in a folder that may hold those of other fits too.

    Parameters
    ----------
    directory : path-like
        Made if it does not exist.
    identity : dict
        From `identify`.
    """

    def __init__(self, directory: str | os.PathLike[str], identity: Identity) -> None:
        super().__init__(directory, _FIT, identity)

    def read_block(self, block: slice, n_features: int) -> BlockFit | None:
        """Return a block of targets, None if it has no file; warn if the file is damaged."""
        part = _part(block)
        try:
            arrays = self.read(part)
            return None if arrays is None else _parse(arrays, block, n_features, part.file)
        except ValueError as error:
            self.warn_of_damage(error)
            return None

    def write_block(self, block: slice, fit: BlockFit) -> None:
        """Write a block of targets completely or not at all."""
        values = {field.name: getattr(fit, field.name) for field in fields(BlockFit)}
        self.write(
            _part(block),
            {name: np.asarray(value) for name, value in values.items() if value is not None},
        )


def _part(block: slice) -> Part:
    start, stop = block.start, block.stop
    return Part(f"targets-{start:06}-{stop:06}.npz", f"targets {start} to {stop - 1}")


def _parse(arrays: dict[str, Any], block: slice, n_features: int, name: str) -> BlockFit:
    """Return a block of targets from the arrays of its file.

    Raises
    ------
    ValueError
        If an array is missing, or is of another type or shape.
    """
    try:
        n_unconverged = int(arrays.pop("n_unconverged"))
        fit = BlockFit(**arrays, n_unconverged=n_unconverged)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} holds no fitted targets ({error}).") from error
    n_targets = block.stop - block.start
    along_grid = ("lambdas", "cv_mse", "cv_mse_se", *(["curve"] if fit.curve is not None else []))
    shapes = dict.fromkeys(along_grid, fit.lambdas.shape)
    shapes["coef"] = (n_targets, n_features)
    if fit.errors is not None:
        shapes["errors"] = (n_targets, fit.errors.shape[1], fit.lambdas.shape[1])
    for field, array in arrays.items():
        if array.dtype.kind not in "fi" or array.shape != shapes.get(field, (n_targets,)):
            raise ValueError(f"{name} holds a `{field}` of another type or shape.")
    if fit.lambdas.shape[:-1] != (n_targets,) or not np.isfinite(fit.coef).all():
        raise ValueError(f"{name} holds other penalties, or coefficients that are not finite.")
    return fit
