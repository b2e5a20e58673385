"""Checks of results from malformed inputs.

Each case is an input that users may pass. It has one of two outcomes: the result of the same
numbers in a plain array, or an error of a stated type and message. No input may cause a crash, a
hang, a change of the input, more than a few warnings or an unreported NaN.
"""

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

MOST_WARNINGS = 2
N_CELLS, N_TFS, N_TARGETS = 40, 4, 3


@contextmanager
def few_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Fail on more than `MOST_WARNINGS` warnings, or on a RuntimeWarning of NumPy."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    messages = [f"{each.category.__name__}: {each.message}" for each in caught]
    assert len(messages) <= MOST_WARNINGS, messages
    assert not [text for text in messages if text.startswith("RuntimeWarning")], messages


@contextmanager
def refused(error: type[Exception], message: str) -> Iterator[None]:
    """Expect an error of this type (or a subclass) and message, and few warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(error, match=message):
            yield
    assert len(caught) <= MOST_WARNINGS, [str(each.message) for each in caught]


def fingerprint(data: Any) -> Any:
    """Return a copy of all parts of an input that a function could change."""
    if sp.issparse(data):
        names = ("data", "indices", "indptr", "coords", "offsets", "rows")
        return [copy.deepcopy(getattr(data, name)) for name in names if hasattr(data, name)]
    if isinstance(data, np.ma.MaskedArray):
        return [data.data.copy(), np.ma.getmaskarray(data).copy()]
    return copy.deepcopy(data)


def assert_same_input(data: Any, before: Any) -> None:
    """Check that an input is unchanged, bit for bit."""
    after = fingerprint(data)
    if isinstance(after, pd.DataFrame | pd.Series):
        pd.testing.assert_frame_equal(pd.DataFrame(after), pd.DataFrame(before))
    elif isinstance(after, np.ndarray) and after.dtype != object:
        assert after.tobytes() == before.tobytes()
    elif isinstance(after, list | tuple):
        assert repr(after) == repr(before)


def assert_well_formed(model: Any) -> None:
    """Check that NaN occurs only without a model or beyond the stop of a path."""
    coef, q = np.atleast_2d(model.coef_), np.size(model.lambda_)
    lambda_, r2 = np.ravel(model.lambda_), np.ravel(model.r2_)
    assert coef.shape == (q, model.n_features_in_)
    assert np.isfinite(coef).all()
    assert np.isfinite(model.intercept_).all()
    assert np.isfinite(model.dual_gap_).all()
    assert not model.links_.isna().any(axis=None)
    assert np.isfinite(model.links_[["coef", "r2", "lambda_"]].to_numpy(float)).all()
    has_model = np.isfinite(lambda_)
    assert not coef[~has_model].any()
    np.testing.assert_array_equal(np.isfinite(r2), has_model)
    curves = np.atleast_2d(model.cv_mse_)
    for curve, error in zip(curves, np.atleast_2d(model.cv_mse_se_), strict=True):
        known = np.isfinite(curve)
        np.testing.assert_array_equal(known, np.isfinite(error))
        # Known from the start to the stop, without holes.
        assert not known[np.count_nonzero(known) :].any()
    np.testing.assert_array_equal(np.isfinite(curves).any(axis=1), has_model)


def assert_same_model(model: Any, expected: Any, rtol: float = 1e-9) -> None:
    """Check that all results equal those of another fit."""
    for name in ("coef_", "intercept_", "lambda_", "lambdas_", "r2_", "cv_mse_", "cv_mse_se_"):
        one, two = getattr(model, name), getattr(expected, name)
        scale = np.nanmax(np.abs(two), initial=0.0)
        np.testing.assert_allclose(one, two, rtol=rtol, atol=rtol * scale, err_msg=name)
    pd.testing.assert_frame_equal(
        model.links_.drop(columns=["TF", "target"]),
        expected.links_.drop(columns=["TF", "target"]),
        rtol=max(rtol, 1e-12),
        atol=1e-12,
    )


@pytest.fixture(scope="session")
def check() -> SimpleNamespace:
    """Return the checks above, which test modules cannot import."""
    return SimpleNamespace(
        few_warnings=few_warnings,
        refused=refused,
        fingerprint=fingerprint,
        same_input=assert_same_input,
        well_formed=assert_well_formed,
        same_model=assert_same_model,
    )


@pytest.fixture(scope="session")
def matrices() -> Callable[[], tuple[Any, Any]]:
    """Return a function that makes TFs and targets: integers from −16 to 16, zeros included.

    Small integers are exact in every type, so that no tolerance is needed.
    """
    rng = np.random.default_rng(0)
    X = np.clip(np.round(rng.normal(scale=4.0, size=(N_CELLS, N_TFS))), -16, 16)
    effects = np.array([[1.0, 0.0, 0.5], [0.0, -1.0, 0.0], [0.3, 0.0, 0.0], [0.0, 0.4, 0.8]])
    Y = np.clip(np.round(X @ effects + rng.normal(size=(N_CELLS, N_TARGETS))), -16, 16)
    return lambda: (X.copy(), Y.copy())
