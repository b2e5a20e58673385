"""Matrices and tables in an h5ad file, a zarr folder or a MuData file, by the names of layers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from ._conventions import RAW
from ._frames import read_frame, read_frames

_OLD_RAW = "raw.X", "raw.var"


class ModalityError(ValueError):
    """Layers of a file that can be read, but not together."""


@dataclass(frozen=True)
class Stored:
    """Parts of an open file.

    Attributes
    ----------
    cells : dict of str
        The group of the cells; of several modalities, each by its name.
    matrices : dict of str
        Arrays, or groups of sparse ones, by the names of layers.
    shared : list
        ``obs`` of all modalities, beside that of each one, if there is such a table.
    """

    cells: dict[str, Any]
    matrices: dict[str, Any]
    shared: list[Any]

    @classmethod
    def from_store(cls, store: Any) -> Self:
        """Return the parts of a file; nothing is read.

        Parameters
        ----------
        store : h5py.File or zarr.Group
        """
        if "mod" not in store:
            return cls({"": store}, _matrices(store), [])
        cells = {name: store["mod"][name] for name in store["mod"]}
        matrices = {
            f"{name}/{layer}": stored
            for name, group in cells.items()
            for layer, stored in _matrices(group).items()
        }
        return cls(cells, matrices, [store["obs"]] if "obs" in store else [])

    def tables(self, names: Iterable[str]) -> list[Any]:
        """Return ``obs`` and ``var`` of the cells that have these layers."""
        own = [group[slot] for group in self._groups(names) for slot in ("obs", "var")]
        return [*own, *self.shared]

    def frames(self, names: Iterable[str]) -> dict[str, pd.DataFrame]:
        """Read ``obs`` and ``var`` of the cells that have these layers.

        Columns that only the ``obs`` of all modalities has are added.

        Raises
        ------
        ModalityError
            If the layers are of modalities with different cells or genes, or one is the `raw` of a
            modality with other genes.
        """
        frames, *others = (read_frames(group) for group in self._groups(names))
        foreign = [name for name in names if not self._has_own_genes(name)]
        if foreign:
            raise ModalityError(
                f"the layer {foreign[0]} has other genes than its modality, or in another order. "
                "Make it a layer of an AnnData."
            )
        for other in others:
            for slot, what in (("obs", "cells"), ("var", "genes")):
                if not _has_same_names(other, frames, slot):
                    raise ModalityError(
                        f"the layers {', '.join(sorted(names))} are of modalities with different "
                        f"{what}, or in another order. Make them layers of one AnnData."
                    )
        return {**frames, "obs": self._with_shared(frames["obs"])}

    def _with_shared(self, obs: pd.DataFrame) -> pd.DataFrame:
        """Add the columns that only the ``obs`` of all modalities has, if it has these cells."""
        for shared in map(read_frame, self.shared):
            if shared.index.is_unique and obs.index.isin(shared.index).all():
                others = [name for name in shared.columns if name not in obs.columns]
                return pd.concat([obs, shared.loc[obs.index, others].set_axis(obs.index)], axis=1)
        return obs

    def raw_genes(self, modality: str = "") -> pd.DataFrame:
        """Read the table of genes of ``raw``."""
        group = self.cells[modality]
        return read_frame(group[_OLD_RAW[1]] if _OLD_RAW[1] in group else group["raw"]["var"])

    def parts(self) -> tuple[list[list[str]], list[str]]:
        """Return the layers that can be opened together, and those that cannot be opened.

        Returns
        -------
        together : list of list of str
            Layers of modalities with the same cells and genes.
        others : list of str
            ``raw`` of modalities with other genes.
        """
        if "" in self.cells:
            return [list(self.matrices)], []
        found: list[tuple[dict[str, pd.DataFrame], list[str]]] = []
        for modality, group in self.cells.items():
            own = [name for name in self.matrices if name.partition("/")[0] == modality]
            frames = read_frames(group)
            known = next((names for other, names in found if _are_alike(frames, other)), None)
            if known is None:
                found.append((frames, own))
            else:
                known += own
        others = [name for name in self.matrices if not self._has_own_genes(name)]
        return [[name for name in names if name not in others] for _, names in found], others

    def _has_own_genes(self, name: str) -> bool:
        """Return whether a layer has the genes of its modality, as all but `raw` must."""
        modality, _, layer = name.partition("/")
        if layer != RAW or modality not in self.cells:
            return True
        genes = read_frame(self.cells[modality]["var"]).index
        return bool(self.raw_genes(modality).index.equals(genes))

    def _groups(self, names: Iterable[str]) -> list[Any]:
        used = {name.partition("/")[0] for name in names}
        found = [group for name, group in self.cells.items() if name in used]
        return found or list(self.cells.values())[:1]


def _are_alike(one: dict[str, pd.DataFrame], two: dict[str, pd.DataFrame]) -> bool:
    return all(_has_same_names(one, two, slot) for slot in ("obs", "var"))


def _has_same_names(one: dict[str, pd.DataFrame], two: dict[str, pd.DataFrame], slot: str) -> bool:
    return bool(one[slot].index.equals(two[slot].index))


def _matrices(group: Any) -> dict[str, Any]:
    found = {"X": group["X"]} if "X" in group else {}
    found |= dict(group["layers"]) if "layers" in group else {}
    if _OLD_RAW[0] in group:
        found.setdefault(RAW, group[_OLD_RAW[0]])
    elif "raw" in group and hasattr(group["raw"], "keys") and "X" in group["raw"]:
        # Where there is none, anndata may write an empty array in its place.
        found.setdefault(RAW, group["raw"]["X"])
    return found


def open_matrix(stored: Any) -> Any:
    """Return a matrix without reading it: an array of h5py or zarr, or anndata's sparse one.

    Parameters
    ----------
    stored : h5py.Dataset, h5py.Group, zarr.Array or zarr.Group

    Raises
    ------
    ValueError
        If it has more values than places.
    """
    import anndata

    if hasattr(stored, "dtype"):
        return stored
    matrix = anndata.io.sparse_dataset(stored)
    n_places, n_stored = math.prod(matrix.shape), stored["data"].shape[0]
    if n_stored > n_places:
        raise ValueError(f"{stored.name} has {n_stored:,} values in {n_places:,} places.")
    return matrix
