import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

from scifate_sklearn import LinkUnion
from scifate_sklearn.filters import BindingReference, EncodeLinkFilter
from scifate_sklearn.filters.base import LinkFilter
from scifate_sklearn.links import LINK_COLUMNS, first_reason

GENES = [f"G{i}" for i in range(60)]


class CoefSign(LinkFilter):
    """Keeps activations; has the default label in a union."""

    evidence_columns = ("sign",)

    def _learn(self, links):
        pass

    def _judge(self, links):
        sign = np.sign(links["coef"]).to_numpy()
        return {"sign": sign}, first_reason((sign < 0, "repression"))

    def score(self, links, y=None):
        return 0.0


class Named(CoefSign):
    """Labels activations above 0.15 as strong."""

    def _judge(self, links):
        evidence, reasons = super()._judge(links)
        return {"sign": evidence["sign"] * links["coef"].abs()}, reasons

    def _label(self, evidence):
        return np.where(evidence["sign"] > 0.15, "Up_strong", "Up_weak").astype(object)


def chip(tf, bound, **params):
    edges = pd.DataFrame({"TF": [tf] * len(bound) + ["PAX6"], "target": [*bound, GENES[-1]]})
    return EncodeLinkFilter(BindingReference.from_edges(edges, GENES), **params)


@pytest.fixture
def myc():
    return chip("MYC", GENES[:12], require_peak=True)


@pytest.fixture
def sox():
    return chip("SOX2", GENES[20:32])


@pytest.fixture
def links():
    """MYC and SOX2 regulate what they bind, and some more; each has repressed targets."""
    targets = {"MYC": GENES[:15], "SOX2": GENES[18:34], "PAX6": GENES[:4]}
    pairs = [(tf, target) for tf, names in targets.items() for target in names]
    table = pd.DataFrame(pairs, columns=["TF", "target"])
    coef = np.where(np.arange(len(table)) % 3 == 0, -0.2, 0.1)
    return table.assign(coef=coef, r2=0.3, lambda_=0.1)[list(LINK_COLUMNS)]


def pairs(links):
    return list(zip(links["TF"], links["target"], strict=True))


def test_survivors_are_those_of_any_filter(links, myc, sox):
    kept = LinkUnion([("myc", myc), ("sox", sox), ("up", CoefSign())]).fit_transform(links)
    members = {
        "Chip_peak": {*pairs(myc.fit_transform(links)), *pairs(sox.fit_transform(links))},
        "up": set(pairs(CoefSign().fit_transform(links))),
    }
    assert set(pairs(kept)) == set.union(*members.values()) != set(pairs(links))
    for pair, conf in zip(pairs(kept), kept["Conf"], strict=True):
        assert conf == ";".join(name for name, those in members.items() if pair in those)


def test_every_link_has_the_evidence_of_all_filters(links, myc, sox):
    union = LinkUnion([("myc", myc), ("sox", sox), CoefSign()]).fit(links)
    ledger = union.ledger_
    columns = [f"{name}__{column}" for name in ("myc", "sox") for column in myc.evidence_columns]
    expected = [*LINK_COLUMNS, *columns, "sign", "Conf"]
    assert list(ledger.columns) == [*expected, "kept", "reason"]
    assert list(union.get_feature_names_out()) == expected == list(union.transform(links).columns)
    for name, member in (("myc", myc), ("sox", sox)):
        own = member.fit(links).ledger_
        for column in member.evidence_columns:
            pd.testing.assert_series_equal(
                ledger[f"{name}__{column}"], own[column], check_names=False
            )
    pd.testing.assert_frame_equal(ledger[list(LINK_COLUMNS)], links)


def test_one_filter_only_adds_its_name(links, myc):
    union = LinkUnion([myc])
    kept, alone = union.fit_transform(links), myc.fit_transform(links)
    pd.testing.assert_frame_equal(kept[alone.columns], alone, check_dtype=False)
    assert set(kept["Conf"]) == {"Chip_peak"}
    np.testing.assert_array_equal(union.ledger_["reason"], myc.ledger_["reason"])


def test_reasons_of_all_filters(links, myc):
    ledger = LinkUnion([("chip", myc), ("up", CoefSign())]).fit(links).ledger_
    row = ledger[(ledger["TF"] == "PAX6") & (ledger["coef"] < 0)].iloc[0]
    assert row["reason"] == "chip: ChIP-seq: q of the TF not below 0.05; up: repression"
    assert row["Conf"] == ""
    assert not row["kept"]
    twice = LinkUnion([("one", CoefSign()), ("two", CoefSign())]).fit(links).ledger_
    assert set(twice["reason"]) == {"", "repression"}


def test_a_filter_may_label_its_links_differently(links):
    links = links.assign(coef=np.linspace(-0.1, 0.3, len(links)))
    kept = LinkUnion([Named(), ("up", CoefSign())]).fit_transform(links)
    expected = np.where(kept["coef"] > 0.15, "Up_strong;up", "Up_weak;up")
    np.testing.assert_array_equal(kept["Conf"], expected)
    assert kept["Conf"].nunique() == 2


@given(st.permutations(range(35)))
@settings(max_examples=15, deadline=None)
def test_order_of_links_does_not_matter(order):
    table = pd.DataFrame(
        {"TF": ["MYC"] * 20 + ["PAX6"] * 15, "target": GENES[:35], "coef": [0.1, -0.1] * 17 + [0.2]}
    )
    make = LinkUnion([("myc", chip("MYC", GENES[:12])), ("up", CoefSign())])
    expected = make.fit_transform(table)
    found = make.fit_transform(table.iloc[order])
    pd.testing.assert_frame_equal(found.sort_index(), expected)


class TestParameters:
    def test_names_are_generated_like_in_pipelines(self, myc, sox):
        union = LinkUnion([myc, sox, CoefSign()])
        names = {name for name in union.get_params() if "__" not in name}
        assert names == {"filters", "encodelinkfilter-1", "encodelinkfilter-2", "coefsign"}
        assert set(LinkUnion([myc]).get_params(deep=False)) == {"filters"}
        assert LinkUnion([myc]).get_params()["encodelinkfilter__coef_threshold"] == 0.04

    def test_nested_parameters(self, myc, sox, links):
        union = LinkUnion([("myc", myc), ("sox", sox)])
        assert union.set_params(myc__coef_threshold=0.15, sox=CoefSign()) is union
        assert myc.coef_threshold == 0.15
        assert isinstance(union.fit(links).filters_["sox"], CoefSign)
        assert union.set_params(filters=[sox]).filters == [sox]

    def test_clone_and_pickle(self, myc, links):
        union = LinkUnion([("myc", myc), ("up", CoefSign())]).fit(links)
        copy = clone(union)
        assert not hasattr(copy, "filters_")
        assert copy.get_params()["myc"] is not myc
        again = pickle.loads(pickle.dumps(LinkUnion([myc]).fit(links)))
        pd.testing.assert_frame_equal(again.transform(links), LinkUnion([myc]).fit_transform(links))

    def test_given_filters_stay_unfitted(self, myc, links):
        LinkUnion([myc]).fit(links)
        with pytest.raises(NotFittedError):
            myc.transform(links)

    def test_in_a_grid_search(self, links, myc, sox):
        pipe = Pipeline([("union", LinkUnion([("myc", myc), ("sox", sox)]))])
        grid = {"union__myc__coef_threshold": [0.04, 0.15]}
        search = GridSearchCV(pipe, grid, error_score="raise", cv=KFold(2, shuffle=True))
        assert search.fit(links).best_params_ == {"union__myc__coef_threshold": 0.04}
        kept = pipe.set_params(union__myc__require_peak=False).fit_transform(links)
        assert len(kept) > len(search.best_estimator_.transform(links))
        union = pipe["union"]
        scores = [member.score(links) for member in union.filters_.values()]
        assert union.score(links) == pytest.approx(np.mean(scores))

    def test_unions_within_unions(self, links, myc, sox):
        outer = LinkUnion([("chip", LinkUnion([("myc", myc), ("sox", sox)])), ("up", CoefSign())])
        kept = outer.fit_transform(links)
        assert list(kept.columns[-3:]) == ["chip__Conf", "sign", "Conf"]
        assert kept.columns.is_unique
        flat = LinkUnion([("myc", myc), ("sox", sox), ("up", CoefSign())]).fit_transform(links)
        assert pairs(kept) == pairs(flat)
        assert set(kept["chip__Conf"]) == {"", "Chip_peak"}
        assert len(outer.fit(kept).transform(kept)) == len(kept)


@pytest.mark.parametrize(
    ("filters", "error", "message"),
    [
        ([], ValueError, "`filters` is empty; pass at least one filter"),
        ([object()], TypeError, "'object' is a object"),
        ([("a", CoefSign()), ("a", CoefSign())], ValueError, "not unique"),
        ([("a__b", CoefSign())], ValueError, "must not contain __"),
        ("abc", ValueError, "'filters' parameter of LinkUnion"),
    ],
)
def test_bad_filters(links, filters, error, message):
    with pytest.raises(error, match=message):
        LinkUnion(filters).fit(links)


def test_shown_with_its_filters(myc):
    assert "EncodeLinkFilter" in LinkUnion([("myc", myc)])._repr_html_()


def test_without_links(links, myc):
    with pytest.warns(UserWarning, match="EncodeLinkFilter keeps no link"):
        kept = LinkUnion([myc, CoefSign()]).fit_transform(links[:0])
    assert len(kept) == 0
    assert list(kept.columns[-2:]) == ["sign", "Conf"]
