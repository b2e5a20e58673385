"""Pickles that name their version, and refits that are interrupted."""

import copy
import copyreg
import pickle
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

import scifate_sklearn
from scifate_sklearn import (
    BindingReference,
    CellStates,
    DifferentialLinks,
    EncodeLinkFilter,
    LinkTest,
    LinkUnion,
    MotifLinkFilter,
    MotifRankings,
    MultiOutputLassoCV,
    PermutationFDR,
    RDIScorer,
    RidgeRanking,
    SciFateRegressor,
    StabilitySelection,
    _state,
    datasets,
    prepare_moments,
)

LASSO = SciFateRegressor(cv=3)


def make_cells(n_targets=6, n_tfs=5, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(60, n_tfs)), columns=[f"TF{j}" for j in range(n_tfs)])
    Y = X.to_numpy()[:, rng.integers(0, n_tfs, n_targets)] + rng.normal(size=(60, n_targets))
    return X, pd.DataFrame(Y, columns=[f"g{t}" for t in range(n_targets)])


def make_links(n=12, column="coef"):
    rng = np.random.default_rng(n)
    pairs = {"TF": [f"TF{i % 3}" for i in range(n)], "target": [f"g{i}" for i in range(n)]}
    return pd.DataFrame({**pairs, "coef": rng.uniform(0.1, 1, n), column: rng.uniform(0.1, 1, n)})


def make_reference():
    bound = pd.DataFrame({"TF": "TF0", "target": [f"g{i}" for i in range(0, 20, 3)]})
    return BindingReference.from_edges(bound, [f"g{i}" for i in range(20)])


def make_rankings():
    genes = [f"g{i}" for i in range(20)]
    ranks = [np.random.default_rng(i).permutation(20) for i in range(4)]
    return MotifRankings.from_table(pd.DataFrame(ranks, [f"m{i}" for i in range(4)], genes))


def make_motif_filter():
    annotations = pd.DataFrame({"motif": ["m0", "m1"], "TF": ["TF0", "TF1"]})
    return MotifLinkFilter(make_rankings(), annotations, nes_threshold=-9.0, min_targets=1)


def make_scorer():
    rng = np.random.default_rng(0)
    tfs = pd.DataFrame(rng.normal(size=(30, 3)), columns=["TF0", "TF1", "TF2"])
    before, after = (
        pd.DataFrame(rng.normal(size=(30, 20)), columns=[f"g{i}" for i in range(20)])
        for _ in range(2)
    )
    return RDIScorer(CellStates(tfs, before, after))


class Compared(DifferentialLinks):
    """The halves of the cells are compared."""

    def fit(self, X, Y):
        return super().fit(X, Y, condition=np.arange(60) < 30)


CELLS, LINKS = make_cells(), (make_links(),)
OTHER_CELLS, OTHER_LINKS = make_cells(4, 3, seed=1), (make_links(9, "weight"),)
# An unfitted estimator, the data of its fit, and other data with other columns.
ESTIMATORS = {
    "SciFateRegressor": (lambda: clone(LASSO), CELLS, OTHER_CELLS),
    "MultiOutputLassoCV": (lambda: MultiOutputLassoCV(cv=3), CELLS, OTHER_CELLS),
    "PermutationFDR": (lambda: PermutationFDR(LASSO, n_permutations=2), CELLS, OTHER_CELLS),
    "StabilitySelection": (lambda: StabilitySelection(LASSO, n_resamples=2), CELLS, OTHER_CELLS),
    "DifferentialLinks": (lambda: Compared(LASSO, n_permutations=1), CELLS, OTHER_CELLS),
    "LinkTest": (lambda: LinkTest(LASSO), CELLS, OTHER_CELLS),
    "RidgeRanking": (lambda: RidgeRanking(), CELLS, OTHER_CELLS),
    "EncodeLinkFilter": (lambda: EncodeLinkFilter(make_reference()), LINKS, OTHER_LINKS),
    "MotifLinkFilter": (make_motif_filter, LINKS, OTHER_LINKS),
    "RDIScorer": (make_scorer, LINKS, OTHER_LINKS),
    "LinkUnion": (
        lambda: LinkUnion([EncodeLinkFilter(make_reference()), make_motif_filter()]),
        LINKS,
        OTHER_LINKS,
    ),
}
by_estimator = pytest.mark.parametrize(
    ("make", "data", "others"), ESTIMATORS.values(), ids=ESTIMATORS
)


def test_every_public_estimator_is_tested_here():
    public = [getattr(scifate_sklearn, name) for name in scifate_sklearn.__all__]
    estimators = {each.__name__ for each in public if hasattr(each, "fit")}
    assert estimators == set(ESTIMATORS)


def make_prepared():
    cells = datasets.make_labelled_cells(n_cells=60, n_tfs=4, n_targets=10, random_state=0)
    return prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=0, cv=3)


def make_pipeline():
    pipe = Pipeline([("lasso", LASSO), ("chip", EncodeLinkFilter(make_reference()))])
    return pipe.fit(*CELLS)


OBJECTS = {
    **{name: lambda make=make, data=data: make().fit(*data)
       for name, (make, data, _) in ESTIMATORS.items()},
    "unfitted": lambda: SciFateRegressor(),
    "Pipeline": make_pipeline,
    "GridSearchCV": lambda: GridSearchCV(LASSO, {"alpha": [1.0, 0.5]}, cv=2).fit(*CELLS),
    "BindingReference": make_reference,
    "MotifRankings": make_rankings,
    "SciFateMoments": make_prepared,
    "Moments": lambda: make_prepared().moments,
}  # fmt: skip
by_object = pytest.mark.parametrize("make", OBJECTS.values(), ids=OBJECTS)


def pickled_by(version, item, monkeypatch, dumps=pickle.dumps):
    with monkeypatch.context() as patch:
        patch.setattr(_state, "__version__", version)
        return dumps(item)


@by_object
def test_a_pickle_of_another_version_warns_once(make, monkeypatch):
    item = make()
    content = pickled_by("0.0.7", item, monkeypatch)
    with pytest.warns(InconsistentVersionWarning) as caught:
        loaded = pickle.loads(content)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "written by scifate_sklearn 0.0.7" in text
    assert "fit and save again" in text
    assert caught[0].filename == __file__
    assert vars(loaded).keys() == vars(item).keys()


@by_object
def test_the_same_version_does_not_warn(make):
    item = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for again in (pickle.loads(pickle.dumps(item)), copy.copy(item), copy.deepcopy(item)):
            assert vars(again).keys() == vars(item).keys()


def test_each_load_warns(monkeypatch):
    content = pickled_by("0.0.7", make_pipeline(), monkeypatch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            pickle.loads(content)
    assert len(caught) == 3


def test_files_of_joblib(tmp_path, monkeypatch):
    path = tmp_path / "model.joblib"
    model = SciFateRegressor(cv=3).fit(*CELLS)
    pickled_by("0.0.7", model, monkeypatch, lambda item: joblib.dump(item, path))
    with pytest.warns(InconsistentVersionWarning, match=r"0\.0\.7") as caught:
        loaded = joblib.load(path)
    assert [each.filename for each in caught] == [__file__]
    np.testing.assert_array_equal(loaded.coef_, model.coef_)


def test_clones_and_parameters_of_a_loaded_estimator(monkeypatch):
    content = pickled_by("0.0.7", PermutationFDR(LASSO), monkeypatch)
    with pytest.warns(InconsistentVersionWarning):
        loaded = pickle.loads(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(loaded).set_params(fdr=0.2, regressor__alpha=0.5)
        pickle.loads(pickle.dumps(loaded))


class Old:
    """Pickles as an earlier version did, without a version."""

    def __init__(self, item):
        self.item = item

    def __reduce__(self):
        return copyreg._reconstructor, (type(self.item), object, None), dict(vars(self.item))


def test_a_pickle_without_a_version_loads():
    model = SciFateRegressor(cv=3).fit(*CELLS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = pickle.loads(pickle.dumps(Old(model)))
    assert vars(loaded).keys() == vars(model).keys()


# ---------------------------------------------------------------------------- interrupted refits


class Interruption(BaseException):
    """An interruption that no handler of errors catches."""


def interrupted_at(number, function):
    """Return whether a call is interrupted after `number` lines of this package."""
    n_lines = 0

    def trace(frame, event, _):
        nonlocal n_lines
        name = str(frame.f_globals.get("__name__"))
        if not name.startswith("scifate_sklearn.") or name == _state.__name__:
            return trace if event == "call" else None
        if event == "line":
            n_lines += 1
            if n_lines == number:
                raise Interruption
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except Interruption:
        return True
    finally:
        sys.settrace(before)
    return False


def same_values(one, two):
    return one.keys() == two.keys() and all(one[name] is two[name] for name in one)


@by_estimator
def test_an_interrupted_refit_leaves_the_old_fit(make, data, others):
    """Whichever line is interrupted, all attributes are the old ones."""
    model = make().fit(*data)
    before = dict(vars(model))
    number, n_interrupted = 1, 0
    while interrupted_at(number, lambda: model.fit(*others)):
        assert same_values(vars(model), before)
        number, n_interrupted = int(number * 1.3) + 1, n_interrupted + 1
    assert n_interrupted > 10
    assert vars(model).keys() == vars(make().fit(*others)).keys()


@by_estimator
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
def test_a_refit_that_fails_at_its_end(make, data, others, error, monkeypatch):
    model = make().fit(*data)
    before = dict(vars(model))

    def fail(*_, **__):
        raise error

    for place in ("links._table.ledger_of", "regressor.build_links", "filters.base.ledger_of",
                  "resampling._base.ledger_of", "resampling._link_test.ledger_of",
                  "resampling._differential.empirical_q",
                  "ranking._on_input_scale", "linear_model._mean_squares"):  # fmt: skip
        monkeypatch.setattr(f"scifate_sklearn.{place}", fail)
    with pytest.raises(error):
        model.fit(*others)
    if error is not KeyboardInterrupt and isinstance(model, EncodeLinkFilter):
        assert vars(model)["overlap_"] is not before["overlap_"]  # a report of the failed fit
        before["overlap_"] = model.overlap_
    assert same_values(vars(model), before)


@by_estimator
def test_a_first_fit_that_fails_leaves_the_estimator_unfitted(make, data, others):
    model = make()
    before = dict(vars(model))
    with pytest.raises((TypeError, ValueError)):
        model.fit(*(None for _ in data))
    assert same_values(vars(model), before)


@pytest.mark.parametrize("kind", [SciFateRegressor, StabilitySelection])
def test_an_interrupted_refit_to_moments(kind):
    model = LASSO if kind is SciFateRegressor else kind(LASSO, n_resamples=2)
    moments = make_prepared().moments
    model = clone(model).fit_moments(moments)
    before = dict(vars(model))
    other = type(moments).from_state({**moments.to_state(), "target_names": names_of(moments)})
    for number in (1, 10, 100):
        assert interrupted_at(number, lambda: model.fit_moments(other))
        assert same_values(vars(model), before)


def names_of(moments):
    return np.array([f"other{t}" for t in range(moments.n_targets)])
