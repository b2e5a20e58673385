"""Writing of h5ad files in blocks of cells."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from .readers import Block, CellSource

# Largest number of entries in a chunk of the file.
_CHUNK = 2**16


class H5adWriter:
    """An h5ad file to which cells are appended.

    Parameters
    ----------
    path : Path
        A file that does not exist.
    source : CellSource
    """

    def __init__(self, path: Path, source: CellSource) -> None:
        import h5py

        self._source = source
        self._file = h5py.File(path, "x")
        self._layers: dict[str, _Layer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, block: Block) -> None:
        """Append cells."""
        for name, matrix in block.items():
            if name not in self._layers:
                place = name if name == "X" else f"layers/{name}"
                self._layers[name] = _Layer(self._file.create_group(place), matrix)
            self._layers[name].append(matrix)

    def finish(self, uns: dict[str, Any]) -> None:
        """Write everything but the layers.

        Parameters
        ----------
        uns : dict of str
        """
        import anndata

        for layer in self._layers.values():
            layer.finish(len(self._source.var))
        frames = {"obs": self._source.obs, "var": self._source.var}
        empty: dict[str, Any] = {name: {} for name in ("obsm", "varm", "obsp", "varp")}
        for name, content in {**frames, **empty, "uns": uns}.items():
            anndata.io.write_elem(self._file, name, content)
        self._file.require_group("layers").attrs.update(_encoding("dict"))
        self._file.attrs.update(_encoding("anndata"))


class _Layer:
    """A CSR matrix in the file."""

    def __init__(self, group: Any, first: Any) -> None:
        self._group = group
        self._starts = [np.zeros(1, np.int64)]
        chunk = min(_CHUNK, max(1, first.nnz))
        for name, kind in (("data", first.dtype), ("indices", np.dtype(np.int32))):
            group.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(chunk,))

    def append(self, matrix: Any) -> None:
        n_before = int(self._starts[-1][-1])
        for name in ("data", "indices"):
            stored, added = self._group[name], getattr(matrix, name)
            stored.resize((n_before + len(added),))
            stored[n_before:] = added
        self._starts.append(n_before + matrix.indptr[1:].astype(np.int64))

    def finish(self, n_genes: int) -> None:
        starts = np.concatenate(self._starts)
        self._group["indptr"] = starts
        self._group.attrs.update(_encoding("csr_matrix"))
        self._group.attrs["shape"] = np.array([len(starts) - 1, n_genes])


def _encoding(name: str) -> dict[str, str]:
    """Return the attributes by which anndata knows what a group is."""
    return {"encoding-type": name, "encoding-version": "0.1.0"}
