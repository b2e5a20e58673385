"""Contracts of all filters: scikit-learn's conventions, and those of `LinkFilter`."""

import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_checks

from scifate_sklearn import CellStates, RDIScorer, link_ledger
from scifate_sklearn.filters import (
    BindingReference,
    EncodeLinkFilter,
    LinkUnion,
    MotifLinkFilter,
    MotifRankings,
)
from scifate_sklearn.filters.base import LinkFilter
from scifate_sklearn.links import LINK_COLUMNS, first_reason

GENES = [f"G{i}" for i in range(200)]
TARGETS = {"MYC": GENES[:9] + GENES[150:153], "SOX2": GENES[20:28], "PAX6": GENES[60:64]}
LINKS = pd.DataFrame(
    {
        "TF": np.repeat(list(TARGETS), [len(names) for names in TARGETS.values()]),
        "target": [name for names in TARGETS.values() for name in names],
        "coef": [0.1, -0.2, 0.06, 0.3] * 6,
        "r2": 0.5,
        "lambda_": 0.1,
    },
    index=np.arange(24)[::-1] + 100,
)
X, Y = np.zeros((12, 3)), np.zeros((12, 4))


class TwoHooks(LinkFilter):
    """A filter of a third party that defines only the two required hooks."""

    evidence_columns = ("sign",)

    def __init__(self, least=0.0):
        self.least = least

    def _learn(self, links):
        self.largest_ = links["coef"].abs().max()

    def _judge(self, links):
        return {"sign": np.sign(links["coef"])}, first_reason(
            (links["coef"].to_numpy() <= self.least, "repression")
        )


def make_chip():
    edges = [(tf, gene) for tf in ("MYC", "SOX2") for gene in TARGETS[tf][:8] + GENES[190:194]]
    return EncodeLinkFilter(
        BindingReference.from_edges(pd.DataFrame(edges, columns=["TF", "target"]), GENES)
    )


def make_motif():
    rng = np.random.default_rng(0)
    motifs = [f"m{i}" for i in range(20)]
    ranks = [np.arange(200) if motif == "m7" else rng.permutation(200) for motif in motifs]
    rankings = MotifRankings.from_table(pd.DataFrame(ranks, index=motifs, columns=GENES))
    return MotifLinkFilter(
        rankings, pd.DataFrame({"motif": ["m7", "m8", "m9"], "TF": ["MYC", "MYC", "SOX2"]})
    )


def make_rdi():
    rng = np.random.default_rng(0)
    tfs = pd.DataFrame(rng.normal(size=(60, 3)), columns=list(TARGETS))
    old = pd.DataFrame(rng.normal(size=(60, 200)), columns=GENES)
    new = pd.DataFrame(rng.normal(size=(60, 200)), columns=GENES)
    new[GENES[:9]] += 3 * tfs[["MYC"]].to_numpy()
    states = CellStates(tfs, old, new)
    return RDIScorer(states, n_neighbors=5, n_permutations=49, alpha=0.2)


def make_union():
    return LinkUnion([("chip", make_chip()), ("motif", make_motif()), ("sign", TwoHooks(0.25))])


def make_union_with_score():
    return LinkUnion([("chip", make_chip()), ("motif", make_motif())])


MAKERS = {"chip": make_chip, "motif": make_motif, "rdi": make_rdi, "union": make_union}
MAKERS["two hooks"] = TwoHooks
SCORED = {"chip": make_chip, "motif": make_motif, "union": make_union_with_score}
# One parameter of each filter, with a value for which no link is left.
GRIDS = {
    "chip": {"filter__coef_threshold": [0.0, 0.04, 9.0]},
    "motif": {"filter__coef_thresholds": [(0.03,), (0.03, 0.05), (9.0,)]},
    "union": {"filter__chip__coef_threshold": [0.04, 9.0]},
}


class FakeLasso(TransformerMixin, BaseEstimator):
    """Returns a fixed links table, as SciFateRegressor returns its own."""

    def __init__(self, min_coef=0.0):
        self.min_coef = min_coef

    def fit(self, X, y=None, sample_weight=None):
        self.links_ = LINKS[LINKS["coef"].abs() > self.min_coef]
        return self

    def transform(self, X):
        return self.links_

    def get_feature_names_out(self, input_features=None):
        return np.array(LINK_COLUMNS, dtype=object)


def make_pipe(link_filter):
    return Pipeline([("lasso", FakeLasso()), ("filter", link_filter)])


@pytest.fixture(params=MAKERS)
def link_filter(request):
    return MAKERS[request.param]()


@pytest.fixture(params=SCORED)
def scored(request):
    return SCORED[request.param]()


def test_survivors_are_the_kept_rows_of_the_ledger(link_filter):
    kept = link_filter.fit_transform(LINKS)
    ledger = link_filter.ledger_
    assert 0 < len(kept) < len(LINKS)
    assert ledger.index.equals(LINKS.index)
    assert kept.index.equals(LINKS.index[ledger["kept"]])
    assert ((ledger["reason"] == "") == ledger["kept"]).all()
    pd.testing.assert_frame_equal(kept, link_filter.transform(LINKS))
    columns = [*LINK_COLUMNS, *link_filter.evidence_columns]
    assert list(kept.columns) == columns == list(link_filter.get_feature_names_out())


def test_evaluate_agrees_with_the_ledger(link_filter):
    found = link_filter.fit(LINKS).evaluate(LINKS)
    ledger = link_filter.ledger_
    assert tuple(found.evidence) == tuple(link_filter.evidence_columns)
    np.testing.assert_array_equal(found.reasons, ledger["reason"])
    for name, column in found.evidence.items():
        assert pd.Series(column).reset_index(drop=True).equals(ledger[name].reset_index(drop=True))


def test_in_a_union(link_filter):
    union = LinkUnion([("only", link_filter)])
    kept = union.fit_transform(LINKS)
    alone = link_filter.fit_transform(LINKS)
    assert kept.index.equals(alone.index)
    assert (kept["Conf"] != "").all()


def test_ledger_of_a_pipeline(link_filter):
    pipe = make_pipe(link_filter).fit(X, Y)
    ledger = link_ledger(pipe)
    assert len(ledger) == len(LINKS)
    assert ledger["kept"].sum() == len(pipe.transform(X))


def test_pipeline(link_filter):
    expected = clone(link_filter).fit_transform(LINKS)
    pipe = make_pipe(link_filter)
    pd.testing.assert_frame_equal(pipe.fit(X, Y).transform(X), expected)
    pd.testing.assert_frame_equal(pipe.fit_transform(X, Y), expected)
    assert type(link_filter).__name__ in pipe._repr_html_()


def test_score_in_a_pipeline(scored):
    pipe = make_pipe(scored).fit(X, Y)
    assert pipe.score(X, Y) == scored.score(LINKS) > 0


def test_score_requires_its_hook():
    assert not hasattr(TwoHooks(), "score")
    assert not hasattr(make_pipe(TwoHooks()), "score")


@pytest.mark.parametrize("route", [False, True])
@pytest.mark.parametrize("name", SCORED)
def test_grid_search_with_empty_networks(name, route):
    pipe, grid = make_pipe(SCORED[name]()), {**GRIDS[name], "lasso__min_coef": [0.0, 9.0]}
    with sklearn.config_context(enable_metadata_routing=route), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ > 0
    assert not search.best_estimator_.transform(X).empty


def test_metadata_routing(scored):
    pipe = make_pipe(scored)
    with sklearn.config_context(enable_metadata_routing=True):
        requests = scored.get_metadata_routing()
        assert requests.fit.requests == requests.transform.requests == {}
        assert requests.score.requests == {"sample_weight": None}
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError):
            pipe.fit(X, Y, sample_weight=np.ones(12))
        pipe.set_params(lasso=pipe["lasso"].set_fit_request(sample_weight=True))
        assert pipe.fit(X, Y, sample_weight=np.ones(12)).score(X, Y) > 0


@pytest.mark.parametrize("how", ["set_output", "set_config"])
def test_pandas_output(link_filter, how):
    expected = clone(link_filter).fit_transform(LINKS)
    pipe = make_pipe(clone(link_filter))
    setting = {"transform_output": "pandas"} if how == "set_config" else {}
    with sklearn.config_context(**setting):
        if how == "set_output":
            link_filter.set_output(transform="pandas")
            pipe.set_output(transform="pandas")
        pd.testing.assert_frame_equal(link_filter.fit_transform(LINKS), expected)
        pd.testing.assert_frame_equal(link_filter.transform(LINKS), expected)
        pd.testing.assert_frame_equal(pipe.fit(X, Y).transform(X), expected)
        assert list(pipe.get_feature_names_out()) == list(expected.columns)


@pytest.mark.filterwarnings("ignore:.*keeps no link")
def test_empty_links_keep_their_columns(link_filter):
    columns = link_filter.fit_transform(LINKS).columns
    kept = link_filter.fit_transform(LINKS[:0])
    assert kept.empty
    assert kept.columns.equals(columns)


def test_filtering_twice_replaces_the_evidence(link_filter):
    once = link_filter.fit_transform(LINKS)
    twice = clone(link_filter).fit_transform(once)
    assert list(twice.columns) == list(once.columns)


def test_links_stay_untouched(link_filter):
    before = LINKS.copy()
    link_filter.fit(LINKS).transform(LINKS)["coef"] = 0.0
    pd.testing.assert_frame_equal(LINKS, before)


def test_clone_and_pickle(link_filter):
    link_filter.fit(LINKS)
    copy = clone(link_filter)
    assert not hasattr(copy, "ledger_")
    assert repr(copy.get_params(deep=False)) == repr(link_filter.get_params(deep=False))
    again = pickle.loads(pickle.dumps(link_filter))
    pd.testing.assert_frame_equal(again.transform(LINKS), link_filter.transform(LINKS))


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_matrix, list])
def test_arrays_are_rejected(scored, kind):
    scored.fit(LINKS)
    message = f"{type(scored).__name__} expects `links` as a pandas DataFrame"
    for method in (scored.fit, scored.transform, scored.score):
        with pytest.raises(TypeError, match=message):
            method(kind(np.eye(3)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="coef"), "lacks the column"),
        (lambda t: t.assign(coef=np.nan), "finite numbers"),
        (lambda t: t.assign(TF=None), "`TF` of `links` has rows without a name"),
        (lambda t: t.assign(extra=1), "feature names should match"),
    ],
)
def test_transform_checks_its_input(link_filter, change, message):
    link_filter.fit(LINKS)
    with pytest.raises(ValueError, match=message):
        link_filter.transform(change(LINKS))


def test_not_fitted(scored):
    for method in (scored.transform, scored.score):
        with pytest.raises(NotFittedError):
            method(LINKS)


def test_check_estimator(link_filter):
    # scikit-learn skips checks with data, because the tags declare that arrays are not accepted.
    with pytest.warns(estimator_checks.SkipTestWarning, match="requires input"):
        results = estimator_checks.check_estimator(link_filter)
    assert {result["status"] for result in results} == {"passed"}


@pytest.mark.parametrize(
    "name",
    [
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_estimators_unfitted",
        "check_get_params_invariance",
        "check_mixin_order",
        "check_no_attributes_set_in_init",
        "check_set_params",
        "check_transformer_n_iter",
        "check_transformers_unfitted",
        "check_valid_tag_types",
    ],
)
@pytest.mark.parametrize("make", [make_chip, make_motif, make_rdi])
def test_checks_without_data(make, name):
    link_filter = make()
    getattr(estimator_checks, name)(type(link_filter).__name__, link_filter)


def test_tags(link_filter):
    tags = link_filter.__sklearn_tags__()
    assert tags.requires_fit
    assert not tags.input_tags.two_d_array
    assert not tags.input_tags.sparse


def test_every_parameter_is_documented(scored):
    for name in inspect.signature(type(scored)).parameters:
        assert f"\n    {name} : " in type(scored).__doc__
