"""Draw the pictures of these pages: ``python docs/make_pictures.py``.

The cells are those of the mouse pancreas (unspliced on total RNA), which are not in the repository:
they are read from ``../shared/data``. ``--simulated`` takes simulated cells, for a trial.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    PermutationFDR,
    SciFateRegressor,
    StabilitySelection,
    plotting,
    prepare_anndata,
)
from scifate_sklearn.anndata_io import read_tf_names
from scifate_sklearn.datasets import make_labelled_cells

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
DPI, COLOURS = 130, 160


@dataclass(frozen=True)
class Cells:
    """Cells, their matrices, evidence, and the names that some pictures are about."""

    adata: Any
    tf_matrix: pd.DataFrame
    new_rna: pd.DataFrame
    reference: BindingReference
    target: str
    tf: str
    basis: str


def pancreas() -> Cells:
    """Return the mouse pancreas, with ChIP-seq peaks of ChEA."""
    import anndata

    adata = anndata.read_h5ad(DATA / "veloviz_pancreas" / "pancreas_739x7192.h5ad")
    adata.layers["total"] = adata.layers["spliced"] + adata.layers["unspliced"]
    tf_names = read_tf_names(DATA / "rcistarget_tf" / "TF_mgi.txt")
    inputs = prepare_anndata(
        adata, tf_names, nt_layers=("unspliced", "total"), cell_filter_UMI=1000
    )
    reference = BindingReference.read(DATA / "encode_enrichr" / "chea2015_edges_mouse.csv.gz")
    adata = adata[inputs.cells.index].copy()
    return Cells(adata, inputs.tf_matrix, inputs.target_matrix, reference, "Ins2", "Isl1", "pca")


def simulated() -> Cells:
    """Return simulated cells with a known network."""
    cells = make_labelled_cells(300, 12, 40, effect_size=0.5, molecules=80, random_state=0)
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=10)
    adata = cells.adata[inputs.cells.index].copy()
    adata.obsm["X_tfs"] = inputs.tf_matrix[["TF1", "TF2"]].to_numpy()
    reference = BindingReference.from_table(cells.reference)
    return Cells(adata, inputs.tf_matrix, inputs.target_matrix, reference, "Gene11", "TF1", "tfs")


def weighted_targets(links: pd.DataFrame, new_rna: pd.DataFrame) -> pd.DataFrame:
    """Return the new RNA of the targets of each TF, weighted by the coefficients, z-scored."""
    weights = links.pivot_table(index="target", columns="TF", values="coef").fillna(0.0)
    scores = new_rna[weights.index] @ weights
    return (scores - scores.mean()) / scores.std()


def draw(cells: Cells) -> dict[str, Any]:
    """Return the pictures by name."""
    tfs, new, target = cells.tf_matrix, cells.new_rna, cells.target
    fdr = PermutationFDR(SciFateRegressor(), n_permutations=3).fit(tfs, new)
    stable = StabilitySelection(SciFateRegressor(), n_resamples=20).fit(tfs, new)
    other = SciFateRegressor(random_state=1).fit(tfs, new)
    model = fdr.regressor_
    links = model.links_
    chip = EncodeLinkFilter(cells.reference, harmonize="case").fit(links)
    peaks = chip.ledger_.set_index(["TF", "target"])["chip_peak"]
    marked = fdr.links_.join(peaks, on=["TF", "target"])
    path = model.coefficient_path(tfs, new, target)
    cells.adata.obsm["tf_activity"] = weighted_targets(links, new)
    return {
        "cv_curve": plotting.cv_curve(model, target, path=path),
        "coefficient_path": plotting.coefficient_path(model, target, path),
        "r2_histogram": plotting.r2_histogram(model),
        "regulator_ranks": plotting.regulator_ranks(links, top=15),
        "link_heatmap": plotting.link_heatmap(marked, tfs=15, targets=25),
        "fdr_curve": plotting.fdr_curve(fdr),
        "stability": plotting.stability(stable),
        "enrichment": plotting.enrichment(chip, top=10),
        "network": plotting.network(links),
        "network_around": plotting.network(links, around=cells.tf, top=12),
        "activity": plotting.activity(cells.adata, cells.tf, cells.basis),
        "compare": plotting.compare({"seed 123456": links, "seed 1": other.links_}),
    }


def save_small(picture: Any, path: Path) -> None:
    """Write a picture with as few colours as are enough, because it is kept in the repository."""
    from PIL import Image

    plotting.save(picture, path, dpi=DPI)
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(COLOURS)
    small.save(path, optimize=True)


def main() -> None:
    """Draw all pictures, and write them to a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--simulated", action="store_true", help="take simulated cells")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = draw(simulated() if options.simulated else pancreas())
    for name, picture in pictures.items():
        save_small(picture, options.out / f"{name}.png")


if __name__ == "__main__":
    main()
