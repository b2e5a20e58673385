"""Small fits that all pictures are drawn from, and figures that are closed after each test."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    PermutationFDR,
    SciFateRegressor,
    StabilitySelection,
    prepare_anndata,
)
from scifate_sklearn.datasets import make_labelled_cells


@pytest.fixture(autouse=True)
def figures():
    """Draw into memory, and close what was drawn."""
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def fits():
    """Return cells, matrices, fitted estimators and an embedding."""
    cells = make_labelled_cells(300, 12, 40, effect_size=0.5, molecules=80, random_state=0)
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=10)
    tfs, new = inputs.tf_matrix, inputs.target_matrix
    fdr = PermutationFDR(SciFateRegressor(), n_permutations=3).fit(tfs, new)
    stable = StabilitySelection(SciFateRegressor(), n_resamples=10).fit(tfs, new)
    model = fdr.regressor_
    chip = EncodeLinkFilter(BindingReference.from_table(cells.reference)).fit(model.links_)
    adata = cells.adata[inputs.cells.index].copy()
    rng = np.random.default_rng(0)
    adata.obsm["X_umap"] = rng.normal(size=(adata.n_obs, 3))
    activity = pd.DataFrame({"TF1": adata.obsm["X_umap"][:, 0]}, adata.obs_names)
    adata.obsm["tf_activity"] = activity
    target = model.links_["target"].value_counts().index[0]
    path = model.coefficient_path(tfs, new, target)
    other = SciFateRegressor(random_state=1).fit(tfs, new)
    return SimpleNamespace(
        tfs=tfs, new=new, model=model, links=model.links_, fdr=fdr, stable=stable, chip=chip,
        adata=adata, activity=activity, target=target, path=path, other=other.links_,
    )  # fmt: skip
