"""The ledger of a pipeline: all links, with the first reason for which each was dropped."""

import doctest

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import scifate_sklearn.ledger
from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    LinkUnion,
    SciFateRegressor,
    link_ledger,
    prepare_anndata,
)
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.links import LEDGER_COLUMNS, LINK_COLUMNS

GENES = [f"G{i}" for i in range(60)]
PAIR = ["TF", "target"]


class Step:
    """A fitted step with a ledger."""

    def __init__(self, ledger):
        self.ledger_ = ledger


def ledger(rows, **columns):
    table = pd.DataFrame(rows, columns=["TF", "target", "coef", "reason"])
    return table.assign(kept=table["reason"] == "", **columns)


@pytest.fixture
def first():
    rows = [
        ("A", "x", 0.5, ""),
        ("A", "y", 0.01, "weak"),
        ("B", "x", -0.2, ""),
        ("B", "z", 0.3, ""),
    ]
    return Step(ledger(rows, q=[0.01, 0.9, 0.05, 0.02]))


@pytest.fixture
def second():
    rows = [("B", "z", 0.3, "no peak"), ("A", "x", 0.5, ""), ("B", "x", -0.2, "")]
    return Step(ledger(rows, peak=pd.array([False, True, None], "boolean")))


def test_the_first_reason_counts_and_nothing_is_lost(first, second):
    found = link_ledger(first, second)
    expected = pd.DataFrame(
        {
            "TF": ["A", "A", "B", "B"],
            "target": ["x", "y", "x", "z"],
            "coef": [0.5, 0.01, -0.2, 0.3],
            "q": [0.01, 0.9, 0.05, 0.02],
            "peak": pd.array([True, None, None, False], "boolean"),
            "kept": [True, False, True, False],
            "reason": ["", "weak", "", "no peak"],
        }
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_links_that_only_one_of_the_steps_has(first):
    rows = [("A", "x", 0.5, ""), ("C", "x", 0.7, "no peak"), ("C", "y", 0.6, "")]
    found = link_ledger(first, Step(ledger(rows))).set_index(PAIR)
    assert found["reason"].to_dict() == {
        ("A", "x"): "",
        ("A", "y"): "weak",
        ("B", "x"): "not among the links of Step",
        ("B", "z"): "not among the links of Step",
        ("C", "x"): "no peak",
        ("C", "y"): "",
    }
    assert found.loc[("C", "x"), "coef"] == 0.7
    assert np.isnan(found.loc[("C", "x"), "q"])
    np.testing.assert_array_equal(found["kept"], found["reason"] == "")


def test_other_evidence_of_the_same_name_is_kept_beside(first):
    rows = [("A", "x", 0.5, ""), ("B", "x", -0.2, "q above 0.1"), ("B", "z", 0.3, "")]
    later = Step(ledger(rows, q=[0.02, 0.5, np.nan]))
    found = link_ledger(first, later).set_index(PAIR)
    assert list(found.columns) == ["coef", "q", "2__q", "kept", "reason"]
    np.testing.assert_array_equal(found["q"], [0.01, 0.9, 0.05, 0.02])
    np.testing.assert_array_equal(found["2__q"], [0.02, np.nan, 0.5, np.nan])
    assert found.loc[("B", "x"), "reason"] == "q above 0.1"
    unchanged = Step(ledger(rows, q=[0.01, 0.05, 0.02]))
    assert list(link_ledger([first, unchanged]).columns) == [*PAIR, "coef", "q", "kept", "reason"]


def test_steps_are_not_changed(first, second):
    before = first.ledger_.copy(), second.ledger_.copy()
    link_ledger(first, second)
    pd.testing.assert_frame_equal(first.ledger_, before[0])
    pd.testing.assert_frame_equal(second.ledger_, before[1])


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(n_cells=300, n_tfs=12, n_targets=40, random_state=0)


def test_of_a_fitted_pipeline(cells):
    tf_matrix, new_rna, *_ = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=100)
    reference = BindingReference.from_table(cells.reference)
    pipe = Pipeline(
        [
            ("nothing", FunctionTransformer()),
            ("lasso", SciFateRegressor()),
            ("weak", EncodeLinkFilter(reference, q_threshold=0.9, correction="fdr_bh")),
            (
                "union",
                LinkUnion(
                    [
                        EncodeLinkFilter(
                            reference, q_threshold=0.9, correction="fdr_bh", require_peak=True
                        )
                    ]
                ),
            ),
        ]
    )
    kept = pipe.fit(tf_matrix, new_rna).transform(tf_matrix)
    found = link_ledger(pipe)
    links = pipe["lasso"].links_
    pd.testing.assert_frame_equal(found[list(LINK_COLUMNS)], links)
    assert list(found.columns[-2:]) == list(LEDGER_COLUMNS)
    assert found.loc[found["kept"], PAIR].to_numpy().tolist() == kept[PAIR].to_numpy().tolist()
    assert found.loc[~found["kept"], "reason"].nunique() >= 3
    assert len(kept) > 0
    pd.testing.assert_frame_equal(link_ledger(*pipe[1:]), found)
    pd.testing.assert_frame_equal(
        link_ledger(pipe["lasso"]).drop(columns=list(LEDGER_COLUMNS)), links
    )


@pytest.mark.parametrize("steps", [(), (object(),), (Pipeline([("f", FunctionTransformer())]),)])
def test_without_links(steps):
    with pytest.raises(ValueError, match="No step has links: pass a fitted Pipeline"):
        link_ledger(*steps)


def test_repeated_links_are_refused(first):
    repeated = Step(pd.concat([first.ledger_, first.ledger_.iloc[:1]]))
    with pytest.raises(ValueError, match="links of Step have A → x more than once"):
        link_ledger(first, repeated)


def test_examples():
    assert doctest.testmod(scifate_sklearn.ledger).failed == 0
