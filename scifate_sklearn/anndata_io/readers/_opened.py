"""Text files, gzip-compressed or not, that are read in parts."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from ...files import open_decompressed, prefix_errors, require_file, size_error, size_limit

GET_AGAIN = "Copy, download or write it again."


class _Limited:
    """A file that may not decompress to far more than its stored size."""

    def __init__(self, file: IO[bytes], stored: int) -> None:
        self._file = file
        self._stored = stored
        self._limit = size_limit(stored, most=None)
        self._n_bytes = 0

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._file.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self._file.readline(size))

    def __iter__(self) -> Iterator[bytes]:  # pandas requires it
        return iter(self.readline, b"")

    def _counted(self, content: bytes) -> bytes:
        self._n_bytes += len(content)
        if self._n_bytes > self._limit:
            raise size_error("the file", self._stored, self._limit)
        return content


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading its decompressed content; errors name the file.

    Parameters
    ----------
    path : Path

    Yields
    ------
    file

    Raises
    ------
    ValueError
        If it is a damaged gzip file, or expands to far more than its size; at reading.
    OSError
        If it cannot be read.
    """
    require_file(path)
    with prefix_errors(path), open_decompressed(path) as file:
        is_compressed = isinstance(file, gzip.GzipFile)
        limited: Any = _Limited(file, path.stat().st_size) if is_compressed else file
        try:
            yield cast(IO[bytes], limited)
        except (OSError, EOFError, zlib.error) as error:
            if not is_compressed:
                raise
            raise ValueError(f"it is a damaged gzip file ({error}). {GET_AGAIN}") from error
