"""Text files: compression, encoding, line ends and delimiters, detected from the content."""

import csv
import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_GZIP_MAGIC = b"\x1f\x8b"
_DELIMITERS = ("\t", ",", ";")
_N_SHOWN = 8


def read_content(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file, decompressed if it is gzip-compressed.

    Compression is detected from the first bytes: a downloaded file may have lost its extension.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the compressed data are damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}. Give the path of a local file; download a URL first."
        )
    content = path.read_bytes()
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is a damaged gzip file ({error}); get it again.") from error


def read_start(path: str | os.PathLike[str], size: int) -> bytes:
    """Return the first bytes of a file, decompressed; none if it cannot be read."""
    try:
        with open(path, "rb") as file:
            is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        with gzip.open(path) if is_gzip else open(path, "rb") as file:
            return file.read(size)
    except (OSError, EOFError, ValueError, zlib.error):
        return b""


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
        raise ValueError(
            f"{path} is not UTF-8 text (it begins with {content[:_N_SHOWN]!r}); save it as UTF-8 "
            "text, from a spreadsheet as 'CSV UTF-8'."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise ValueError(f"{path} is not a table: {error}.") from error


@contextmanager
def prefix_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the path before the message of errors about the content of a file."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
