"""Tables of NASC-seq2: new and old molecules, genes in rows and cells in columns.

The two tables list the cells in different orders, so that they are joined by name.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from .._contents import Contents
from ._source import Block, CellSource, Reading, check_names, table
from ._tables import read_wide
from ._wide import WideTable

_NEW, _OLD = "newrna", "oldrna"
_ENDINGS = (".csv", ".csv.gz")


def is_nascseq(contents: Contents) -> bool:
    """Return whether a folder has both tables, or a file is one of them."""
    if contents.kind == "folder":
        return all(any(_is_table(name, kind) for name in contents.names) for kind in (_NEW, _OLD))
    name = contents.path.name
    is_one = _is_table(name, _NEW) or _is_table(name, _OLD)
    return contents.kind == "file" and is_one and contents.starts(b",", b'"",')


def read_nascseq(path: Path) -> CellSource:
    """Return the cells of two tables of NASC-seq2.

    Parameters
    ----------
    path : Path
        The folder with both, or one of them; the other is beside it.
    """
    new, old = (WideTable.from_path(file) for file in _pair(path))
    cells, genes = _names(new)
    other_cells, other_genes = _names(old)
    for what, names, others in (("cell", cells, other_cells), ("gene", genes, other_genes)):
        lonely = names.symmetric_difference(others)
        if len(lonely):
            raise ValueError(
                f"{new.path} and {old.path} have different {what}s: {len(lonely):,} are in one of "
                f"them only, such as {str(lonely[0])!r}."
            )
    places = cells.get_indexer(other_cells), genes.get_indexer(other_genes)

    def read(reading: Reading) -> Iterator[Block]:
        parts = (
            read_wide(new, list(cells), reading),
            read_wide(old, list(other_cells), reading, cells=places[0], genes=places[1]),
        )
        for (is_new,), (is_old,) in zip(*parts, strict=True):
            yield {"new": is_new, "total": is_new + is_old}

    return CellSource(
        path=path,
        obs=table(cells, "cell"),
        var=table(genes, "gene_id"),
        layers=("new", "total"),
        new="new",
        total="total",
        read=read,
        notes=(
            f"Total RNA is the sum of {new.path.name} and {old.path.name}, joined by the names of "
            "the cells.",
        ),
    )


def _is_table(name: str, kind: str) -> bool:
    return kind in name.lower() and name.lower().endswith(_ENDINGS)


def _pair(path: Path) -> tuple[Path, Path]:
    """Return the tables of new and of old molecules."""
    folder, stem = (path, "") if path.is_dir() else (path.parent, _stem(path.name))
    found = []
    for kind in (_NEW, _OLD):
        files = [f for f in sorted(folder.iterdir()) if _is_table(f.name, kind)]
        files = [f for f in files if not stem or _stem(f.name) == stem]
        if len(files) != 1:
            listed = ", ".join(f.name for f in files) or "none"
            raise ValueError(f"{folder} must have one csv with {kind!r} in its name, has {listed}.")
        found += files
    return found[0], found[1]


def _stem(name: str) -> str:
    """Return what the names of both tables have in common."""
    return name.lower().removesuffix(".gz").replace(_NEW, "").replace(_OLD, "")


def _names(each: WideTable) -> tuple[pd.Index, pd.Index]:
    cells, genes = pd.Index(each.columns[1:]), pd.Index(each.names.iloc[:, 0])
    check_names(cells, f"cells of {each.path}")
    check_names(genes, f"genes of {each.path}")
    return cells, genes
