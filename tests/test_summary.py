"""Summaries of fitted estimators: under scikit-learn's diagram, and as a table."""

import pickle
import re
import warnings
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_html_repr

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    LinkTest,
    LinkUnion,
    PermutationFDR,
    RidgeRanking,
    SciFateRegressor,
    StabilitySelection,
    link_summary,
)

TFS = ["T0", "T1", "T2", "T3"]
GENES = [f"G{i}" for i in range(12)]
HASTY = {"max_iter": 1, "tol": 1e-18}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    tfs = pd.DataFrame(rng.normal(size=(60, 4)), columns=TFS)
    new = tfs.to_numpy()[:, np.arange(12) % 4] + 0.1 * rng.normal(size=(60, 12))
    return tfs, pd.DataFrame(new, columns=GENES).assign(G11=1.0)


def reference(tfs=TFS):
    bound = pd.DataFrame({"TF": np.repeat(tfs, 3), "target": GENES})
    return BindingReference.from_edges(bound, GENES)


def below_diagram(estimator):
    """Return the HTML below scikit-learn's diagram."""
    markup = estimator._repr_mimebundle_()["text/html"]
    return markup[markup.rindex('<table class="scifate-summary">') :]


def table_below(estimator):
    """Return labels and texts of the table below the diagram."""
    return re.findall(r"<th [^>]*>(.*?)</th><td [^>]*>(.*?)</td>", below_diagram(estimator))


class TestHTML:
    def test_regressor(self, data):
        model = SciFateRegressor().fit(*data)
        found = dict(table_below(model))
        counts = model.links_["TF"].value_counts()
        assert found["targets"] == "12, 1 of them without a model"
        assert found["links"] == str(len(model.links_))
        shown = dict(re.findall(r"(T\d) \((\d+)\)", found["top TFs"]))
        assert {tf: int(n) for tf, n in shown.items()} == counts.to_dict()
        assert set(found) == {"targets", "links", "top TFs"}

    @pytest.mark.parametrize(
        "estimator",
        [
            PermutationFDR(SciFateRegressor(), n_permutations=2, fdr=0.0),
            LinkTest(SciFateRegressor(), fdr=0.0),
            StabilitySelection(SciFateRegressor(), n_resamples=2),
            RidgeRanking(n_links=7),
        ],
        ids=lambda estimator: type(estimator).__name__,
    )
    def test_estimators_with_links(self, estimator, data):
        estimator = clone(estimator).fit(*data)
        found = dict(table_below(estimator))
        assert found["links"] == str(len(estimator.links_))
        kept = estimator.transform(data[0])
        assert found.get("kept", found["links"]) == str(len(kept))
        if len(kept) < len(estimator.links_):
            reasons = estimator.ledger_.query("~kept")["reason"].value_counts()
            assert f"({reasons.iloc[0]})" in found["dropped"]

    def test_filters(self, data):
        links = SciFateRegressor().fit(*data).links_
        own = EncodeLinkFilter(reference(), require_peak=True).fit(links)
        union = LinkUnion([("chip", own)]).fit(links)
        for each in (own, union):
            found = dict(table_below(each))
            assert "targets" not in found
            assert found["links"] == str(len(links))
            assert found["kept"] == str(len(each.transform(links)))

    def test_is_that_of_both_protocols(self, data):
        model = SciFateRegressor()
        assert "scifate-summary" not in model._repr_html_()
        model.fit(*data)
        diagram = estimator_html_repr(model)
        for markup in (model._repr_html_(), model._repr_mimebundle_()["text/html"]):
            assert without_ids(markup).startswith(without_ids(diagram))
            assert markup.count("scifate-summary") == 1
        assert model._repr_mimebundle_(include=None, exclude=None)["text/plain"] == repr(model)

    def test_none_where_scikit_learn_displays_text(self, data):
        model = SciFateRegressor().fit(*data)
        with config_context(display="text"):
            assert not hasattr(model, "_repr_html_")
            assert set(model._repr_mimebundle_()) == {"text/plain"}

    def test_is_well_formed(self, data):
        with pytest.warns(ConvergenceWarning):
            model = SciFateRegressor(**HASTY).fit(*data)
        table = ET.fromstring(below_diagram(model))
        assert [row[0].text for row in table.iter("tr")][-1] == "warning"


def without_ids(markup):
    return re.sub(r"sk-(container|estimator)-id-\d+", "", markup)


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</td></table><script>alert(2)</script>",
    "&lt;b&gt;\"'",
    "\x1b[31m\u202e" + "x" * 100_000,
]


def test_hostile_names_stay_text(data):
    tfs, new = (table.copy() for table in data)
    tfs.columns, new.columns = HOSTILE, [f"<b>{name}" for name in GENES]
    for fitted in (
        SciFateRegressor().fit(tfs, new),
        PermutationFDR(SciFateRegressor(), n_permutations=2).fit(tfs, new),
    ):
        markup = fitted._repr_mimebundle_()["text/html"]
        below = below_diagram(fitted)
        assert set(re.findall(r"</?(\w+)", below)) == {"table", "tbody", "tr", "th", "td"}
        assert "<img" not in markup
        assert "alert(2)</script" not in markup
        assert below.isprintable()
        assert "\\x1b[31m\\u202e" in below
        assert len(below) < 3000


class TestWarnings:
    def test_are_those_that_the_fit_issued(self, data):
        model = PermutationFDR(SciFateRegressor(**HASTY), n_permutations=1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(*data)
        issued = [str(each.message) for each in caught if each.category is ConvergenceWarning]
        assert list(model.warnings_) == list(dict.fromkeys(issued))
        shown = [text for label, text in table_below(model) if label == "warning"]
        assert len(shown) == len(model.warnings_)
        assert pickle.loads(pickle.dumps(model)).warnings_ == model.warnings_

    def test_also_if_they_are_not_displayed(self, data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = SciFateRegressor(**HASTY).fit(*data)
        assert "raise `max_iter`" in model.warnings_[0]
        assert SciFateRegressor().fit(*data).warnings_ == ()
        assert model.set_params(max_iter=1000, tol=1e-12).fit(*data).warnings_ == ()

    def test_of_members_are_those_of_their_union(self, data):
        links = SciFateRegressor().fit(*data).links_
        member = EncodeLinkFilter(reference(), coef_threshold=100.0)
        with pytest.warns(UserWarning, match="keeps no link"):
            union = LinkUnion([("chip", member)]).fit(links)
        assert "keeps no link" in union.warnings_[0]


@pytest.fixture(scope="module")
def pipe(data):
    steps = [
        ("fdr", PermutationFDR(SciFateRegressor(), n_permutations=2, fdr=0.5)),
        ("chip", EncodeLinkFilter(reference(), require_peak=True)),
    ]
    return Pipeline(steps).fit(*data)


class TestTable:
    def test_pipeline(self, pipe, data):
        found = link_summary(pipe)
        assert found.index.tolist() == ["PermutationFDR", "EncodeLinkFilter"]
        assert found["targets"].tolist() == [12, pd.NA]
        assert found["links"].tolist() == [len(pipe[0].links_), len(pipe[0].transform(data[0]))]
        assert found["kept"].tolist() == [found["links"].iloc[1], len(pipe.transform(data[0]))]
        assert found["warnings"].tolist() == [0, 0]

    def test_steps_one_by_one(self, pipe):
        pd.testing.assert_frame_equal(link_summary(*pipe), link_summary(pipe))

    def test_no_links(self):
        with pytest.raises(ValueError, match="No step has links"):
            link_summary(SciFateRegressor())

    def test_no_link_is_kept(self, data):
        new = data[1] * 0 + np.random.default_rng(1).normal(size=data[1].shape)
        model = SciFateRegressor(lambda_rule=5.0).fit(data[0], new)
        found = link_summary(model)
        assert found[["links", "kept", "top_tfs"]].to_numpy().tolist() == [[0, 0, ""]]
        assert dict(table_below(model)) == {"targets": "12", "links": "0"}
