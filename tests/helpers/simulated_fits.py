"""Fixtures of simulated cells and of the model that other ways to read them must reproduce."""

import pytest

from scifate_sklearn import SciFateRegressor, prepare_anndata
from scifate_sklearn.datasets import make_labelled_cells


def fixtures_of(shape, options, **parameters):
    """Return three fixtures: labelled cells, their matrices in memory, and the fitted model.

    Parameters
    ----------
    shape : tuple of int
        Numbers of cells, TFs and targets.
    options : dict
        Options of `prepare_anndata`.
    **parameters
        Parameters of `SciFateRegressor`.
    """

    @pytest.fixture(scope="module")
    def cells():
        return make_labelled_cells(*shape, effect_size=0.5, molecules=80, random_state=0)

    @pytest.fixture(scope="module")
    def inputs(cells):
        return prepare_anndata(cells.adata, cells.tf_names, **options)

    @pytest.fixture(scope="module")
    def model(inputs):
        return SciFateRegressor(**parameters).fit(inputs.tf_matrix, inputs.target_matrix)

    return cells, inputs, model
