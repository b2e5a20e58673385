"""State of estimators: pickles that name their version, and fits that are complete or undone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from sklearn.exceptions import InconsistentVersionWarning

from ._version import __version__
from ._warnings import collected, warn

Method = TypeVar("Method", bound=Callable[..., Any])

_KEY = "_scifate_sklearn_version"


class PickleVersionWarning(InconsistentVersionWarning):
    """A pickle was written by another version of this package.

    Parameters
    ----------
    message : str
    """

    def __init__(self, message: str) -> None:
        UserWarning.__init__(self, message)

    def __str__(self) -> str:
        return UserWarning.__str__(self)


class _Stamp:
    """The version of this package, in pickles.

    All objects share one stamp, which a pickle holds once, however many objects it holds. So there
    is one warning per pickle.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _check_version, (__version__,)

    def __copy__(self) -> _Stamp:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> _Stamp:
        return self


_STAMP = _Stamp()


def _check_version(version: str) -> _Stamp:
    """Warn if a pickle is of another version of this package; called when it is loaded."""
    if version != __version__:
        warn(
            f"This pickle was written by scifate_sklearn {version}, and is loaded by version "
            f"{__version__}. Attributes may be missing, and results may differ. Load it with "
            f"scifate_sklearn {version}, or fit and save again with this version.",
            PickleVersionWarning,
        )
    return _STAMP


class VersionedState:
    """Mixin: pickles name the version of this package, and another version warns.

    Pickles without a version load without a warning. Place it in front of `BaseEstimator`.
    """

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {**(state or {}), _KEY: _STAMP}

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = {name: value for name, value in state.items() if name != _KEY}
        set_state = getattr(super(), "__setstate__", self.__dict__.update)
        set_state(own)


def versioned_call(make: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    """Return what ``__reduce__`` of an immutable object returns, with the version.

    Parameters
    ----------
    make : callable
        Returns the object; importable.
    *arguments
        Arguments of `make`.
    """
    return _call, (_STAMP, make, *arguments)


def _call(_: _Stamp, make: Callable[..., Any], *arguments: Any) -> Any:
    return make(*arguments)


def all_or_nothing(fit: Method) -> Method:
    """Decorate a method that sets attributes, so that it sets all of them or none.

    The method runs on a draft, whose attributes replace those of the object in one step. If it is
    interrupted or fails at any moment, the object stays as it was. After an error it gets only the
    attributes that its class names in ``reports_of_failed_fits``, which explain the error.
    ``warnings_`` are the messages of this package that the method issued, each once.

    Parameters
    ----------
    fit : callable
        Method that returns ``self``, and replaces attributes but changes none of their values in
        place.

    Returns
    -------
    callable
        Method with the same arguments.
    """

    @wraps(fit)
    def complete(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        draft = object.__new__(type(self))
        draft.__dict__.update(self.__dict__)
        try:
            with collected() as messages:
                fit(draft, *args, **kwargs)
            draft.warnings_ = tuple(dict.fromkeys(messages))
        except Exception:
            reports = getattr(self, "reports_of_failed_fits", ())
            vars(self).update({name: vars(draft)[name] for name in reports if name in vars(draft)})
            raise
        self.__dict__ = draft.__dict__
        return self

    return cast(Method, complete)
