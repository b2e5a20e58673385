"""The kernels run as Python, and reference implementations of their results.

Most kernels are compiled without a Python wrapper, and must not be called from Python. So all
tests but those of `test_compile.py` run the source: every compiled function in the namespaces of
the kernel modules is replaced by its `py_func`, and `np.empty` returns poison instead of zeros.
"""

import importlib
import itertools
import pkgutil

import numpy as np
import pytest

from scifate_sklearn.solvers import kernels as package

MODULES = [
    importlib.import_module(f"{package.__name__}.{module.name}")
    for module in pkgutil.iter_modules(package.__path__)
]


class PoisonedNumpy:
    """NumPy whose uninitialized arrays hold values that invalidate any result or index."""

    def __getattr__(self, name):
        return getattr(np, name)

    def empty(self, shape, dtype=np.float64):
        return np.full(shape, np.nan if dtype == np.float64 else np.iinfo(np.int32).max, dtype)


@pytest.fixture(scope="module", autouse=True)
def python_kernels(request):
    """Run kernels as Python, except in `test_compile.py`, which runs both."""
    if request.path.name == "test_compile.py":
        yield
        return
    with pytest.MonkeyPatch.context() as monkeypatch, np.errstate(all="ignore"):
        replace_compiled(monkeypatch)
        yield


def replace_compiled(monkeypatch):
    for module in [*MODULES, package]:
        for name, value in list(vars(module).items()):
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
        if hasattr(module, "np"):
            monkeypatch.setattr(module, "np", PoisonedNumpy())


@pytest.fixture
def as_python(monkeypatch):
    """Return a function that runs the kernels as Python until the test ends."""
    with np.errstate(all="ignore"):
        yield lambda: replace_compiled(monkeypatch)


@pytest.fixture(scope="session")
def modules():
    return MODULES


@pytest.fixture(scope="session")
def standardized():
    return make_data


@pytest.fixture(scope="session")
def make_problem():
    """Return a function that makes G (p, p) and g (p,) of one target."""

    def make(seed, n=40, p=6, copies=0, constants=0):
        X, Y = make_data(seed, n, p, copies=copies, constants=constants)
        return X.T @ X / n, X.T @ Y[:, 0] / n

    return make


def make_data(seed, n=40, p=6, q=1, copies=0, constants=0):
    """Return correlated predictors (n, p) and targets (n, q) of mean 0 and mean square 1.

    The last columns are `copies` of the first ones, after `constants` that are 0.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.7 * rng.normal(size=(n, 1))
    truth = rng.normal(size=(p, q)) * (rng.random((p, q)) < 0.5)
    Y = X @ truth + rng.normal(size=(n, q))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    X[:, p - copies - constants : p - copies] = 0.0
    X[:, p - copies :] = X[:, :copies]
    return X, (Y - Y.mean(axis=0)) / Y.std(axis=0)


@pytest.fixture(scope="session")
def objective():
    def value(G, g, b, v, l1, l2):
        allowed = np.isfinite(v)
        b, v, G = b[allowed], v[allowed], G[np.ix_(allowed, allowed)]
        return 0.5 * b @ G @ b - g[allowed] @ b + l1 * v @ np.abs(b) + 0.5 * l2 * v @ b**2

    return value


@pytest.fixture(scope="session")
def violation():
    """Return a function that measures the violation of the optimality (KKT) conditions."""

    def measure(G, g, b, v, l1, l2):
        assert np.isfinite(b).all()
        assert not b[np.isinf(v)].any()
        allowed = np.isfinite(v)
        b, r, v = b[allowed], (g - G @ b)[allowed], v[allowed]
        inside = np.maximum(np.abs(r) - l1 * v, 0.0)
        on_support = np.abs(r - l2 * v * b - l1 * v * np.sign(b))
        return np.where(b == 0.0, inside, on_support).max(initial=0.0)

    return measure


@pytest.fixture(scope="session")
def minimum(violation):
    """Return a solver that tries every pattern of signs."""

    def solve(G, g, v, l1, l2):
        choices = [
            (0,) if np.isinf(v[j]) or G[j, j] == 0 else (1,) if l1 * v[j] == 0 else (0, 1, -1)
            for j in range(g.size)
        ]
        best, lowest = np.zeros(g.size), np.inf
        for pattern in itertools.product(*choices):
            signs = np.array(pattern, float)
            at = np.flatnonzero(signs)
            b = np.zeros(g.size)
            A = G[np.ix_(at, at)] + np.diag(l2 * v[at])
            b[at] = np.linalg.lstsq(A, g[at] - l1 * v[at] * signs[at], rcond=1e-12)[0]
            excess = violation(G, g, b, v, l1, l2)
            if excess < lowest:
                best, lowest = b, excess
        assert lowest < 1e-10
        return best

    return solve


@pytest.fixture(scope="session")
def new_model(modules):
    """Return a function that makes an empty model of p features."""
    model = importlib.import_module(f"{package.__name__}._model")

    def make(g):
        made = model.model_of(model.new_models(1, g.size), 0)
        model.clear(made, g)
        return made

    return make


@pytest.fixture(scope="session")
def lower(modules):
    """Return a function that reads the first rows of a triangle as a lower triangular matrix."""
    rows = importlib.import_module(f"{package.__name__}._rows")

    def read(triangle, size):
        matrix = np.zeros((size, size))
        for i in range(size):
            row = rows.triangle_row(triangle, i)
            matrix[i, : i + 1] = row[: i + 1]
            assert not row[i + 1 :].any()
        return matrix

    return read


@pytest.fixture(scope="session")
def cholesky_of():
    """Return a function that computes a model's factor and right-hand sides by NumPy."""

    def factor(A, members, right, sign):
        L = np.linalg.cholesky(A[np.ix_(members, members)])
        return L, np.linalg.solve(L, right[members]), np.linalg.solve(L, sign[members])

    return factor


PENALTY_KINDS = {
    "lasso": (1.0, None),
    "elastic net": (0.5, None),
    "ridge": (0.0, None),
    "unpenalized": (1.0, "unpenalized"),
    "excluded": (1.0, "excluded"),
    "mixed": (0.5, "mixed"),
    "mixed ridge": (0.0, "mixed"),
}


@pytest.fixture(params=list(PENALTY_KINDS))
def kind(request):
    return request.param


@pytest.fixture(scope="session")
def penalties():
    """Return a function that makes alpha and penalty factors v (p,), some of them 0 or inf."""

    def make(kind, p, seed=0):
        alpha, special = PENALTY_KINDS[kind]
        v = np.random.default_rng(seed).uniform(0.5, 2.0, p)
        if special in ("unpenalized", "mixed"):
            v[0] = 0.0
        if special in ("excluded", "mixed"):
            v[1] = np.inf
        return alpha, v

    return make


@pytest.fixture(params=range(4))
def seed(request):
    return request.param


@pytest.fixture(params=[{"n": 12, "p": 20}, {"p": 10, "copies": 3, "constants": 1}], ids=str)
def singular_problem(request, make_problem, penalties, kind, seed):
    """Return G, g, alpha and v of a problem with more predictors than cells, or with copies."""
    G, g = make_problem(seed, **request.param)
    return G, g, *penalties(kind, g.size, seed)
