"""Folders of alevin-fry in USA mode: spliced, unspliced and ambiguous counts.

`quants_mat.mtx` is cells × 3 n genes: n columns of spliced counts, n of unspliced, n of ambiguous
ones. `quants_mat_cols.txt` has the n genes (COMBINE-lab/pyroe, load_fry.py).
"""

from collections.abc import Iterator
from pathlib import Path

from .._contents import Contents
from ._mtx import MatrixMarket, read_matrices
from ._names import find, find_any, read_columns
from ._source import Block, CellSource, Reading, add_up, table

LAYERS = ("spliced", "unspliced", "ambiguous")
_MATRIX = "quants_mat.mtx"


def is_alevin(contents: Contents) -> bool:
    """Return whether a folder is that of alevin-fry, or the one with the matrix within it."""
    within = contents.groups.get("alevin", frozenset())
    has_matrix = not {_MATRIX, f"{_MATRIX}.gz"}.isdisjoint(within)
    return contents.kind == "folder" and (has_matrix or contents.has_file(_MATRIX))


def read_alevin(path: Path) -> CellSource:
    """Return the cells of a folder of alevin-fry."""
    folder = path if find_any(path, _MATRIX) else path / "alevin"
    rows, columns = (find(folder, f"quants_mat_{name}.txt") for name in ("rows", "cols"))
    cells, genes = (read_columns(file, ["name"])["name"] for file in (rows, columns))
    file = MatrixMarket.from_path(find(folder, _MATRIX))
    n_genes = len(genes)
    if file.shape != (len(cells), len(LAYERS) * n_genes):
        raise ValueError(
            f"{file.path} is {file.shape[0]:,} × {file.shape[1]:,}; for the {len(cells):,} cells "
            f"of {rows.name} and three times the {n_genes:,} genes of {columns.name} it must be "
            f"{len(cells):,} × {len(LAYERS) * n_genes:,}. Without USA mode, alevin-fry does not "
            "count unspliced reads: build the index with introns (simpleaf index --ref-type "
            "spliced+intronic)."
        )

    def read(reading: Reading) -> Iterator[Block]:
        for block in read_matrices({"all": file}, file.shape, reading, is_cells_by_genes=True):
            parts = (block["all"][:, i * n_genes : (i + 1) * n_genes] for i in range(len(LAYERS)))
            yield dict(zip(LAYERS, parts, strict=True))

    names = find_any(folder, "gene_id_to_name.tsv") or find_any(path, "gene_id_to_name.tsv")
    symbols = {} if names is None else {"gene_symbol": _symbols(names, list(genes))}
    return CellSource(
        path=path,
        obs=table(cells, "barcode"),
        var=table(genes, "gene_id", symbols),
        layers=LAYERS,
        new="unspliced",
        total=add_up(LAYERS),
        read=read,
        symbols=next(iter(symbols), ""),
        notes=() if symbols else ("It has gene ids, but no symbols.",),
    )


def _symbols(path: Path, genes: list[str]) -> list[str]:
    """Return the symbol of each gene, the id where there is none."""
    known = read_columns(path, ["id", "symbol"])
    if "symbol" not in known:
        raise ValueError(f"{path} has no second column with the symbols.")
    by_id = dict(zip(known["id"], known["symbol"], strict=True))
    return [by_id.get(gene) or gene for gene in genes]
