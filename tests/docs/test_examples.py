"""The worked examples of CONTRIBUTING.md: one file and one line each."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scifate_sklearn import PermutationFDR, SciFateRegressor, StabilitySelection
from scifate_sklearn.filters.evidence import CellNames
from scifate_sklearn.regressor import read_cells
from scifate_sklearn.solvers import ENGINES, EngineEntry


def example(pages: dict[str, Any], folder: str) -> tuple[Any, Any]:
    """Return the block with the file in a folder of the package, and the next one, a line."""
    blocks = pages["CONTRIBUTING.md"].blocks
    (place,) = [i for i, b in enumerate(blocks) if b.file.startswith(f"scifate_sklearn/{folder}/")]
    assert blocks[place + 1].line_of
    assert blocks[place + 1].text.count("\n") == 1
    return blocks[place], blocks[place + 1]


def load(path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file as a module of the package, until the test ends."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 8))
    truth = rng.normal(size=(8, 5)) * (rng.random((8, 5)) < 0.5)
    return X, X @ truth + rng.normal(size=(90, 5)), rng.uniform(0, 1, 90)


def test_an_engine(
    pages: dict[str, Any], data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, Y, weight = data
    file, line = example(pages, "solvers")
    assert line.line_of == "scifate_sklearn/solvers/_engines.py"
    (tmp_path / "engine.py").write_text(file.text, encoding="utf-8")
    module = file.file.removesuffix(".py").replace("/", ".")
    load(tmp_path / "engine.py", module, monkeypatch)
    entries = eval("{" + line.text + "}", {"EngineEntry": EngineEntry})
    for name, entry in entries.items():
        monkeypatch.setitem(ENGINES, name, entry)
    (name,) = entries

    own = SciFateRegressor(engine=name).fit(X, Y, sample_weight=weight)
    gram = SciFateRegressor(path="full").fit(X, Y, sample_weight=weight)
    np.testing.assert_array_equal(own.lambda_, gram.lambda_)
    np.testing.assert_allclose(own.coef_, gram.coef_, atol=1e-8)
    np.testing.assert_allclose(own.intercept_, gram.intercept_, atol=1e-8)
    np.testing.assert_allclose(own.cv_mse_, gram.cv_mse_, rtol=1e-8)

    # What is built on the regressor does not test the name of the engine.
    few = {"lambdas": np.geomspace(1, 0.01, 10), "path": "full"}
    for make in (
        lambda regressor: PermutationFDR(regressor, n_permutations=2),
        lambda regressor: StabilitySelection(regressor, n_resamples=4),
    ):
        ours, theirs = (
            make(SciFateRegressor(engine=engine, **few)).fit(X, Y).links_
            for engine in (name, "gram")
        )
        assert ours.iloc[:, :2].equals(theirs.iloc[:, :2])
        np.testing.assert_allclose(ours.iloc[:, -1], theirs.iloc[:, -1], rtol=1e-6)
    moments = read_cells(own, X, Y, None, None).moments
    with pytest.raises(ValueError, match=f'fit_moments needs an engine .* got engine="{name}"'):
        own.fit_moments(moments)
    for unsupported in ({"alpha": 0.5}, {"fit_intercept": False}):
        with pytest.raises(ValueError, match=r"supports alpha=1 and an intercept only\."):
            SciFateRegressor(engine=name, **unsupported).fit(X, Y)
    with pytest.raises(ValueError, match='needs given penalties, not lambdas="auto"'):
        SciFateRegressor(engine=name, lambdas="auto").fit(X, Y)
    with pytest.raises(ValueError, match="must be a str among"):
        SciFateRegressor(engine="unknown").fit(X, Y)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("TF,gene\nA,B\n", r"distances\.csv: the table lacks the column\(s\) distance, target\."),
        ("TF,target,distance\nA,B,near\n", "the column distance must hold numbers only"),
    ],
)
def test_a_kind_of_evidence_checks_its_table(
    table: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Path(__file__).parents[1] / "toys" / "_distance.py"
    module = load(toy, "scifate_sklearn.filters._distance", monkeypatch)
    (tmp_path / "distances.csv").write_text(table, encoding="utf-8")
    evidence = module.DistanceEvidence(distances=tmp_path / "distances.csv")
    with pytest.raises(ValueError, match=message):
        evidence.read(CellNames({}, min_overlap=0.1))
