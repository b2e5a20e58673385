"""Text files: compression, encoding, line ends and delimiters, detected from the content."""

import csv
import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

_GZIP_MAGIC = b"\x1f\x8b"
_DELIMITERS = ("\t", ",", ";")
_N_SHOWN = 8
_BLOCK = 2**20
# Files may have 2 GiB, before and after decompression. Compressed ones may have at most 200 times
# their stored size: deflate reduces tables of genes to a tenth, and zeros to a thousandth. Smaller
# data need no such ratio; the limit for text is lower, because its fields take 20 times the memory.
MAX_DECOMPRESSED = 2 * 2**30
MAX_WITHOUT_RATIO = 256 * 2**20
MAX_TEXT_WITHOUT_RATIO = 32 * 2**20
MAX_RATIO = 200
_MAX_FIELDS = 10_000
_PARQUET_MAGIC = b"PAR1"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def size_limit(
    stored: int, most: int | None = MAX_DECOMPRESSED, always: int = MAX_WITHOUT_RATIO
) -> int:
    """Return the largest accepted size of data after decompression.

    Parameters
    ----------
    stored : int
        Their size in the file, in bytes.
    most : int or None
        Limit whatever `stored` is; None for no such limit.
    always : int
        Size that is accepted whatever `stored` is.

    Returns
    -------
    int
        Size in bytes.
    """
    by_ratio = max(always, MAX_RATIO * stored)
    return by_ratio if most is None else min(most, by_ratio)


def read_content(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file, decompressed if it is gzip-compressed.

    Compression is detected from the first bytes: a downloaded file may have lost its extension.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the data are damaged, too large (see `size_limit`), or neither text nor parquet.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}. Give the path of a local file; download a URL first."
        )
    size = path.stat().st_size
    if size > MAX_DECOMPRESSED:
        raise ValueError(
            f"{path} has {size:,} bytes; files of names and evidence may have "
            f"{MAX_DECOMPRESSED:,}. Keep only the rows and columns that are needed."
        )
    _check_content(path, size)
    with _open(path) as file:
        return file.read()


def _check_content(path: Path, stored: int) -> None:
    """Raise an error for data that are damaged, too large or binary; takes little memory."""
    limit = size_limit(stored, always=MAX_TEXT_WITHOUT_RATIO)
    with _open(path) as file:
        is_compressed = isinstance(file, gzip.GzipFile)
        try:
            start, size = b"", 0
            while block := file.read(_BLOCK):
                start, size = start or block, size + len(block)
                if _is_binary(block, start):
                    raise _not_text(start, path)
                if is_compressed and size > limit:
                    raise ValueError(
                        f"{path} ({stored:,} bytes) has more than {limit:,} bytes when "
                        "decompressed, the limit for a compressed file of this size. If you trust "
                        "it, decompress it first."
                    )
        except (OSError, EOFError, zlib.error) as error:
            if not is_compressed:
                raise
            raise ValueError(f"{path} is a damaged gzip file ({error}); get it again.") from error


def check_lines(path: str | os.PathLike[str], longest: int) -> None:
    """Raise an error if a line of a file, decompressed, is too long; takes little memory.

    Parameters
    ----------
    path : path-like
        A file, gzip-compressed or not. Files that cannot be read are left to `read_content`.
    longest : int
        Largest accepted length in bytes; a multiple of 1 MiB, to which lengths are rounded.

    Raises
    ------
    ValueError
        If a line is longer.
    """
    length = 0
    try:
        with _open(path) as file:
            while length <= longest and (block := file.read(_BLOCK)):
                # Lines inside a block are shorter than the block, and so never too long.
                end = max(block.rfind(b"\n"), block.rfind(b"\r"))
                length = len(block) + (length if end < 0 else -end - 1)
    except (OSError, EOFError, zlib.error):
        return
    if length > longest:
        raise ValueError(f"{path} has a line of more than {longest:,} bytes; it is not a table.")


def read_start(path: str | os.PathLike[str], size: int) -> bytes:
    """Return the first bytes of a file, decompressed; none if it cannot be read."""
    try:
        with _open(path) as file:
            return file.read(size)
    except (OSError, EOFError, ValueError, zlib.error):
        return b""


def _open(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a file, gzip-compressed or not, for reading its decompressed content."""
    if not Path(path).is_file():  # opening a pipe would wait for a writer
        raise FileNotFoundError(f"There is no file {path}.")
    with open(path, "rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast(IO[bytes], gzip.open(path)) if is_gzip else open(path, "rb")


def decode_text(content: bytes, path: str | os.PathLike[str]) -> str:
    """Return UTF-8 text without byte order mark, with newlines as the only line ends.

    Parameters
    ----------
    content : bytes
        From `read_content`.
    path : path-like
        The file, for the error message.

    Raises
    ------
    ValueError
        If the content is not UTF-8 text, or contains NUL bytes, as binary files and UTF-16 do.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _not_text(content, path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_binary(block: bytes, start: bytes) -> bool:
    """Return whether a block is of a file that is neither text nor parquet, given its start."""
    if start.startswith(_PARQUET_MAGIC):
        return False
    return (b"\0\0\0\0" if start.startswith(_UTF_16) else b"\0") in block


def _not_text(content: bytes, path: str | os.PathLike[str]) -> ValueError:
    return ValueError(
        f"{path} is not UTF-8 text (it begins with {content[:_N_SHOWN]!r}); save it as UTF-8 text, "
        "from a spreadsheet as 'CSV UTF-8'."
    )


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a file, as `decode_text` does.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_content` and `decode_text`.
    """
    return decode_text(read_content(path), path)


def find_delimiter(header: str) -> str:
    """Return the tab, comma or semicolon that occurs most often in the first line of a table."""
    return max(_DELIMITERS, key=header.count)


def split_fields(
    lines: Iterable[str], delimiter: str, path: str | os.PathLike[str]
) -> list[list[str]]:
    """Return the fields of each row; quoted fields may hold delimiters and line ends.

    Parameters
    ----------
    lines : iterable of str
        Lines of a table.
    delimiter : str
        From `find_delimiter`.
    path : path-like
        The file, for the error message.

    Raises
    ------
    ValueError
        If the lines are not delimited text.
    """
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            rows.append(row)
            if len(row) > _MAX_FIELDS:
                raise csv.Error(f"a row has {len(row):,} fields, more than {_MAX_FIELDS:,}")
    except csv.Error as error:
        raise ValueError(f"{path} is not a table: {error}.") from error
    return rows


@contextmanager
def prefix_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the path before the message of errors about the content of a file."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
