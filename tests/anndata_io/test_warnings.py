"""Tests that warnings of prepare_anndata and prepare_moments name the line of the caller."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from scifate_sklearn import prepare_anndata, prepare_moments, scifate_glmnet
from scifate_sklearn.datasets import make_labelled_cells

FUNCTIONS = [prepare_anndata, prepare_moments]


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(60, 5, 20, molecules=80, random_state=0)


@pytest.fixture
def shared_name(cells):
    """Return cells of which two genes share a name."""
    adata = cells.adata.copy()
    names = adata.var_names.to_numpy(dtype=object).copy()
    names[-1] = names[-2]
    adata.var["symbol"] = names
    return adata, {"gene_symbols": "symbol"}, "1 of 25 gene columns were dropped"


@pytest.fixture
def not_finite(cells):
    """Return cells with a target that is not finite."""
    adata = cells.adata.copy()
    adata.layers["new"] = adata.layers["new"].toarray().astype(float)
    adata.layers["new"][3, -1] = np.nan
    return adata, {"response": "values"}, r"1 of \d+ targets were left out"


@pytest.fixture(params=["shared_name", "not_finite"])
def case(request, cells):
    adata, options, message = request.getfixturevalue(request.param)
    return adata, {"tf_names": cells.tf_names, "cell_filter_UMI": 0} | options, message


def assert_names_line(record, line):
    assert [each.filename for each in record] == [__file__]
    assert record[0].lineno == line


def this_line():
    """Return the number of the line of the call."""
    return inspect.stack()[1].lineno


@pytest.mark.parametrize("function", FUNCTIONS)
def test_called_directly(function, case):
    adata, options, message = case
    line = this_line() + 2
    with pytest.warns(UserWarning, match=message) as record:
        function(adata, **options)
    assert_names_line(record, line)


@pytest.mark.parametrize("wrap", [lambda step: step, make_pipeline], ids=["alone", "pipeline"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_called_by_a_function_transformer(function, wrap, case):
    adata, options, message = case
    transformer = wrap(FunctionTransformer(function, kw_args=options))
    line = this_line() + 2
    with pytest.warns(UserWarning, match=message) as record:
        transformer.transform(adata)
    assert_names_line(record, line)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_called_by_a_function_of_the_user(function, case):
    """The warning names the line of the user's function that calls the package."""
    adata, options, message = case

    def prepare(adata):
        return function(adata, **options)

    line = inspect.getsourcelines(prepare)[1] + 1
    with pytest.warns(UserWarning, match=message) as record:
        FunctionTransformer(prepare).transform(adata)
    assert_names_line(record, line)


def test_called_with_chunks_of_cells(case):
    adata, options, message = case
    line = this_line() + 2
    with pytest.warns(UserWarning, match=message) as record:
        prepare_moments(adata, **options, chunk_size=7)
    assert_names_line(record, line)


def test_called_by_scifate_glmnet(tmp_path, cells, shared_name):
    """dynamo's function calls `prepare_anndata`; the warning names the line that calls dynamo's."""
    adata, _, message = shared_name
    adata.var = adata.var.rename(columns={"symbol": "gene_short_name"})
    tf_list, table = tmp_path / "tfs.txt", tmp_path / "encode.csv"
    tf_list.write_text("\n".join(cells.tf_names))
    targets = [name for name in adata.var_names if name not in cells.tf_names]
    pairs = [f"{tf},{target},{k % 2}" for tf in cells.tf_names for k, target in enumerate(targets)]
    table.write_text("\n".join(["id,linked_gene_name,peak", *pairs]))
    options = {"cell_filter_UMI": 0, "motif_ref": tf_list, "TF_link_ENCODE_ref": table}
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        line = this_line() + 1
        scifate_glmnet(adata, nt_layers=("new", "total"), **options)
    dropped = [each for each in record if message in str(each.message)]
    assert_names_line(dropped, line)
