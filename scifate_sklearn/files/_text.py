"""Text files: compression, encoding and line ends, detected from the content."""

import gzip
import io
import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

_GZIP_MAGIC = b"\x1f\x8b"
_N_SHOWN = 8
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK = "\ufeff"
_PARQUET_MAGIC = b"PAR1"
# First bytes of files that are given in place of text.
_KINDS = {
    b"PK": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    _PARQUET_MAGIC: "a parquet file",
    b"ARROW1": "a feather file",
    b"FEA1": "a feather file",
    b"\x89HDF": "an h5ad or other HDF5 file",
    b"%PDF": "a PDF file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x1f\x8b": "a gzip file that was compressed twice",
}
_BLOCK = 2**20
# Files may have 2 GiB, before and after decompression. Compressed ones may have at most 200 times
# their stored size: deflate reduces tables of genes to a tenth, and zeros to a thousandth. Smaller
# data need no such ratio; the limit for text is lower, because its fields take 20 times the memory.
MAX_DECOMPRESSED = 2 * 2**30
MAX_WITHOUT_RATIO = 256 * 2**20
MAX_TEXT_WITHOUT_RATIO = 32 * 2**20
MAX_RATIO = 200


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


def size_error(what: str | os.PathLike[str], stored: int, limit: int) -> ValueError:
    """Return the error about a compressed file of more than `size_limit` bytes.

    Parameters
    ----------
    what : str or path-like
        The file, as the message names it.
    stored, limit : int
        Its size, and the limit after decompression, in bytes.
    """
    return ValueError(
        f"{what} ({stored:,} bytes) has more than {limit:,} bytes when decompressed, the limit for "
        "a compressed file of this size. If you trust it, decompress it first."
    )


def require_file(path: Path, what: str = "file") -> None:
    """Raise OSError if a path is not that of a file.

    Parameters
    ----------
    path : Path
    what : str, default="file"
        The required file, for the message.

    Raises
    ------
    FileNotFoundError
        If there is nothing, or a folder.
    OSError
        If there is a pipe or a device.
    """
    if path.is_file():
        return
    if path.exists() and not path.is_dir():
        raise OSError(
            f"{path} is a pipe or a device. Write its content to a file, and give the path of that "
            "file."
        )
    found = ": it is a folder. " if path.is_dir() else ". "
    raise FileNotFoundError(
        f"There is no file {path}{found}Give the path of a local {what}; download a URL first."
    )


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
    require_file(path)
    size = path.stat().st_size
    if size > MAX_DECOMPRESSED:
        raise ValueError(
            f"{path} has {size:,} bytes; files of names and evidence may have "
            f"{MAX_DECOMPRESSED:,}. Keep only the rows and columns that are needed."
        )
    _check_content(path, size)
    with open_decompressed(path) as file:
        return file.read()


def _check_content(path: Path, stored: int) -> None:
    """Raise an error for data that are damaged, too large or binary; takes little memory."""
    limit = size_limit(stored, always=MAX_TEXT_WITHOUT_RATIO)
    with open_decompressed(path) as file:
        is_compressed = isinstance(file, gzip.GzipFile)
        try:
            start, size = b"", 0
            while block := file.read(_BLOCK):
                start, size = start or block, size + len(block)
                if _is_binary(block, start):
                    raise _not_text(start, path)
                if is_compressed and size > limit:
                    raise size_error(path, stored, limit)
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
        with open_decompressed(path) as file:
            while length <= longest and (block := file.read(_BLOCK)):
                # Lines inside a block are shorter than the block, and so never too long.
                end = max(block.rfind(b"\n"), block.rfind(b"\r"))
                length = len(block) + (length if end < 0 else -end - 1)
    except (OSError, EOFError, zlib.error):
        return
    if length > longest:
        raise ValueError(f"{path} has a line of more than {longest:,} bytes; it is not a table.")


def read_start(path: str | os.PathLike[str], size: int) -> bytes:
    """Return the first bytes of a file, decompressed; those before any damage."""
    parts: list[bytes] = []
    with suppress(OSError, EOFError, ValueError, zlib.error), open_decompressed(path) as file:
        while size > 0 and (part := cast(io.BufferedReader, file).read1(size)):
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def open_decompressed(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a file, gzip-compressed or not, for reading its decompressed content.

    Reading a damaged gzip file raises OSError, EOFError or zlib.error.
    """
    if not Path(path).is_file():  # opening a pipe would wait for a writer
        raise FileNotFoundError(f"There is no file {path}.")
    with open(path, "rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast(IO[bytes], gzip.open(path)) if is_gzip else open(path, "rb")


def decode_text(content: bytes, path: str | os.PathLike[str]) -> str:
    """Return text without byte order marks, with newlines as the only line ends.

    Parameters
    ----------
    content : bytes
        From `read_content`: UTF-8, or UTF-16 with a byte order mark, as Excel's "Unicode text".
    path : path-like
        The file, for the error message.

    Raises
    ------
    ValueError
        If the content is text of another encoding, or no text.
    """
    encoding = "utf-16" if content.startswith(_UTF16_MARKS) else "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _not_text(content, path)
    # Joined files have a mark where each of them begins.
    text = text.replace(_BYTE_ORDER_MARK, "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_parquet(start: bytes) -> bool:
    """Return whether a file that starts with these bytes is a parquet file."""
    return start.startswith(_PARQUET_MAGIC)


def _is_binary(block: bytes, start: bytes) -> bool:
    """Return whether a block is of a file that is neither text nor parquet, given its start."""
    if is_parquet(start):
        return False
    return (b"\0\0\0\0" if start.startswith(_UTF16_MARKS) else b"\0") in block


def _not_text(content: bytes, path: str | os.PathLike[str]) -> ValueError:
    advice = "save it as UTF-8 text, from a spreadsheet as 'CSV UTF-8'"
    if content.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        advice += ", or unpack it"
    return ValueError(f"{path} is not UTF-8 text ({_describe(content)}); {advice}.")


def _describe(content: bytes) -> str:
    kind = next((kind for magic, kind in _KINDS.items() if content.startswith(magic)), None)
    if kind is None and b"\0" in content[1:2] + content[:1] and len(content) % 2 == 0:
        kind = "UTF-16 without a byte order mark" if content.strip(b"\0") else None
    found = f"it begins with {content[:_N_SHOWN]!r}"
    return f"{found}, as {kind} does" if kind else found


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a file, as `decode_text` does.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_content` and `decode_text`.
    """
    return decode_text(read_content(path), path)
