"""Cells from the files of any tool: in memory, or converted to an h5ad file."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import scipy.sparse as sp

from .._progress import load_tqdm
from ..files import replacing
from ._files import unreadable
from ._formats import FORMATS, Format, recognise
from ._h5ad import H5adWriter
from ._stored_cells import read_stored
from ._zip import is_zipped_zarr
from .readers import Block, CellSource, Reading, UnsortedError

if TYPE_CHECKING:
    from anndata import AnnData

T = TypeVar("T")

_AUTO, _ANNDATA = "auto", "anndata"
_READERS = {each.key: each for each in FORMATS if each.read}
FORMAT_NAMES = (_AUTO, _ANNDATA, *_READERS)


@dataclass(frozen=True)
class Recognised:
    """Cells in a file or folder, and its format.

    Attributes
    ----------
    format : str
        With article, as in "a loom file".
    source : CellSource
    """

    format: str
    source: CellSource

    @classmethod
    def from_path(
        cls, path: str | os.PathLike[str], format: str = "auto", modality: str | None = None
    ) -> "Recognised":
        """Recognise a file or folder, and read the names of its cells and genes.

        Parameters
        ----------
        path, format, modality
            As of `read_cells`.
        """
        path = Path(path)
        if format not in FORMAT_NAMES:
            raise ValueError(f"`format` must be one of {', '.join(FORMAT_NAMES)}, got {format!r}.")
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist.")
        found = _recognise(path) if format == _AUTO else _READERS.get(format)
        if found is None:
            return cls(_describe(path), read_stored(path, modality))
        if found.read is None:
            raise ValueError(f"{path} is {found.name}. {found.advice}")
        if modality is not None:
            raise ValueError(f"`modality`: {path} is {found.name}, which has no modalities.")
        return cls(found.name, found.read(path))

    def describe(self) -> dict[str, str]:
        """Return what is written to ``uns``."""
        return {
            "format": self.format,
            "file": self.source.path.name,
            "new": self.source.new,
            "total": self.source.total,
            "notes": " ".join(self.source.notes),
        }


def _recognise(path: Path) -> Format | None:
    try:
        return recognise(path)
    except Exception as error:  # damaged files raise errors of many types
        raise unreadable(path, error) from error


def read_cells(
    path: str | os.PathLike[str],
    format: str = "auto",
    modality: str | None = None,
    *,
    verbose: bool = False,
) -> "AnnData":
    """Read cells from the file or folder that a tool wrote.

    Loom (velocyto, kb), STARsolo's Velocyto, alevin-fry (USA mode), kb-python (nac), NASC-seq2,
    GRAND-SLAM, sci-fate, scNT-seq, h5ad, zarr (also zipped) and h5mu. Files without new RNA, such
    as those of 10x Cell Ranger, are refused.

    Parameters
    ----------
    path : path-like
        The file or folder.
    format : str, default="auto"
        ``"auto"`` recognises the format from names and first bytes; otherwise ``"anndata"``,
        ``"loom"``, ``"starsolo"``, ``"alevin-fry"``, ``"kb"``, ``"grand-slam"``,
        ``"grand-slam-table"``, ``"nasc-seq2"``, ``"sci-fate"`` or ``"scnt-seq"``.
    modality : str, default=None
        The modality of a MuData file; may be None if there is only one.
    verbose : bool, default=False
        Whether a progress bar is shown.

    Returns
    -------
    AnnData of shape (n_cells, n_genes)
        The layers are sparse (CSR), and have the names of the tool: for example ``spliced``,
        ``unspliced`` and ``ambiguous``, or ``new`` and ``total``. ``X`` is None if the tool writes
        no sum of them. ``uns["source"]`` has the format, and the layers of new and total RNA for
        `prepare_anndata`. Of files of anndata, ``raw``, ``uns`` and arrays with several columns per
        cell or gene are left out.

    Raises
    ------
    ValueError
        If the format is not recognised or has no new RNA, the file is damaged, names and matrix do
        not fit, names of cells are repeated, or numbers are not counts.
    OSError
        If a file cannot be read.

    See Also
    --------
    open_anndata : Opens h5ad, zarr and h5mu files without reading them.
    """
    import anndata

    found = Recognised.from_path(path, format, modality)
    source = found.source

    def collect(reading: Reading) -> dict[str, Any]:
        blocks = list(_shown(source, reading, verbose))
        return {name: _stack(blocks, name, source.shape) for name in source.layers}

    layers = _sorted_or_not(collect)
    return anndata.AnnData(
        X=layers.pop("X", None),
        layers=layers,
        obs=source.obs,
        var=source.var,
        uns={"source": found.describe()},
    )


def convert_cells(found: Recognised, out: str | os.PathLike[str], *, verbose: bool = False) -> None:
    """Write recognised cells to an h5ad file, in blocks.

    Parameters
    ----------
    found : Recognised
    out : path-like
        Replaced when the new file is complete. Temporary files are written to its folder.
    verbose : bool, default=False
        Whether a progress bar is shown.
    """
    out = Path(out)

    def write(reading: Reading) -> None:
        with replacing(out) as unfinished, H5adWriter(unfinished, found.source) as writer:
            for block in _shown(found.source, reading, verbose):
                writer.add(block)
            writer.finish({"source": found.describe()})

    _sorted_or_not(write, folder=out.parent)


def _sorted_or_not(work: Callable[[Reading], T], folder: Path | None = None) -> T:
    """Do work on entries that are taken to be sorted; if they are not, sort them first."""
    try:
        return work(Reading(folder=folder))
    except UnsortedError:
        return work(Reading(folder=folder, is_sorted=False))


def _shown(source: CellSource, reading: Reading, verbose: bool) -> Iterator[Block]:
    """Yield the blocks, and show progress."""
    tqdm = load_tqdm()
    is_shown = verbose and sys.stderr is not None
    n_cells = len(source.obs)
    with (
        closing(source.blocks(reading)) as blocks,
        tqdm(total=n_cells, unit="cell", unit_scale=True, disable=not is_shown) as bar,
    ):
        for block in blocks:
            yield block
            bar.update(next(iter(block.values())).shape[0])


def _stack(blocks: list[Block], name: str, shape: tuple[int, int]) -> Any:
    """Return a layer of all cells."""
    parts = [block[name] for block in blocks]
    return sp.csr_matrix(sp.vstack(parts) if parts else shape)


def _describe(path: Path) -> str:
    """Return the name of a format of anndata or MuData."""
    if is_zipped_zarr(path):
        return "a zipped zarr folder"
    if path.is_dir():
        return "a zarr folder"
    return "a MuData file" if path.suffix == ".h5mu" else "an h5ad file"
