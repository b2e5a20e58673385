"""Calibration on simulations: the realised FDR, and the bound on rarely selected links."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from scifate_sklearn import LinkTest, PermutationFDR, SciFateRegressor, StabilitySelection

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def null_cells():
    path = BENCHMARKS / "null_cells.py"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    spec = importlib.util.spec_from_file_location("null_cells", path)
    module = importlib.util.module_from_spec(spec)
    # `dataclass` looks up the module of its class there.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "null_cells", module)
        spec.loader.exec_module(module)
    return module


def realised(null_cells, seed, share_driven, rule="min"):
    cells = null_cells.simulate(seed, share_driven)
    model = PermutationFDR(SciFateRegressor(lambda_rule=rule), fdr=0.1, random_state=seed)
    return null_cells.false_shares(cells, model.fit_transform(cells.tfs, cells.targets))


@pytest.mark.slow
def test_realised_fdr_without_any_signal(null_cells):
    shares = [realised(null_cells, seed, 0.0)["of_null_targets"] for seed in range(50)]
    assert 0.05 <= np.mean(shares) <= 0.12


@pytest.mark.slow
def test_realised_fdr_where_half_of_the_targets_are_driven(null_cells):
    shares = [realised(null_cells, seed, 0.5) for seed in range(50)]
    assert 0.05 <= np.mean([share["of_null_targets"] for share in shares]) <= 0.12
    assert 0.05 <= np.mean([share["of_wrong_tfs"] for share in shares]) <= 0.12
    assert np.mean([share["found"] for share in shares]) > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("test", [LinkTest, PermutationFDR])
@pytest.mark.filterwarnings("ignore:LinkTest has 150 cells")
def test_a_planted_batch_makes_false_links_only_without_covariates(null_cells, test):
    """No target depends on a TF, so every kept link is false."""
    kept = {}
    for covariates in ((), ("batch",)):
        simulated = (null_cells.simulate_batches(seed, covariates) for seed in range(8))
        model = test(SciFateRegressor(lambda_rule="min"), fdr=0.1)
        kept[covariates] = [len(model.fit_transform(c.tfs, c.targets)) for c in simulated]
    without, with_batch = (np.array(counts) for counts in kept.values())
    assert (without > 0).mean() > 0.7
    assert without.mean() > 10
    # About a tenth of such data sets is expected to keep a link; more than three of eight do with
    # a probability of 0.005.
    assert (with_batch > 0).sum() <= 3
    assert with_batch.mean() < 1


def test_one_permutation_keeps_ten_links_or_none(null_cells):
    """Without signal and with one permutation, q ≤ 0.1 needs at least ten links."""
    for seed in range(3):
        cells = null_cells.simulate(seed, 0.0)
        model = PermutationFDR(SciFateRegressor(lambda_rule="min"), fdr=0.2, n_permutations=1)
        q = np.sort(model.fit(cells.tfs, cells.targets).links_["q"])
        assert len(q) > 10
        assert q[0] >= 1 / np.count_nonzero(q == q[0])


@pytest.fixture(scope="module")
def many_data_sets():
    """Return frequencies (n_sets, n_tfs) of data sets of one distribution, at a fixed penalty."""
    frequency, rng = [], np.random.default_rng(11)
    regressor = SciFateRegressor(lambda_rule=0.2, lambdas=[1.0, 0.2], cv=2, cor_threshold=None)
    for _ in range(8):
        X = rng.normal(size=(60, 15)) + rng.normal(size=(60, 1))
        Y = (0.5 * X[:, 0] - 0.3 * X[:, 4])[:, None] + rng.normal(size=(60, 60))
        model = StabilitySelection(regressor, n_resamples=50, random_state=rng.integers(2**31))
        frequency.append(model.fit(X, Y).frequency_)
    return np.concatenate(frequency)


@pytest.mark.parametrize("threshold", [0.55, 0.6, 0.75, 0.9])
def test_error_bounds_hold(many_data_sets, threshold):
    """Both bounds hold for E|{k : p_k ≤ q/p, frequency ≥ τ}|, estimated by counting."""
    from scifate_sklearn.resampling._error_bound import r_concave_bound, worst_case_bound

    probability = many_data_sets.mean(axis=0)
    q, p = probability.sum(keepdims=True), np.array([float(probability.size)])
    is_low = probability <= q / p
    assert 5 < is_low.sum() < p[0]
    counted = (many_data_sets[:, is_low] >= threshold - 1e-12).sum(axis=1).mean()
    assert (
        counted <= r_concave_bound(q, p, threshold, 25)[0] <= worst_case_bound(q, p, threshold)[0]
    )
    if threshold == 0.55:
        assert counted > 0
