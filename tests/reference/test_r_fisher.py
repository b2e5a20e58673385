"""Comparison of Fisher's test and of corrected p-values with results of R."""

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.filters.chip._fisher import adjust_pvalues, fisher_exact


@pytest.fixture(scope="module")
def r(shared):
    return pd.read_csv(
        shared / "reference" / "r_fisher" / "r_fisher.csv", float_precision="round_trip"
    )


@pytest.mark.parametrize(
    ("column", "alternative"), [("p_two", "two-sided"), ("p_greater", "greater")]
)
def test_p_equals_fisher_test(r, column, alternative):
    p = fisher_exact(r["a"], r["b"], r["c"], r["d"], alternative)
    expected = r[column].to_numpy()
    underflowed = expected == 0
    np.testing.assert_allclose(p[~underflowed], expected[~underflowed], rtol=1e-10, atol=0)
    assert (p[underflowed] < 1e-300).all()
    assert (expected[~underflowed] < 1e-250).any()


@pytest.mark.parametrize(("column", "method"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_q_equals_p_adjust(r, column, method):
    expected = r[column].to_numpy()
    np.testing.assert_allclose(adjust_pvalues(r["p_two"], method), expected, rtol=1e-12, atol=0)
