"""conditional_mutual_information: brute force, invariances, accuracy, and invalid input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

from scifate_sklearn.causality import clr, conditional_mutual_information
from scifate_sklearn.solvers import InformationProblem


def distances(points):
    return abs(points[:, None] - points[None]).max(axis=2, initial=0.0)


def brute_force(x, y, z, k, estimator):
    """Return the estimate by its definition, from all distances."""
    d_x, d_y, d_z = map(distances, (x, y, z))
    d_xz, d_yz = np.maximum(d_x, d_z), np.maximum(d_y, d_z)
    d_xyz = np.maximum(d_xz, d_y)
    is_other = ~np.eye(len(x), dtype=bool)
    rho = np.sort(np.where(is_other, d_xyz, np.inf), axis=1)[:, [k - 1]]
    sizes = []
    for d in (d_xyz, d_xz, d_yz, d_z):
        n_within = ((d < rho) & is_other).sum(axis=1)
        n_at_most = ((d <= rho) & is_other).sum(axis=1)
        sizes.append(n_at_most if estimator == "scribe" else np.maximum(n_at_most, n_within + 1))
    psi_xyz, psi_xz, psi_yz, psi_z = map(digamma, sizes)
    return np.mean(psi_xyz - psi_xz - psi_yz + psi_z)


@st.composite
def points(draw):
    """Return x, y, z, continuous or tied, at one place or in far groups, and k."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, k = draw(st.integers(24, 150)), draw(st.integers(1, 6))
    columns = []
    for least in (1, 1, 0):
        d = draw(st.integers(least, 3))
        values = rng.normal(size=(n, d)) * 10.0 ** draw(st.integers(-3, 3))
        match draw(st.sampled_from(["continuous", "counts", "zeros", "constant", "groups"])):
            case "counts":
                values = rng.poisson(1.0, (n, d)).astype(float)
            case "zeros":
                values[rng.random((n, d)) < 0.7] = 0.0
            case "constant":
                values[:] = 7.0
            case "groups":
                values[: n // 3] += 1e6
        columns.append(values)
    return (*columns, k)


@given(points(), st.sampled_from(["ksg", "scribe"]))
@settings(deadline=None, max_examples=150)
def test_brute_force(drawn, estimator):
    x, y, z, k = drawn
    found = conditional_mutual_information(x, y, z, n_neighbors=k, estimator=estimator)
    np.testing.assert_allclose(found, brute_force(x, y, z, k, estimator), atol=1e-12)


@given(points())
@settings(deadline=None, max_examples=50)
def test_invariances(drawn):
    x, y, z, k = drawn
    rng = np.random.default_rng(0)
    expected = conditional_mutual_information(x, y, z, n_neighbors=k)
    order, columns = rng.permutation(len(x)), rng.permutation(z.shape[1])
    for same in (
        (y, x, z),
        (x[order], y[order], z[order]),
        (x, -y, z[:, columns]),
        (np.hstack([x, x]), y, z),
    ):
        np.testing.assert_allclose(
            conditional_mutual_information(*same, n_neighbors=k), expected, atol=1e-12
        )


@given(points())
@settings(deadline=None, max_examples=50)
def test_columns_do_not_depend_on_their_company(drawn):
    x, y, z, k = drawn
    problem = InformationProblem(y.T, z.T, k)
    together = problem.estimate(np.vstack([x.T, y.T[:1], 100 * x.T]))
    for column, found in zip(x.T, together, strict=False):
        assert problem.estimate(column[None])[0] == found


@pytest.mark.parametrize("z", [np.empty((50, 0)), np.zeros((50, 1)), np.eye(50)[:, :2]])
def test_constant_columns_have_no_information(z):
    values = np.random.default_rng(0).normal(size=50)
    assert conditional_mutual_information(np.zeros(50), values, z) == 0.0
    assert conditional_mutual_information(values, np.ones(50), z) == 0.0


def gaussian(rng, n, rho):
    """Return x, y, z with the partial correlation rho of x and y."""
    z = rng.normal(size=n)
    x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n).T
    return x + z, y + z, z


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("n", "bias"), [(1000, 0.025), (5000, 0.01)])
def test_bias_on_gaussian_data(rho, n, bias):
    """Goals of the estimate: bias of at most 0.025 nats at 1,000 cells, 0.01 at 5,000."""
    rng = np.random.default_rng(0)
    n_runs = 20_000 // n
    scale = [np.sqrt(2), np.sqrt(2), 1.0]
    found = [
        conditional_mutual_information(
            *(v / s for v, s in zip(gaussian(rng, n, rho), scale, strict=True))
        )
        for _ in range(n_runs)
    ]
    error = np.std(found, ddof=1) / np.sqrt(n_runs)
    assert abs(np.mean(found) + 0.5 * np.log(1 - rho**2)) < bias + 2 * error


@pytest.mark.filterwarnings("ignore:.*effective sample size")
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_uniform_weights_with_constant_columns_and_any_scale(scale):
    x, y, z = np.random.default_rng(0).normal(size=(3, 200))
    expected = conditional_mutual_information(x, y, z, weights="uniform")
    more = np.column_stack([scale * z, np.full(200, 3.0)])
    same = conditional_mutual_information(scale * x, scale * y, more, weights="uniform")
    assert same == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("error")
def test_numbers_near_the_largest():
    x, y, z = np.random.default_rng(0).uniform(-1, 1, size=(3, 100))
    expected = conditional_mutual_information(x, y, z)
    huge, small = 2.0**1000, 2.0**-1000
    for scale in (huge, small):
        found = conditional_mutual_information(scale * x, scale * y, scale * z)
        assert found == pytest.approx(expected, abs=1e-12)
    weights = np.full(100, 1.7e308)
    assert np.isfinite(conditional_mutual_information(x, y, z, weights=weights))


@pytest.mark.filterwarnings("ignore:.*effective sample size")
def test_uniform_weights_depend_less_on_rare_values():
    """A relation that is rarely seen counts as much as if it were seen often."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=1000)
    skewed, uniform = rng.random(1000) ** 4, rng.random(1000)
    estimates = {}
    for name, x in (("skewed", skewed), ("uniform", uniform)):
        y = x + 0.1 * rng.normal(size=1000)
        for weights in (None, "uniform"):
            estimates[name, weights] = conditional_mutual_information(x, y, z, weights=weights)
    plain = abs(estimates["skewed", None] - estimates["uniform", None])
    weighted = abs(estimates["skewed", "uniform"] - estimates["uniform", "uniform"])
    assert weighted < 0.5 * plain


def test_only_ratios_of_weights_matter():
    x, y, z = np.random.default_rng(0).normal(size=(3, 100))
    weights = np.linspace(1, 2, 100)
    one, other = (
        conditional_mutual_information(x, y, z, weights=scale * weights) for scale in (1.0, 8.0)
    )
    assert one == other


def test_equal_weights_change_little():
    x, y, z = gaussian(np.random.default_rng(0), 2000, 0.6)
    plain = conditional_mutual_information(x, y, z)
    # The logarithms differ from digamma functions by about 1/(2 n).
    assert abs(conditional_mutual_information(x, y, z, weights=np.ones(2000)) - plain) < 0.05


X, Y, Z = np.random.default_rng(0).normal(size=(3, 40))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": X[:-1]}, "`x`, `y` and `z` must have the same cells, got `x` 39, `y` 40, `z` 40"),
        ({"x": np.where(X > 0, np.nan, X)}, "`x`: Input contains NaN"),
        ({"z": np.where(X > 0, np.inf, X)}, "`z`: Input contains infinity"),
        ({"x": Z}, "A column of `x` is in `z` too"),
        ({"y": np.column_stack([Y, Z])}, "A column of `y` is in `z` too"),
        ({"n_neighbors": 11}, "11 neighbours need at least 44 cells, got 40. Lower `n_neighbors`"),
        ({"weights": -np.ones(40)}, "`weights` must be positive numbers, one for each of 40"),
        ({"weights": np.ones(39)}, "`weights` must be positive numbers"),
        ({"x": X.round(), "z": Z.round(), "weights": "uniform"}, "needs continuous data, but"),
        ({"x": X.round(), "z": Z.round(), "weights": np.ones(40)}, "needs continuous data, but"),
        ({"x": X + 1j}, "`x`: the numbers must be real"),
        ({"estimator": "kde"}, "estimator"),
        ({"n_neighbors": 0}, "n_neighbors"),
        ({"weights": "kde"}, "weights"),
    ],
)
def test_invalid_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        conditional_mutual_information(**{"x": X, "y": Y, "z": Z} | arguments)


def test_small_effective_sample_size():
    rng = np.random.default_rng(0)
    x, y, z = rng.standard_cauchy(size=(3, 200))
    with pytest.warns(UserWarning, match="the effective sample size is") as record:
        conditional_mutual_information(x, y, z, weights="uniform")
    assert record[0].filename == __file__


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
@settings(deadline=None, max_examples=50)
def test_clr_by_its_definition(seed, n_rows, n_columns):
    scores = np.random.default_rng(seed).integers(0, 4, (n_rows, n_columns)).astype(float)
    found = clr(scores)
    for i, j in np.ndindex(found.shape):
        z = []
        for others in (scores[i], scores[:, j]):
            sd = others.std(ddof=1) if others.size > 1 else 0.0
            z.append(max(0.0, (scores[i, j] - others.mean()) / sd) if sd > 0 else 0.0)
        np.testing.assert_allclose(found[i, j], np.hypot(*z) / np.sqrt(2), atol=1e-12)
    np.testing.assert_allclose(clr(scores.T), found.T)
    for scale in (1e-300, 1e300):
        np.testing.assert_allclose(clr(scale * scores), found, atol=1e-12)
