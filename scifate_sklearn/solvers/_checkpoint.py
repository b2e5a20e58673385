"""Folder of finished blocks of targets, from which a killed fit resumes.

`checkpoint.json` identifies the fit that the folder belongs to. Each block is a file of its own
that is written completely or not at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .._version import __version__
from .._warnings import warn
from ..files import archive, replacing
from ..moments import Moments
from ._engine import BlockFit

# Numbers, strings and checksums that determine the result of a fit, by a readable name.
Identity: TypeAlias = dict[str, Any]

_KIND = "fitted targets"
_VERSION = 1
_MANIFEST = "checkpoint.json"


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


class Checkpoint:
    """A folder of finished blocks of one fit.

    Parameters
    ----------
    directory : path-like
        Made if it does not exist.
    identity : dict
        From `identify`.

    Raises
    ------
    ValueError
        If the folder belongs to another fit.
    OSError
        If it cannot be made, read or written.
    """

    def __init__(self, directory: str | os.PathLike[str], identity: Identity) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        manifest = self.directory / _MANIFEST
        if manifest.exists():
            self._check(manifest, identity)
        else:
            with replacing(manifest) as part:
                part.write_text(json.dumps({"format": _VERSION, "fit": identity}, indent=1))
        self._fit = np.array(json.dumps(identity, sort_keys=True))

    def _check(self, manifest: Path, identity: Identity) -> None:
        try:
            found = json.loads(manifest.read_text())
            there, its_version = dict(found["fit"]), found["format"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                f"`checkpoint`: {manifest} is damaged ({error}). Delete the folder to start again."
            ) from error
        here = json.loads(json.dumps({"format of the folder": _VERSION, **identity}))
        there["format of the folder"] = its_version
        differing = [name for name in here | there if here.get(name) != there.get(name)]
        if differing:
            listed = "; ".join(
                f"{name}: {there.get(name)!r} there, {here.get(name)!r} here" for name in differing
            )
            raise ValueError(
                f"`checkpoint`: {self.directory} belongs to another fit. What differs: {listed}. "
                "Give another folder, or delete this one."
            )

    def read(self, block: slice, n_features: int) -> BlockFit | None:
        """Return a block of targets, None if it has no file; warn if the file is damaged."""
        path = self._path(block)
        if not path.exists():
            return None
        try:
            return self._read(path, block, n_features)
        except ValueError as error:
            warn(f"`checkpoint`: {error} These targets are fitted again.")
            return None

    def write(self, block: slice, fit: BlockFit) -> None:
        """Write a block of targets completely or not at all."""
        values = {field.name: getattr(fit, field.name) for field in fields(BlockFit)}
        arrays = {name: np.asarray(value) for name, value in values.items() if value is not None}
        archive.write_arrays(self._path(block), _KIND, _VERSION, {**arrays, "fit": self._fit})

    def _path(self, block: slice) -> Path:
        return self.directory / f"targets-{block.start:06}-{block.stop:06}.npz"

    def _read(self, path: Path, block: slice, n_features: int) -> BlockFit:
        arrays = archive.read_arrays(path, _KIND, _VERSION)
        if str(arrays.pop("fit", "")) != str(self._fit):
            raise ValueError(f"{path} belongs to another fit.")
        try:
            n_unconverged = int(arrays.pop("n_unconverged"))
            fit = BlockFit(**arrays, n_unconverged=n_unconverged)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} holds no fitted targets ({error}).") from error
        n_targets = block.stop - block.start
        shapes = dict.fromkeys(("lambdas", "cv_mse", "cv_mse_se"), fit.lambdas.shape)
        shapes["coef"] = (n_targets, n_features)
        if fit.errors is not None:
            shapes["errors"] = (n_targets, fit.errors.shape[1], fit.lambdas.shape[1])
        for name, array in arrays.items():
            if array.dtype.kind not in "fi" or array.shape != shapes.get(name, (n_targets,)):
                raise ValueError(f"{path} holds a `{name}` of another type or shape.")
        if fit.lambdas.shape[:-1] != (n_targets,) or not np.isfinite(fit.coef).all():
            raise ValueError(f"{path} holds other penalties, or coefficients that are not finite.")
        return fit
