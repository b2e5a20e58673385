"""Rivals of the package: one file each, imported only when chosen.

A rival is a module with

* ``NAME``, its name in tables,
* ``PACKAGE``, the distribution that must be installed, or None,
* ``fit(problem, t) -> RivalFit``, which fits target t of a problem and times itself,
* optionally ``absent() -> str | None``, the reason why it cannot run, and ``version() -> str``.

All get the same predictors, penalties and, where their API allows it, folds; one thread; default
tolerances. Preparations that are made once per problem (files, other processes, Gram matrices of
the training sets) are not timed, in favour of the rivals.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from report import installed_version

if TYPE_CHECKING:
    from problems import Problem

MODULES = (
    "r_covariance",
    "r_naive",
    "python_glmnet",
    "glmnet_engine",
    "glmstar",
    "adelie_cov",
    "sklearn_cv",
    "celer_path",
    "skglm_path",
)


@dataclass(frozen=True)
class RivalFit:
    """Time of one cross-validated target, and the penalties chosen, where they can be known."""

    seconds: float
    lambda_min: float | None = None
    lambda_1se: float | None = None


@dataclass(frozen=True)
class Rival:
    """A rival that is present."""

    key: str
    name: str
    version: str | None
    fit: Callable[[Problem, int], RivalFit]


def load(keys: Iterable[str] | None = None) -> tuple[list[Rival], dict[str, str]]:
    """Return the rivals that can run, and for each other one the reason why it cannot."""
    present, absent = [], {}
    for key in MODULES if keys is None else keys:
        if key not in MODULES:
            raise SystemExit(f"No rival is called {key!r}; there are {', '.join(MODULES)}.")
        try:
            module = importlib.import_module(f"rivals.{key}")
        except ImportError as error:
            absent[key] = f"cannot be imported ({error})"
            continue
        reason = _reason_for_absence(module)
        if reason is None:
            present.append(Rival(key, module.NAME, _version(module), module.fit))
        else:
            absent[module.NAME] = reason
    return present, absent


def _reason_for_absence(module: Any) -> str | None:
    if module.PACKAGE is not None and installed_version(module.PACKAGE) is None:
        return f"{module.PACKAGE} is not installed"
    return module.absent() if hasattr(module, "absent") else None


def _version(module: Any) -> str | None:
    if hasattr(module, "version"):
        return module.version()
    return None if module.PACKAGE is None else installed_version(module.PACKAGE)
