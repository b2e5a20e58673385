"""Small files in the layouts of tools, with known counts."""

import gzip
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

N_CELLS, N_GENES = 9, 6
SPLICED = ("spliced", "unspliced", "ambiguous")
NAC = ("mature", "nascent", "ambiguous")


@dataclass(frozen=True)
class Cells:
    """Known counts, dense arrays of shape (n_cells, n_genes)."""

    spliced: Any
    unspliced: Any
    ambiguous: Any

    @classmethod
    def random(
        cls, seed: int = 0, shape: tuple[int, int] = (N_CELLS, N_GENES), molecules: int = 1
    ) -> "Cells":
        rng = np.random.default_rng(seed)
        return cls(*(rng.poisson(mean * molecules, shape) for mean in (1.0, 0.5, 0.2)))

    @property
    def total(self) -> Any:
        return self.spliced + self.unspliced + self.ambiguous

    @property
    def cells(self) -> list[str]:
        return [f"CELL{i}" for i in range(len(self.spliced))]

    @property
    def genes(self) -> list[str]:
        return [f"ENSG{i}" for i in range(self.spliced.shape[1])]

    @property
    def symbols(self) -> list[str]:
        """Names with the hyphens and dots of real ones."""
        return [f"HLA-{i}.1" for i in range(self.spliced.shape[1])]

    def layers(self, names: tuple[str, ...] = SPLICED) -> dict[str, Any]:
        return dict(zip(names, (self.spliced, self.unspliced, self.ambiguous), strict=True))

    @property
    def labelled(self) -> dict[str, Any]:
        return {"new": self.unspliced, "total": self.total}


def write_text(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def write_lines(path: Path, lines: list[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))


def mtx(entries: list[tuple[Any, ...]], shape: tuple[int, int], kind: str = "integer") -> str:
    lines = [" ".join(map(str, (entry[0] + 1, entry[1] + 1, *entry[2:]))) for entry in entries]
    sizes = f"{shape[0]} {shape[1]} {len(entries)}     "
    return "\n".join([f"%%MatrixMarket matrix coordinate {kind} general", "%", sizes, *lines, ""])


def entries_of(matrix: Any, by: str = "column", zeros: bool = False) -> list[tuple[Any, ...]]:
    """Return the entries of a matrix in the order of its columns or rows, or in no order."""
    found = [
        (i, j, matrix[i, j])
        for i in range(matrix.shape[0])
        for j in range(matrix.shape[1])
        if zeros or matrix[i, j]
    ]
    if by == "column":
        found.sort(key=lambda entry: entry[1])
    if by == "none":
        np.random.default_rng(0).shuffle(found)
        found = [(int(i), int(j), value) for i, j, value in found]
    return found


def write_mtx(path: Path, matrix: Any, kind: str = "integer", **order: Any) -> None:
    write_text(path, mtx(entries_of(matrix, **order), matrix.shape, kind))


def write_starsolo(folder: Path, known: Cells, *, ending: str = "", old: bool = False) -> Path:
    """Write `Solo.out/Velocyto/raw`, in the layout from 2.7.9 or of 2.7.7a (five fields)."""
    raw = folder / "Solo.out" / "Velocyto" / "raw"
    raw.mkdir(parents=True)
    rows = zip(known.genes, known.symbols, strict=True)
    write_lines(
        raw / f"features.tsv{ending}", [f"{each}\t{name}\tGene Expression" for each, name in rows]
    )
    write_lines(raw / f"barcodes.tsv{ending}", known.cells)
    shape = known.total.T.shape
    if old:
        matrices = [layer.T for layer in known.layers().values()]
        entries = [
            (i, j, *(matrix[i, j] for matrix in matrices)) for i, j, _ in entries_of(known.total.T)
        ]
        write_text(raw / f"matrix.mtx{ending}", mtx(entries, shape))
        return folder / "Solo.out"
    for name, layer in known.layers().items():
        # The files have the same entries, so that zeros are written.
        entries = [(i, j, layer.T[i, j]) for i, j, _ in entries_of(known.total.T)]
        write_text(raw / f"{name}.mtx{ending}", mtx(entries, shape))
    return folder / "Solo.out"


def write_old_starsolo(folder: Path, known: Cells) -> Path:
    return write_starsolo(folder, known, old=True) / "Velocyto" / "raw"


def write_alevin(folder: Path, known: Cells, by: str = "row") -> Path:
    path = folder / "af_quant"
    (path / "alevin").mkdir(parents=True)
    (path / "quant.json").write_text(
        json.dumps({"usa_mode": True, "num_genes": 3 * len(known.genes)})
    )
    stacked = np.hstack([*known.layers().values()])
    write_mtx(path / "alevin" / "quants_mat.mtx", stacked, "real", by=by)
    write_lines(path / "alevin" / "quants_mat_rows.txt", known.cells)
    write_lines(path / "alevin" / "quants_mat_cols.txt", known.genes)
    names = [f"{each}\t{name}" for each, name in zip(known.genes, known.symbols, strict=True)]
    write_lines(path / "gene_id_to_name.tsv", names)
    return path


def write_kb(folder: Path, known: Cells) -> Path:
    path = folder / "counts_unfiltered"
    path.mkdir(parents=True)
    for name, layer in known.layers(NAC).items():
        write_mtx(path / f"cells_x_genes.{name}.mtx", layer, "real", by="row")
    write_lines(path / "cells_x_genes.barcodes.txt", known.cells)
    write_lines(path / "cells_x_genes.genes.txt", known.genes)
    write_lines(path / "cells_x_genes.genes.names.txt", known.symbols)
    return folder


def write_lamanno(folder: Path, known: Cells) -> Path:
    """Write both matrices, each with a cell of its own and its own order of cells."""
    order = {"spliced": np.arange(N_CELLS), "unspliced": np.arange(N_CELLS)[::-1]}
    for layer, cells in order.items():
        matrix = np.vstack([known.layers()[layer][cells], np.ones((1, N_GENES), int)])
        write_mtx(folder / f"{layer}.mtx", matrix, "real", by="row")
        names = [known.cells[i] for i in cells]
        write_lines(folder / f"{layer}.barcodes.txt", [*names, f"ONLY_{layer}"])
        write_lines(folder / f"{layer}.genes.txt", known.genes)
    return folder


def write_loom(folder: Path, known: Cells) -> Path:
    path = folder / "sample.loom"
    with h5py.File(path, "w") as file:
        file["matrix"] = known.total.T.astype("f4")
        for name, layer in known.layers().items():
            kind = {"dtype": "u2", "chunks": (2, 4), "compression": "gzip"}
            file.create_dataset(f"layers/{name}", data=layer.T, **kind)
        file["row_attrs/Gene"], file["row_attrs/Accession"] = known.symbols, known.genes
        file["row_attrs/Start"] = np.arange(len(known.genes))
        file["col_attrs/CellID"] = np.array(known.cells, "S")
        file["col_attrs/umap"] = np.zeros((len(known.cells), 2))
    return path


def ratios(known: Cells) -> Any:
    """Return new-to-total ratios with four decimals, as GRAND-SLAM prints them."""
    return np.round(known.unspliced / np.maximum(known.total, 1), 4)


def write_grandslam(folder: Path, known: Cells, by: str = "row") -> Path:
    path = folder / "sample.targets"
    path.mkdir(parents=True)
    total, ntr = known.total.T, ratios(known).T
    positions = [(i, j) for i, j, _ in entries_of(total, by)]
    counts = [(i, j, total[i, j]) for i, j in positions]
    write_text(path / "matrix.mtx.gz", mtx(counts, total.shape))
    for estimator, factor in (("Binom", 1), ("TbBinom", 0)):
        shares = [(i, j, f"{ntr[i, j] * factor:.4f}") for i, j in positions]
        write_text(path / f"4sU.{estimator}.ntr.mtx.gz", mtx(shares, total.shape, "real"))
    rows = zip(known.genes, known.symbols, strict=True)
    features = [f"{each}\t{name}\tGene Expression\tcat\t100" for each, name in rows]
    write_lines(path / "features.tsv.gz", features)
    write_lines(path / "barcodes.tsv.gz", known.cells)
    return path


def write_grandslam_table(folder: Path, known: Cells, version: int = 3) -> Path:
    """Write a dense table; the ratio of genes without a read is NA."""
    count, ntr = {3: (" Read count", " 4sU Binom NTR MAP"), 2: (" Readcount", " MAP")}[version]
    table = pd.DataFrame({"Gene": known.genes, "Symbol": known.symbols})
    for i, cell in enumerate(known.cells):
        table[f"{cell}{count}"] = known.total[i].astype(float)
    for i, cell in enumerate(known.cells):
        shares = np.where(known.total[i] > 0, ratios(known)[i], np.nan)
        table[f"{cell}{ntr.replace('MAP', 'Lower CI')}"] = 0.5
        table[f"{cell}{ntr}"] = shares
        table[f"{cell}{ntr.replace('Binom', 'TbBinom') if version == 3 else ' Mean'}"] = 0.25
    path = folder / "data.tsv.gz"
    table.assign(Length=1).to_csv(path, sep="\t", index=False, na_rep="NA")
    return path


def write_nascseq(folder: Path, known: Cells) -> Path:
    """Write both tables, with the cells and genes in different orders."""
    new, old = known.unspliced, known.spliced + known.ambiguous
    for kind, matrix, step in (("new", new, 1), ("old", old, -1)):
        table = pd.DataFrame(matrix.T.astype(float), known.genes, known.cells)
        table.iloc[::step, ::step].to_csv(folder / f"sample_{kind}rna_molecules.csv")
    return folder


def write_scifate(folder: Path, known: Cells) -> Path:
    prefix = folder / "GSM1_A549_"
    for name, matrix in (("", known.total), ("_newly_synthesised", known.unspliced)):
        write_mtx(Path(f"{prefix}gene_count{name}.txt.gz"), matrix.T)
    genes = zip(known.genes, known.symbols, strict=True)
    lines = ["gene_id,gene_type,gene_short_name", *(f"{i},coding,{name}" for i, name in genes)]
    write_lines(Path(f"{prefix}gene_annotate.txt.gz"), lines)
    lines = ["sample,treatment_time", *(f"{cell},2h" for cell in known.cells)]
    write_lines(Path(f"{prefix}cell_annotate.txt.gz"), lines)
    return folder


def write_scifate_folders(folder: Path, known: Cells) -> Path:
    for name, matrix in (("full_RNA", known.total), ("new_RNA", known.unspliced)):
        (folder / name).mkdir()
        write_mtx(folder / name / "gene_count.mtx", matrix.T, by="row")
        rows = zip(known.genes, known.symbols, strict=True)
        genes = ["gene_id\tgene_short_name", *(f"{each}\t{symbol}" for each, symbol in rows)]
        write_lines(folder / name / "df_gene.tsv", genes)
        write_lines(folder / name / "df_cell.tsv", ["sample", *known.cells])
    return folder


def _molecules(known: Cells) -> pd.DataFrame:
    """Return the rows GENE--C and GENE--T that have a molecule, sorted."""
    old = known.spliced + known.ambiguous
    rows = {f"{symbol}--C": known.unspliced[:, i] for i, symbol in enumerate(known.symbols)}
    rows |= {f"{symbol}--T": old[:, i] for i, symbol in enumerate(known.symbols)}
    table = pd.DataFrame(rows, index=known.cells).T.sort_index()
    return table[table.sum(axis=1) > 0]


def write_scntseq(folder: Path, known: Cells) -> Path:
    path = folder / "TC_matrix.tsv.gz"
    _molecules(known).to_csv(path, sep="\t")
    return path


def write_scntseq_folder(folder: Path, known: Cells) -> Path:
    table = _molecules(known)
    write_mtx(folder / "matrix.mtx", table.to_numpy(), by="row")
    write_lines(folder / "genes.tsv", list(table.index))
    write_lines(folder / "barcodes.tsv", known.cells)
    return folder


def make_anndata(known: Cells) -> anndata.AnnData:
    layers = {name: sp.csr_matrix(layer) for name, layer in known.layers().items()}
    obs, var = pd.DataFrame(index=known.cells), pd.DataFrame(index=known.genes)
    var["gene_name"] = known.symbols
    return anndata.AnnData(sp.csr_matrix(known.total), obs, var, layers=layers)


def write_h5ad(folder: Path, known: Cells) -> Path:
    make_anndata(known).write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def write_zipped_zarr(folder: Path, known: Cells, within: str = "") -> Path:
    store = folder / "cells.zarr"
    make_anndata(known).write_zarr(store)
    path = folder / "cells.zarr.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(store.rglob("*")):
            archive.write(file, Path(within) / file.relative_to(store))
    return path


def write_h5mu(folder: Path, known: Cells, **others: anndata.AnnData) -> Path:
    path = folder / "cells.h5mu"
    with h5py.File(path, "w") as file:
        for name, cells in {"rna": make_anndata(known), **others}.items():
            anndata.io.write_elem(file, f"mod/{name}", cells)
        for slot in ("obs", "var"):
            anndata.io.write_elem(file, slot, pd.DataFrame(index=["x"]))
    return path


@dataclass(frozen=True)
class Layout:
    """A layout: how it is written, and the layers that are read."""

    write: Callable[[Path, Cells], Path]
    format: str
    layers: Callable[[Cells], dict[str, Any]]
    names: str = "genes"
    total: str = "total"
    new: str = "new"


def _estimated(known: Cells) -> dict[str, Any]:
    return {"new": known.total * ratios(known), "total": known.total}


def _with_x(known: Cells) -> dict[str, Any]:
    return {"X": known.total, **known.layers()}


SUM = {"new": "unspliced", "total": "spliced+unspliced+ambiguous"}
LAYOUTS = {
    "loom": Layout(write_loom, "loom", _with_x, "symbols", **SUM),
    "starsolo": Layout(write_starsolo, "starsolo", Cells.layers, **SUM),
    "starsolo 2.7.7a": Layout(write_old_starsolo, "starsolo", Cells.layers, **SUM),
    "alevin-fry": Layout(write_alevin, "alevin-fry", Cells.layers, **SUM),
    "kb": Layout(
        write_kb,
        "kb",
        lambda known: known.layers(NAC),
        new="nascent",
        total="mature+nascent+ambiguous",
    ),
    "lamanno": Layout(
        write_lamanno,
        "kb",
        lambda known: {name: known.layers()[name] for name in SPLICED[:2]},
        new="unspliced",
        total="spliced+unspliced",
    ),
    "grand-slam": Layout(write_grandslam, "grand-slam", _estimated),
    "grand-slam-table": Layout(write_grandslam_table, "grand-slam-table", _estimated),
    "nasc-seq2": Layout(write_nascseq, "nasc-seq2", lambda known: known.labelled),
    "sci-fate": Layout(write_scifate, "sci-fate", lambda known: known.labelled),
    "sci-fate folders": Layout(write_scifate_folders, "sci-fate", lambda known: known.labelled),
    "scnt-seq": Layout(write_scntseq, "scnt-seq", lambda known: known.labelled, "symbols"),
    "scnt-seq folder": Layout(
        write_scntseq_folder, "scnt-seq", lambda known: known.labelled, "symbols"
    ),
    "h5ad": Layout(write_h5ad, "anndata", _with_x, **SUM),
    "zipped zarr": Layout(write_zipped_zarr, "anndata", _with_x, **SUM),
    "h5mu": Layout(write_h5mu, "anndata", _with_x, **SUM),
}
