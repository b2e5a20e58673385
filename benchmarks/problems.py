"""Problems for the comparison of solvers: predictors, targets and shared folds.

Real and published data are read from `../shared/data` beside the repository, or from the folder
that is named in the environment variable BENCH_DATA.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scifate_sklearn import RSampleKFold, prepare_anndata
from scifate_sklearn.anndata_io import SciFateInputs, read_tf_names

Floats = NDArray[np.float64]
Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]
N_FOLDS = 10
# The paper's threshold on the absolute correlation of predictor and target.
PREFILTER = 0.03


# Compared by identity, so that rivals can keep what they prepare once per problem.
@dataclass(frozen=True, eq=False)
class Problem:
    """Z-scored predictors (n, p) and targets (n, q), with the folds of R."""

    name: str
    X: Floats
    Y: Floats
    splits: Splits

    @property
    def fold_ids(self) -> NDArray[np.intp]:
        """Number from 0 of the fold that holds out each cell."""
        ids = np.empty(len(self.X), np.intp)
        for fold, (_, test) in enumerate(self.splits):
            ids[test] = fold
        return ids

    def prefiltered(self, t: int) -> Problem:
        """Return target t alone, with the predictors that the paper's prefilter keeps."""
        y = self.Y[:, [t]]
        correlation = (self.X.T @ y)[:, 0] / (len(y) - 1)
        keep = np.abs(correlation) > PREFILTER
        return Problem(f"{self.name}, target {t}", self.X[:, keep], y, self.splits)


def simulated(n: int, p: int, q: int, n_programmes: int = 20, seed: int = 0) -> Problem:
    """Simulate cells whose TFs share programmes (|correlation| up to about 0.7).

    Each target depends on ten TFs, which explain about a quarter of its variance.
    """
    rng = np.random.default_rng(seed)
    # In place, because at a million cells each copy of X counts.
    X = rng.normal(size=(n, n_programmes)) @ rng.normal(size=(n_programmes, p))
    X *= 0.5
    X /= np.sqrt(n_programmes)
    X *= 2
    X += rng.normal(size=(n, p))
    effects = np.zeros((p, q))
    for t in range(q):
        effects[rng.choice(p, min(10, p), replace=False), t] = rng.normal(size=min(10, p))
    Y = X @ effects
    spread = Y.std(axis=0)
    Y *= 0.6
    Y /= spread
    Y += rng.normal(size=(n, q))
    return standardized("simulated", X, Y)


def first_cells(problem: Problem, n: int) -> Problem:
    """Return the first n cells of a problem, z-scored again: the same network with fewer cells."""
    return standardized(
        f"{problem.name}, first {n} cells", problem.X[:n].copy(), problem.Y[:n].copy()
    )


def pancreas() -> Problem:
    """Mouse pancreas (Bastidas-Ponce 2019): unspliced on total RNA, 738 cells, 205 TFs."""
    adata = pancreas_cells()
    return _from_anndata("pancreas", adata, "TF_mgi.txt", ("unspliced", "total"), 1000)


def pancreas_cells() -> Any:
    """Return the same cells with all genes, and the layer "total"."""
    adata = _read_h5ad("veloviz_pancreas/pancreas_739x7192.h5ad")
    adata.layers["total"] = adata.layers["spliced"] + adata.layers["unspliced"]
    return adata


def pancreas_inputs() -> SciFateInputs:
    """Return the same cells with the names of genes and TFs, as `prepare_anndata` gives them."""
    adata = pancreas_cells()
    tf_names = read_tf_names(_data("rcistarget_tf/TF_mgi.txt"))
    return prepare_anndata(adata, tf_names, nt_layers=("unspliced", "total"), cell_filter_UMI=1000)


EVIDENCE = {
    "ENCODE 2015, mouse": "encode_enrichr/encode2015_edges_mouse.csv.gz",
    "ENCODE 2015, human": "encode_enrichr/encode2015_edges_human.csv.gz",
    "ChEA 2015, mouse": "encode_enrichr/chea2015_edges_mouse.csv.gz",
    "ChEA 2015, human": "encode_enrichr/chea2015_edges_human.csv.gz",
    "TRRUST 2, mouse": "trrust/trrust_rawdata.mouse.tsv",
}


def evidence_file(path: str) -> Path:
    """Return the path of a file with evidence in the data folder."""
    return _data(path)


def reference_folder(name: str) -> Path:
    """Return a folder with results of other programs, beside the data folder."""
    file = _data("rcistarget_tf/TF_mgi.txt")  # any that is there
    return file.parents[2] / "reference" / name


def k562() -> Problem:
    """K562 cells labelled with 4sU (NASC-seq2): new on total RNA of the 199 published genes."""
    adata = _read_h5ad("nascseq2_k562/k562_new_total_613x199.h5ad")
    options = {"gene_symbols": "symbol"}
    return _from_anndata("k562", adata, "TF_hgnc.txt", ("new", "total"), 100, **options)


def k562_new() -> Problem:
    """K562 cells labelled with 4sU (NASC-seq2), all genes: new RNA on the new RNA of the TFs.

    The total RNA of all genes is not published with them. Targets are the genes that are not TFs,
    because a TF would be its own perfect predictor.
    """
    import anndata

    folder = "nascseq2_k562"
    file = f"{folder}/K562_newrna_reconstructedmolecules.csv.gz"
    counts = pd.read_csv(_data(file), index_col=0)
    symbols = pd.read_csv(_data(f"{folder}/ensembl_to_symbol.csv"), index_col=0)["symbol"]
    adata = anndata.AnnData(counts.T.astype(np.float64))
    adata.var["symbol"] = symbols.reindex(adata.var_names)
    options = {"gene_symbols": "symbol", "targets_are_tfs": False}
    return _from_anndata("k562_new", adata, "TF_hgnc.txt", ("X", "X"), 1000, **options)


def sergio() -> Problem:
    """SERGIO's simulated cells DS4, no technical noise: unspliced on total, 900 cells, 10 TFs."""
    inputs, _ = sergio_inputs()
    return standardized("sergio", inputs.tf_matrix.to_numpy(), inputs.target_matrix.to_numpy())


def sergio_inputs() -> tuple[SciFateInputs, pd.DataFrame]:
    """Return the matrices of SERGIO's DS4 and the edges of its network (``TF``, ``target``)."""
    adata = _read_h5ad("sergio/DS4_rep0.h5ad")
    adata.layers["total"] = adata.layers["spliced"] + adata.layers["unspliced"]
    tfs = list(adata.var_names[adata.var["is_TF"].astype(bool)])
    inputs = prepare_anndata(adata, tfs, nt_layers=("unspliced", "total"), cell_filter_UMI=0)
    edges = {"TF": adata.uns["gt_GRN_tf"], "target": adata.uns["gt_GRN_target"]}
    return inputs, pd.DataFrame(edges).astype(str)


def sergio_layers() -> tuple[pd.DataFrame, pd.DataFrame, list[str], pd.DataFrame]:
    """Return unspliced and total RNA of SERGIO's DS4, its TFs, and the edges of its network."""
    adata = _read_h5ad("sergio/DS4_rep0.h5ad")
    layers = {name: _layer(adata, name) for name in ("spliced", "unspliced")}
    edges = {"TF": adata.uns["gt_GRN_tf"], "target": adata.uns["gt_GRN_target"]}
    tfs = list(adata.var_names[adata.var["is_TF"].astype(bool)])
    total = layers["spliced"] + layers["unspliced"]
    return layers["unspliced"], total, tfs, pd.DataFrame(edges).astype(str)


def labelled_k562() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return new and total RNA of the 199 published genes of K562 cells labelled with 4sU."""
    adata = _read_h5ad("nascseq2_k562/k562_new_total_613x199.h5ad")
    return _layer(adata, "new"), _layer(adata, "total")


def _layer(adata: Any, name: str) -> pd.DataFrame:
    layer = adata.layers[name]
    values = layer.toarray() if hasattr(layer, "toarray") else np.asarray(layer)
    return pd.DataFrame(values.astype(float), adata.obs_names, adata.var_names)


def dream4() -> Problem:
    """DREAM4 in silico, size 100, network 1: steady states under 300 perturbations.

    Predictors are the genes that regulate others in the known network, targets all other genes. For
    the comparison of solvers only: the multifactorial samples label the genes differently (see
    `dream4_gold`), so that no network is right for all samples.
    """
    kinds = ("multifactorial", "knockouts", "knockdowns")
    table = pd.concat([dream4_table(kind) for kind in kinds], ignore_index=True)
    return _from_table("dream4", table, set(dream4_gold()["TF"]))


def bsubtilis() -> Problem:
    """*B. subtilis*, 266 microarrays, nearly as many TFs (log expression; all other genes)."""
    expression = pd.read_csv(_data("bsubtilis/expression.tsv.gz"), sep="\t", index_col=0)
    tfs = pd.read_csv(_data("bsubtilis/tf_names.tsv"), header=None)[0]
    return _from_table("bsubtilis", expression.T, set(tfs))


# Everything that needs no sizes, by name; `simulated` takes n, p and q.
PROBLEMS: dict[str, Callable[[], Problem]] = {
    "pancreas": pancreas,
    "k562": k562,
    "k562_new": k562_new,
    "sergio": sergio,
    "dream4": dream4,
    "bsubtilis": bsubtilis,
}


def _data(path: str) -> Path:
    folder = os.environ.get("BENCH_DATA")
    root = Path(folder) if folder else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (root / path).is_file():
        raise FileNotFoundError(
            f"{root / path} is not there. Put the data beside the repository, as ../shared/data, "
            "or name their folder in the environment variable BENCH_DATA."
        )
    return root / path


def _read_h5ad(path: str) -> Any:
    import anndata

    return anndata.read_h5ad(_data(path))


def _from_anndata(
    name: str,
    adata: Any,
    tf_file: str,
    layers: tuple[str, str],
    least_umi: float,
    targets_are_tfs: bool = True,
    **options: Any,
) -> Problem:
    tf_names = read_tf_names(_data(f"rcistarget_tf/{tf_file}"))
    inputs = prepare_anndata(
        adata, tf_names, nt_layers=layers, cell_filter_UMI=least_umi, **options
    )
    targets = inputs.target_matrix
    if not targets_are_tfs:
        targets = targets.loc[:, ~inputs.genes.loc[targets.columns, "is_tf"].to_numpy()]
    return standardized(name, inputs.tf_matrix.to_numpy(), targets.to_numpy())


def _from_table(name: str, table: pd.DataFrame, regulators: set[str]) -> Problem:
    varying = table.loc[:, table.std() > 0]
    is_tf = varying.columns.isin(list(regulators))
    values = varying.to_numpy(np.float64)
    return standardized(name, values[:, is_tf], values[:, ~is_tf])


def bsubtilis_tables() -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return expression (samples × genes), known edges (``TF``, ``target``) and TFs."""
    expression = pd.read_csv(_data("bsubtilis/expression.tsv.gz"), sep="\t", index_col=0).T
    known = pd.read_csv(_data("bsubtilis/gold_standard.tsv.gz"), sep="\t", index_col=0)
    target, tf = np.nonzero(known.to_numpy())
    edges = pd.DataFrame({"TF": known.columns[tf], "target": known.index[target]})
    tfs = [name for name in read_tf_names(_data("bsubtilis/tf_names.tsv")) if name in expression]
    is_measured = edges["TF"].isin(tfs) & edges["target"].isin(expression.columns)
    return expression, edges[is_measured].reset_index(drop=True), tfs


def dream4_table(kind: str, network: int = 1) -> pd.DataFrame:
    """Return the expression, samples × 100 genes, of one of the five networks of size 100."""
    name = f"insilico_size100_{network}"
    if kind == "multifactorial":
        archive, member = "_Multifactorial", f"{name}_{kind}.tsv"
    else:
        archive, member = "", f"{name}/{name}_{kind}.tsv"
    with zipfile.ZipFile(_data(f"dream4/DREAM4_InSilico_Size100{archive}.zip")) as outer:
        return pd.read_csv(io.BytesIO(outer.read(member)), sep="\t")


def dream4_gold(kind: str = "", network: int = 1) -> pd.DataFrame:
    """Return the edges (``TF``, ``target``) of one of the five networks of size 100.

    The kind "multifactorial" labels the genes differently: the network is the same, but its G1 is
    not the G1 of all other data.
    """
    with zipfile.ZipFile(_data("dream4/Dream4_100_gold.zip")) as outer:
        inner = io.BytesIO(outer.read("DREAM4_InSilicoNetworks_GoldStandard.zip"))
    ending = (
        f"InSilico_Size100_{'multifactorial_' if kind == 'multifactorial' else ''}{network}.tsv"
    )
    with zipfile.ZipFile(inner) as gold:
        name = next(name for name in gold.namelist() if name.endswith(ending))
        columns = ["TF", "target", "edge"]
        pairs = pd.read_csv(io.BytesIO(gold.read(name)), sep="\t", names=columns)
    return pairs.loc[pairs["edge"] == 1, ["TF", "target"]].reset_index(drop=True)


def standardized(name: str, X: Floats, Y: Floats) -> Problem:
    """Z-score in place and cut the folds."""
    for A in (X, Y):
        spread = A.std(axis=0, ddof=1)
        A -= A.mean(axis=0)
        A /= spread
    return Problem(name, X, Y, list(RSampleKFold(N_FOLDS).split(X)))
