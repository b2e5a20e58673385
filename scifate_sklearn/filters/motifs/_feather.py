"""Ranking databases in feather files: layout and selected columns.

pyarrow is imported only when a file is read. Uncompressed files are memory-mapped, so that the cost
of reading a column does not depend on the size of the file.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...files import AdvisedError, require_file, size_limit
from ._arrow_sizes import check_version_1, decompressed_size

# Names of the column with the names of the rows, newest layout first.
ROW_COLUMNS = ("motifs", "tracks", "features")

_MAGIC_V1, _MAGIC_V2 = b"FEA1", b"ARROW1"


def read_layout(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Return the names of the rows and of the ranked columns of a database.

    Parameters
    ----------
    path : path-like
        A feather file, version 1 or 2, with the names of its rows in a column called ``motifs``,
        ``tracks`` or ``features``, at any position.

    Returns
    -------
    rows, columns : list of str
        Names of the motifs (or tracks), and of the genes (or regions).

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a feather file, is damaged, or has no column with the names of its rows.
    """
    pa = _import_pyarrow(path)
    magic = _check_magic(Path(path))
    with _naming_damage(path):
        _check_metadata(Path(path), magic)
        if magic == _MAGIC_V1:
            schema = pa.feather.read_table(path, memory_map=True).schema
        else:
            with pa.memory_map(os.fspath(path)) as source:
                schema = pa.ipc.open_file(source).schema
    row_column = _row_column(pa, schema, path)
    rows = _read(pa, path, [row_column]).column(0)
    return _as_text(pa, rows), [name for name in schema.names if name != row_column]


def read_columns(
    path: str | os.PathLike[str], names: Sequence[str]
) -> dict[str, NDArray[np.generic]]:
    """Return the given columns of a database, without reading the others.

    Parameters
    ----------
    path : path-like
        A feather file.
    names : sequence of str
        Names of columns in the file.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)

    Raises
    ------
    ImportError, FileNotFoundError, ValueError
        As `read_layout`; and if a value is missing.
    """
    pa = _import_pyarrow(path)
    table = _read(pa, path, list(names)).combine_chunks()
    # Others, such as run-length encoded ones, may take any memory as NumPy arrays.
    for field in table.schema:
        if not (pa.types.is_integer(field.type) or pa.types.is_floating(field.type)):
            raise ValueError(f"{path}: column {field.name!r} must hold ranks, got {field.type}.")
    columns = dict(zip(table.column_names, table.columns, strict=True))
    incomplete = [name for name, column in columns.items() if column.null_count]
    if incomplete:
        raise ValueError(
            f"{path}: column {incomplete[0]!r} has missing values; every motif must rank it."
        )
    return {name: column.to_numpy() for name, column in columns.items()}


def _import_pyarrow(path: str | os.PathLike[str]) -> ModuleType:
    try:
        import pyarrow as pa
        import pyarrow.feather
        import pyarrow.ipc
    except ImportError as error:
        raise ImportError(
            f"{path}: reading a ranking database requires pyarrow: pip install pyarrow."
        ) from error
    return pa


def _check_magic(path: Path) -> bytes:
    require_file(path, "ranking database, a file called *.feather")
    with path.open("rb") as file:
        start = file.read(8)
    for magic in (_MAGIC_V1, _MAGIC_V2):
        if start.startswith(magic):
            return magic
    advice = (
        "Get the cisTarget database '*.genes_vs_motifs.rankings.feather' (or, older, "
        "'*.mc9nr.feather') again"
    )
    raise AdvisedError(
        f"{path} is not a feather file (it begins with {start!r}).",
        f"{advice}, or pass a table through `MotifRankings.from_table`.",
        f"{advice}.",
    )


def _check_metadata(path: Path, magic: bytes) -> None:
    """Raise ValueError for a file that is damaged, or takes far more memory than its size."""
    if magic == _MAGIC_V1:
        check_version_1(path)
        return
    declared, stored = decompressed_size(path), path.stat().st_size
    if declared > size_limit(stored, most=None):
        raise ValueError(f"it has {stored:,} bytes, but {declared:,} bytes when decompressed")


def _as_text(pa: ModuleType, column: Any) -> list[Any]:
    """Return a column of names; equal names of a dictionary are the same object."""
    if not pa.types.is_dictionary(column.type):
        names: list[Any] = column.to_pylist()
        return names
    decoded: list[Any] = []
    for chunk in column.chunks:
        values = chunk.dictionary.to_pylist()
        decoded += [values[i] if i is not None else None for i in chunk.indices.to_pylist()]
    return decoded


def _row_column(pa: ModuleType, schema: Any, path: str | os.PathLike[str]) -> str:
    names = list(schema.names)
    # A gene may have one of these names too, but its column is numeric.
    text = [name for name, kind in zip(names, schema.types, strict=True) if _is_text(pa, kind)]
    found = [name for name in text if name in ROW_COLUMNS]
    if len(found) != 1:
        raise ValueError(
            f"{path} requires one column of text called {', '.join(map(repr, ROW_COLUMNS))} with "
            f"the names of its rows; found {found or text[:5] or 'no column of text'} among "
            f"{len(names):,} columns. Databases of scores and those with one row per gene "
            "('motifs_vs_genes') do not rank genes by motif."
        )
    return found[0]


def _is_text(pa: ModuleType, kind: Any) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _read(pa: ModuleType, path: str | os.PathLike[str], columns: list[str]) -> Any:
    magic = _check_magic(Path(path))
    with _naming_damage(path):
        if magic == _MAGIC_V1:
            return _validated(pa.feather.read_table(path, columns=columns, memory_map=True))
        source = pa.memory_map(os.fspath(path))
        position = {name: i for i, name in enumerate(pa.ipc.open_file(source).schema.names)}
        # Arrow maps whole files only: selecting columns copies them, and without a selection all
        # are mapped. Of a compressed file the others are then decompressed too, so the whole file
        # is read only if at least half of its columns are selected.
        picked = sorted(position[name] for name in columns)
        fields = picked if 2 * len(picked) < len(position) else None
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        reader = pa.ipc.open_file(source, options=options)
        batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        return _validated(pa.Table.from_batches(batches, reader.schema).select(columns))


def _validated(table: Any) -> Any:
    """Return a table whose buffers have the sizes that their use requires."""
    table.validate(full=True)
    return table


@contextmanager
def _naming_damage(path: str | os.PathLike[str]) -> Iterator[None]:
    """Convert pyarrow's errors into one that names the file."""
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as error:  # ArrowInvalid is a ValueError
        raise ValueError(
            f"{path} cannot be read as a feather file ({error}). It may be truncated: get it "
            "again. If your pyarrow no longer reads Feather version 1, convert the file with an "
            "older pyarrow."
        ) from error
