"""Sizes that files of cells declare, compared with what they store."""

import math
from collections.abc import Callable, Iterable

from ..files import expands_beyond, size_limit

# Frames are read at once; matrices by chunks, except the row pointers of sparse ones. Loom files
# have names of their own.
_FRAMES = ("obs", "var", "row_attrs", "col_attrs")
_MATRICES = ("X", "layers", "matrix")
# Chunks may be this large, whatever they declare.
_SMALL = 2**20
_POINTER = 8
_REWRITE = "Write the cells again with anndata."


def is_read(path: str) -> bool:
    """Return whether an array belongs to the parts of the cells that this package reads."""
    return _parts(path)[0] in (*_FRAMES, *_MATRICES)


def _is_read_at_once(path: str) -> bool:
    parts = _parts(path)
    return parts[0] in _FRAMES or (parts[0] in _MATRICES and parts[-1] == "indptr")


def _parts(path: str) -> list[str]:
    """Return the names on the path to an array, from the cells to which it belongs."""
    parts = path.strip("/").split("/")
    if parts[0] == "mod":  # modalities of MuData
        parts = parts[2:]
    if parts[:1] == ["raw"]:
        parts = parts[1:]
    return parts or [""]


class DeclaredSizes:
    """Sizes of the arrays that are read at once, each and together."""

    def __init__(self) -> None:
        self._arrays: dict[str, tuple[int, int]] = {}

    def add(
        self, path: str, shape: Iterable[int], chunk: Iterable[int], itemsize: int, stored: int
    ) -> None:
        """Raise an error for an array that takes far more memory than its content explains.

        Parameters
        ----------
        path : str
            Its place among the cells.
        shape, chunk : iterable of int
            Numbers of items; no chunk if the array has none.
        itemsize : int
            Bytes of a number, 0 for text.
        stored : int
            Bytes in the file.

        Raises
        ------
        ValueError
            If the array, or one of its chunks, takes too much memory.
        """
        if not is_read(path):
            return
        declared = math.prod(map(int, shape)) * (itemsize or _POINTER)
        if _is_read_at_once(path):
            _check(path, "an array", declared, stored)
            self._arrays[path] = (declared, stored)
        _check(path, "a chunk", math.prod(map(int, chunk)) * (itemsize or _POINTER), stored)

    def add_text(self, path: str, length: int, stored: int) -> None:
        """Raise an error for items of text that together are far longer than their file.

        Parameters
        ----------
        path : str
        length, stored : int
            Bytes of the text, and of the file.
        """
        _check(path, "text", length, stored)
        declared, in_array = self._arrays.get(path, (0, 0))
        self._arrays[path] = declared + length, in_array + length

    def check_total(self, size: int) -> None:
        """Raise an error if all arrays together take far more memory than they store.

        Parameters
        ----------
        size : int
            Bytes of the file, in which several arrays may be the same.
        """
        declared, stored = (sum(each) for each in zip((0, 0), *self._arrays.values(), strict=True))
        stored = min(stored, size)
        if declared > size_limit(stored, most=None):
            largest = max(self._arrays, key=lambda path: self._arrays[path][0])
            raise ValueError(
                f"the tables of cells and genes declare {declared:,} bytes, but only {stored:,} "
                f"bytes are stored ({largest} is the largest array). {_REWRITE}"
            )


def _check(path: str, what: str, declared: int, stored: int) -> None:
    if declared > size_limit(stored, most=None):
        raise ValueError(
            f"{path} declares {what} of {declared:,} bytes, but only {stored:,} bytes are stored. "
            f"{_REWRITE}"
        )


def check_expansion(
    path: str, declared: int, codec: str, stored: int, read: Callable[[int | None], bytes]
) -> None:
    """Raise an error for a chunk that decompresses to more than it declares.

    Parameters
    ----------
    path : str
        The array.
    declared : int
        Bytes of the chunk; 0 for text, which has no declared size.
    codec, stored, read
        See `files.expands_beyond`.

    Raises
    ------
    ValueError
        If the chunk is larger, or damaged.
    """
    limit = max(declared, _SMALL) if declared else size_limit(stored, most=None)
    if expands_beyond(limit, codec, stored, read):
        raise ValueError(
            f"{path} has a chunk of {stored:,} bytes that decompresses to more than {limit:,} "
            f"bytes, the limit for this chunk. {_REWRITE}"
        )
