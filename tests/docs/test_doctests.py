"""Examples in docstrings give the results that they state."""

import doctest
import importlib
import pkgutil
import warnings

import pytest

import scifate_sklearn


def modules_with_doctests() -> list[str]:
    """Return the names of the modules whose docstrings have examples."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    names = ["scifate_sklearn"]
    names += [m.name for m in pkgutil.walk_packages(scifate_sklearn.__path__, "scifate_sklearn.")]
    # `__main__` runs the command line when it is imported.
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    return [m.__name__ for m in modules if any(t.examples for t in finder.find(m))]


@pytest.mark.parametrize("name", modules_with_doctests())
def test_doctests(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0, "see the captured output"


def test_doctests_are_found() -> None:
    modules = {name.removeprefix("scifate_sklearn.") for name in modules_with_doctests()}
    packages = {name.split(".")[0] for name in modules}
    assert {"regressor", "filters", "preprocessing", "ledger"} <= packages
