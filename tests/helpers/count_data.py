"""All count data beside the project: pairs of new and total RNA, cells in rows."""

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp

from scifate_sklearn.datasets import make_labelled_cells

SPLICED = ("unspliced", "spliced+unspliced")
ALL_SPLICED = ("unspliced", "spliced+unspliced+ambiguous")

# Files of anndata, and their layers of new and total RNA.
H5AD = {
    "formats/alevin_fry/dg50_pyroe_raw.h5ad": ALL_SPLICED,
    "formats/alevin_fry/dg50_pyroe_scRNA.h5ad": ("unspliced", "X+unspliced"),
    "formats/alevin_fry/dg50_pyroe_velocity.h5ad": SPLICED,
    "formats/dynast/nasc_estimate_transcriptome_only.h5ad": ("X_l_TC", "X"),
    "formats/dynast/scNT_count.h5ad": ("labeled_TC", "total"),
    "formats/dynast/scNT_estimate_alpha.h5ad": ("labeled_TC_est", "total"),
    "formats/h5ad_ages/anndata_0.12_csc_layers_no_X.h5ad": SPLICED,
    "formats/h5ad_ages/anndata_0.12_raw_and_zscored_X.h5ad": SPLICED,
    "formats/h5ad_ages/anndata_0.12_versioned_ids_symbols_in_column.h5ad": ("unspliced", "X"),
    "formats/kb_nac/dg50_counts_unfiltered/adata.h5ad": ("nascent", "mature+nascent+ambiguous"),
    "formats/kb_nac/lamanno_counts_unfiltered/adata.h5ad": ("nascent", "X"),
    "formats/nascseq/nascseq2_anndata_relaid.h5ad": ("new", "new+old"),
    "nascseq2_k562/k562_new_total_613x199.h5ad": ("new", "total"),
    "scvelo_tests/pancreas_50obs.h5ad": SPLICED,
    "sergio/DS4_rep0.h5ad": SPLICED,
    "veloviz_pancreas/pancreas_739x7192.h5ad": SPLICED,
}
# Estimates: counts times a share.
ESTIMATES = {
    "formats/dynast/nasc_estimate_transcriptome_only.h5ad": ("X_l_TC_est", "X"),
    "formats/dynast/scNT_estimate_pi_g.h5ad": ("labeled_TC_est", "total"),
}
# Files with total RNA only.
TOTAL_ONLY = {
    "formats/h5ad_ages/anndataR_example.h5ad": "counts",
    "formats/h5ad_ages/mudataseurat_RNA.h5ad": "counts",
    "formats/h5ad_ages/zellkonverter_example_anndata.h5ad": "counts",
    "formats/tenx/cellranger_3.0.0/filtered_feature_bc_matrix/matrix.mtx.gz": "mtx",
    "formats/tenx/dg50_gencode_versions_and_antibodies/matrix.mtx.gz": "mtx",
}


class Pair(NamedTuple):
    """New and total RNA (n_cells, n_genes), as CSR in double precision."""

    new: sp.csr_array
    total: sp.csr_array


def csr(matrix: object) -> sp.csr_array:
    array = sp.csr_array(matrix).astype(np.float64)
    array.eliminate_zeros()
    return array


def layer(adata: ad.AnnData, name: str) -> sp.csr_array:
    parts = [adata.X if part == "X" else adata.layers[part] for part in name.split("+")]
    return csr(sum(csr(part) for part in parts))


def transposed(path: Path) -> sp.csr_array:
    return csr(scipy.io.mmread(path).T)


def grandslam(folder: Path, estimator: str) -> Pair:
    total = transposed(folder / "matrix.mtx.gz")
    return Pair(csr(total * transposed(folder / f"4sU.{estimator}.ntr.mtx.gz")), total)


def grandslam_dense(path: Path, counts: str, ratio: str) -> Pair:
    table = pd.read_csv(path, sep="\t")
    samples = [each.removesuffix(counts) for each in table if each.endswith(counts)]
    samples = [each for each in samples if each + ratio in table]
    total = table[[each + counts for each in samples]].to_numpy().T
    share = table[[each + ratio for each in samples]].fillna(0).to_numpy().T
    return Pair(csr(total * share), csr(total))


def starsolo(folder: Path) -> Pair:
    names = ("unspliced", "spliced", "ambiguous")
    new, spliced, ambiguous = (transposed(folder / f"{name}.mtx") for name in names)
    return Pair(new, csr(new + spliced + ambiguous))


def alevin_fry(folder: Path) -> Pair:
    counts = csr(scipy.io.mmread(folder / "alevin" / "quants_mat.mtx"))
    n = counts.shape[1] // 3
    spliced, unspliced, ambiguous = (counts[:, part * n : (part + 1) * n] for part in range(3))
    return Pair(csr(unspliced), csr(spliced + unspliced + ambiguous))


def velocyto(path: Path) -> Pair:
    with h5py.File(path) as loom:
        return Pair(csr(loom["layers/unspliced"][()].T), csr(loom["matrix"][()].T))


def geo(folder: Path) -> Pair:
    names = ("gene_count_newly_synthesised", "gene_count")
    return Pair(*(transposed(folder / f"GSM3770930_A549_{name}.txt.gz") for name in names))


def scntseq(folder: Path) -> Pair:
    counts = pd.DataFrame(transposed(next(folder.glob("matrix.mtx*"))).toarray())
    rows = pd.read_csv(next(folder.glob("genes.tsv*")), sep="\t", header=None)[0]
    gene, kind = (rows.str.rsplit("--", n=1).str[part] for part in (0, 1))
    parts = [counts.loc[:, (kind == each).to_numpy()] for each in "CT"]
    names = [gene[kind == each] for each in "CT"]
    new, old = (part.set_axis(name, axis=1) for part, name in zip(parts, names, strict=True))
    total = new.add(old, fill_value=0)
    return Pair(csr(new.reindex(columns=total.columns, fill_value=0)), csr(total))


def seurat(path: Path) -> Pair:
    adata = ad.read_h5ad(path)
    return Pair(csr(adata.layers["newRNA"]), csr(adata.raw.X))


def zipped(path: Path, scratch: Path) -> Pair:
    target = scratch / path.stem
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    adata = ad.read_zarr(target)
    return Pair(layer(adata, SPLICED[0]), layer(adata, SPLICED[1]))


def simulated(**options: object) -> Pair:
    adata = make_labelled_cells(300, 10, 90, random_state=0, **options).adata
    return Pair(csr(adata.layers["new"]), csr(adata.layers["total"]))


def other_files(data: Path) -> dict[str, Callable[[], Pair]]:
    """Return a reader for each file that is not one of anndata."""
    formats = data / "formats"
    slam = formats / "grandslam"
    return {
        "alevin_fry/dg50_af_quant": lambda: alevin_fry(formats / "alevin_fry/dg50_af_quant"),
        "alevin_fry/fishpond": lambda: alevin_fry(formats / "alevin_fry/fishpond_fry-usa-basic"),
        "h5ad_ages/seuratdisk_RNA": lambda: seurat(formats / "h5ad_ages/seuratdisk_RNA.h5ad"),
        "scifate_geo": lambda: geo(formats / "scifate_geo"),
        "scntseq/relaid_mtx": lambda: scntseq(formats / "scntseq/relaid_mtx"),
        "starsolo/dg50": lambda: starsolo(formats / "starsolo/dg50_Solo.out/Velocyto/raw"),
        "starsolo/scNT": lambda: starsolo(formats / "starsolo/scNT_split_Velocyto_raw"),
        "velocyto_loom": lambda: velocyto(formats / "velocyto_loom/dg50_velocyto.loom"),
        "simulated": simulated,
        "simulated, shallow": lambda: simulated(molecules=3.0),
        "simulated, deep": lambda: simulated(molecules=300.0),
        "grandslam/bulk_v3": lambda: grandslam_dense(
            slam / "bulk_dense_v3.data.tsv.gz", " Read count", " 4sU Binom NTR MAP"
        ),
        "grandslam/sc_dense": lambda: grandslam_dense(
            slam / "sc_dense.targets/data.tsv.gz", " Read count", " 4sU Binom NTR MAP"
        ),
        "grandslam/bulk_v2_sars": lambda: grandslam_dense(
            slam / "bulk_dense_v2_sars.tsv.gz", " Readcount", " MAP"
        ),
        "grandslam/sc_sparse, Binom": lambda: grandslam(slam / "sc_sparse.targets", "Binom"),
        "grandslam/sc_sparse, TbBinom": lambda: grandslam(slam / "sc_sparse.targets", "TbBinom"),
        "grandslam/pseudobulk": lambda: grandslam(slam / "sc_sparse.pseudobulk", "Binom"),
    }


def read_h5ad_pair(path: Path, layers: tuple[str, str]) -> Pair:
    adata = ad.read_h5ad(path)
    return Pair(*(layer(adata, name) for name in layers))


def read_total(path: Path, name: str) -> Pair:
    """Return total RNA for both, of a file that has no other."""
    total = transposed(path) if name == "mtx" else layer(ad.read_h5ad(path), name)
    return Pair(total, total)


def readers(data: Path) -> dict[str, Callable[[], Pair]]:
    """Return a reader for each pair of new and total counts, and for each pair of estimates."""
    files = [(name, layers) for table in (H5AD, ESTIMATES) for name, layers in table.items()]
    return {
        f"{name.removeprefix('formats/')}: {layers[0]}": partial(
            read_h5ad_pair, data / name, layers
        )
        for name, layers in files
    } | other_files(data)


def changed(matrix: sp.csr_array, function: Callable[[np.ndarray], np.ndarray]) -> sp.csr_array:
    """Return a matrix with other values in the same places."""
    return sp.csr_array((function(matrix.data), matrix.indices, matrix.indptr), matrix.shape)


def normalised(
    matrix: sp.csr_array, target: float | None = None, by: sp.csr_array | None = None
) -> sp.csr_array:
    """Divide each cell by its sum, or that of another matrix, times a target (None: the median)."""
    sums = np.asarray((matrix if by is None else by).sum(axis=1)).ravel()
    target = np.median(sums[sums > 0]) if target is None else target
    return csr(sp.diags_array(target / np.maximum(sums, 1e-300)) @ matrix)


def zscored(matrix: sp.csr_array) -> sp.csr_array:
    dense = matrix.toarray()
    sd = dense.std(axis=0)
    return csr((dense - dense.mean(axis=0)) / np.where(sd > 0, sd, 1))


def ratio(pair: Pair) -> sp.csr_array:
    """Return the share of new RNA in each entry."""
    with np.errstate(divide="ignore"):
        return csr(pair.new.multiply(changed(pair.total, lambda values: 1 / values)))


def logged(matrix: sp.csr_array) -> sp.csr_array:
    return changed(matrix, np.log1p)


def both(function: Callable[[sp.csr_array], sp.csr_array]) -> Callable[[Pair], Pair]:
    return lambda pair: Pair(function(pair.new), function(pair.total))


def new_only(function: Callable[[sp.csr_array], sp.csr_array]) -> Callable[[Pair], Pair]:
    return lambda pair: Pair(function(pair.new), pair.total)


def total_only(function: Callable[[sp.csr_array], sp.csr_array]) -> Callable[[Pair], Pair]:
    return lambda pair: Pair(pair.new, function(pair.total))


def by_total(target: float | None) -> Callable[[Pair], Pair]:
    """Divide both by the library sizes of the total counts, as dynamo does."""
    return lambda pair: Pair(*(normalised(each, target, pair.total) for each in pair))


def then_logged(function: Callable[[Pair], Pair]) -> Callable[[Pair], Pair]:
    return lambda pair: both(logged)(function(pair))


TARGETS = {"1e4": 1e4, "1e6": 1e6, "median": None}

# What is done to counts by mistake before they are given as counts.
MISTAKES: dict[str, Callable[[Pair], Pair]] = {
    "logged": both(logged),
    "logged, total only": total_only(logged),
    "logged, new only": new_only(logged),
    **{
        f"normalised to {name}{which}": apply(lambda matrix, to=to: normalised(matrix, to))
        for name, to in TARGETS.items()
        for which, apply in {"": both, ", total only": total_only, ", new only": new_only}.items()
    },
    **{f"normalised to {name} by total": by_total(to) for name, to in TARGETS.items()},
    **{
        f"normalised to {name}, logged": both(lambda matrix, to=to: logged(normalised(matrix, to)))
        for name, to in TARGETS.items()
    },
    **{
        f"normalised to {name} by total, logged": then_logged(by_total(to))
        for name, to in TARGETS.items()
    },
    "z-scored": both(zscored),
    "fractions of the cell": both(lambda matrix: normalised(matrix, 1.0)),
    "fractions of new RNA": lambda pair: Pair(ratio(pair), pair.total),
    "swapped": lambda pair: Pair(pair.total, pair.new),
}
