import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scifate_sklearn.filters.motifs import _recovery
from scifate_sklearn.filters.motifs._recovery import (
    highest_score,
    leading_edge,
    normalized_scores,
    recovered_areas,
    recovery_bounds,
)


def make_ranks(seed, n_targets, n_motifs, n_genes, dtype=np.int16, tied=False):
    """Rank of each target under each motif; without ties each motif permutes the genes."""
    rng = np.random.default_rng(seed)
    if tied:
        return rng.integers(0, n_genes, (n_targets, n_motifs)).astype(dtype)
    columns = [rng.permutation(n_genes)[:n_targets] for _ in range(n_motifs)]
    return np.array(columns).T.astype(dtype)


def auc_of_formula(ranks, top):
    below = sorted(int(rank) for rank in ranks if rank < top)
    steps = [*below, top]
    area = sum((i + 1) * (steps[i + 1] - steps[i]) for i in range(len(below)))
    return Fraction(area, top * len(ranks))


def curve(ranks, n_ranks):
    return [sum(int(rank) <= x for rank in ranks) for x in range(n_ranks)]


def bound_of_formula(ranks, n_ranks):
    curves = [curve(ranks[:, motif], n_ranks) for motif in range(ranks.shape[1])]
    return [
        statistics.mean(at_x) + 2 * statistics.stdev(map(Fraction, at_x))
        for at_x in zip(*curves, strict=True)
    ]


problems = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "n_targets": st.integers(1, 12),
        "n_motifs": st.integers(2, 9),
        "n_genes": st.integers(12, 40),
        "dtype": st.sampled_from([np.int16, np.int32, np.int64, np.uint8]),
        "tied": st.booleans(),
    }
)


@given(problems, st.integers(1, 50))
@settings(max_examples=30, deadline=None)
def test_areas_equal_the_formula(problem, top):
    ranks = make_ranks(**problem)
    n = len(ranks)
    sizes = [n, (n + 1) // 2, n, 1]
    areas = recovered_areas(ranks, sizes, top)
    for size, area in zip(sizes, areas, strict=True):
        expected = [auc_of_formula(column, top) for column in ranks[:size].T]
        assert [Fraction(int(a), top * size) for a in area] == expected


def test_areas_with_more_top_ranks_than_the_type_holds():
    ranks = np.array([[0, 255]], dtype=np.uint8)
    assert recovered_areas(ranks, [1], 1000).tolist() == [[1000, 745]]


@given(problems)
@settings(max_examples=30, deadline=None)
def test_scores_equal_the_formula(problem):
    (areas,) = recovered_areas(ranks := make_ranks(**problem), [len(ranks)], 7)
    auc = [auc_of_formula(column, 7) for column in ranks.T]
    scores = normalized_scores(areas)
    if len(set(auc)) == 1:
        assert np.isnan(scores).all()
    else:
        expected = [float(a - statistics.mean(auc)) / statistics.stdev(auc) for a in auc]
        np.testing.assert_allclose(scores, expected, rtol=1e-12, atol=1e-14)


@given(problems, st.integers(1, 45), st.sampled_from([1, 8, 1 << 18]))
@settings(max_examples=30, deadline=None)
def test_bounds_equal_the_formula(problem, n_ranks, block):
    ranks = make_ranks(**problem)
    sizes = sorted({len(ranks), (len(ranks) + 1) // 2, 1}, reverse=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_recovery, "_BLOCK", block)
        bounds = recovery_bounds(ranks, sizes, n_ranks)
    for size, bound in zip(sizes, bounds, strict=True):
        np.testing.assert_allclose(bound, bound_of_formula(ranks[:size], n_ranks), rtol=1e-13)
    # Only the targets of a set are used.
    np.testing.assert_array_equal(bounds[-1], recovery_bounds(ranks[:1], [1], n_ranks)[0])


def test_bounds_of_no_set():
    assert recovery_bounds(make_ranks(0, 5, 4, 20), [], 10).shape == (0, 10)


def test_bounds_whose_keys_require_64_bits():
    ranks = make_ranks(0, 6, 2000, 40, dtype=np.int64)
    n_ranks = 600_000  # 2000 motifs × these × 2 labels are beyond 32 bits
    bound = recovery_bounds(ranks, [6], n_ranks)[0]
    np.testing.assert_array_equal(bound[:40], recovery_bounds(ranks, [6], 40)[0])
    assert bound[-1] == 6


# Two distances that are equal in exact arithmetic, and differ in their last bit.
TIE = {"seed": 7253, "n_targets": 7, "n_motifs": 6, "n_genes": 32, "dtype": np.int16, "tied": True}


@given(problems)
@example(TIE)
@settings(max_examples=25, deadline=None)
def test_leading_edge_is_the_first_greatest_distance(problem):
    ranks = make_ranks(**problem)
    n_ranks = problem["n_genes"]
    bound = recovery_bounds(ranks, [len(ranks)], n_ranks)[0]
    expected_bound = bound_of_formula(ranks, n_ranks)
    for column in ranks.T:
        distance = np.array(curve(column, n_ranks)) - np.array(expected_bound)
        # The two bounds may differ in their last bit.
        first = int(np.flatnonzero(distance >= distance.max() - 1e-12)[0])
        assert leading_edge(column, bound) == first


@given(problems, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_order_of_motifs_and_targets_changes_no_bit(problem, random):
    ranks = make_ranks(**problem)
    rng = np.random.default_rng(random.randrange(2**31))
    motifs, targets = rng.permutation(ranks.shape[1]), rng.permutation(len(ranks))
    shuffled = ranks[targets][:, motifs]
    (areas,), (others,) = (recovered_areas(r, [len(r)], 9) for r in (ranks, shuffled))
    np.testing.assert_array_equal(others, areas[motifs])
    np.testing.assert_array_equal(normalized_scores(others), normalized_scores(areas)[motifs])
    bounds = [recovery_bounds(r, [len(r)], 30) for r in (ranks, shuffled)]
    np.testing.assert_array_equal(*bounds)


def test_equal_areas_whose_mean_is_not_exact():
    assert np.isnan(normalized_scores(np.full(49, 3_333_333_333_333_331))).all()


@pytest.mark.parametrize("n_motifs", [2, 5, 11, 1000])
def test_highest_score(n_motifs):
    areas = np.zeros(n_motifs, dtype=np.int64)
    areas[0] = 123
    assert normalized_scores(areas)[0] == pytest.approx(highest_score(n_motifs), rel=1e-12)
    assert highest_score(n_motifs) == pytest.approx((n_motifs - 1) / math.sqrt(n_motifs))
