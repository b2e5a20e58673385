"""Import, public names, documentation and metadata of the package."""

import ast
import configparser
import importlib
import importlib.metadata
import inspect
import json
import os
import pickle
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sklearn.base import BaseEstimator

import scifate_sklearn
from scifate_sklearn.datasets import LabelledCells

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(scifate_sklearn.__file__).parent
# The public names of the design document.
PROMISED = {
    "SciFateRegressor",
    "EncodeLinkFilter",
    "MotifLinkFilter",
    "MotifRankings",
    "BindingReference",
    "prepare_anndata",
    "scifate_glmnet",
    "RSampleKFold",
    "datasets",
}
# Packages that users do not import.
INTERNAL = {"files", "fitting", "links", "names", "solvers"}
HEAVY = {
    *("adjustText", "anndata", "bokeh", "dask", "jinja2", "joblib", "marsilea", "matplotlib"),
    *("networkx", "numba"),
    *("numpy", "pandas", "scipy", "sklearn", "typer"),
}


# Distributions whose name differs from that of the module, or that a requirement installs.
DISTRIBUTIONS = {
    "adjustText": "adjusttext",
    "glmnet": "python-glmnet",
    "h5py": "anndata",
    "llvmlite": "numba",
    "markupsafe": "jinja2",
    "sklearn": "scikit-learn",
    "zarr": "anndata",
}


def run_python(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command,
        cwd=PACKAGE.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def imported_modules(node: ast.AST) -> list[str]:
    """Return the top-level names of other packages that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [str(node.module).split(".")[0]]
    return []


def read_setup_cfg() -> configparser.ConfigParser:
    if not (ROOT / "setup.cfg").is_file():
        pytest.skip(f"there is no setup.cfg in {ROOT}")
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


class TestImport:
    def test_loads_nothing_heavy_and_is_silent(self) -> None:
        # The report is JSON on stderr, so that any other output there makes it invalid.
        code = (
            "import json, logging, sys\n"
            "import scifate_sklearn\n"
            "loaded = sorted({name.split('.')[0] for name in sys.modules})\n"
            "json.dump([loaded, len(logging.getLogger().handlers)], sys.stderr)"
        )
        result = run_python(code)
        assert result.returncode == 0, result.stderr
        assert result.stdout == ""
        loaded, n_root_handlers = json.loads(result.stderr)
        assert not HEAVY & set(loaded)
        assert n_root_handlers == 0

    @pytest.mark.slow
    def test_takes_little_longer_than_python(self) -> None:
        """The import takes a few milliseconds, on a busy machine up to 0.2 s."""
        code = (
            "import time; start = time.perf_counter(); import scifate_sklearn\n"
            "print(time.perf_counter() - start)"
        )
        assert min(float(run_python(code).stdout) for _ in range(10)) < 0.2

    def test_names_are_loaded_when_used(self) -> None:
        code = (
            "import sys, scifate_sklearn\n"
            "assert 'pandas' not in sys.modules\n"
            "assert set(scifate_sklearn.__all__) <= set(dir(scifate_sklearn))\n"
            "scifate_sklearn.link_ledger\n"
            "assert 'pandas' in sys.modules and 'anndata' not in sys.modules\n"
            "scifate_sklearn.filters.base.LinkFilter, scifate_sklearn.datasets.make_labelled_cells"
        )
        result = run_python(code)
        assert result.returncode == 0, result.stderr

    def test_names_are_loaded_at_once_on_request(self) -> None:
        code = "import sys, scifate_sklearn; print('SciFateRegressor' in vars(scifate_sklearn))"
        assert run_python(code, EAGER_IMPORT="1").stdout == "True\n"
        assert run_python(code, EAGER_IMPORT="").stdout == "False\n"

    def test_a_name_that_does_not_exist(self) -> None:
        with pytest.raises(AttributeError, match="SciFateClassifier"):
            scifate_sklearn.SciFateClassifier  # noqa: B018
        with pytest.raises(ImportError, match="SciFateClassifier"):
            exec("from scifate_sklearn import SciFateClassifier")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "module", sorted(m.name for m in pkgutil.iter_modules(scifate_sklearn.__path__))
    )
    def test_every_part_imports_first(self, module: str) -> None:
        """No package depends on an earlier import of another package."""
        result = run_python(f"import scifate_sklearn.{module}")
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def packages() -> list[ModuleType]:
    """Return the package and its subpackages."""
    found = [scifate_sklearn]
    for module in pkgutil.iter_modules(scifate_sklearn.__path__, "scifate_sklearn."):
        if module.ispkg:
            found.append(importlib.import_module(module.name))
    return found


def stub(package: ModuleType) -> Path:
    return Path(str(package.__file__)).with_suffix(".pyi")


LAZY = [package for package in packages() if stub(package).is_file()]


class TestContracts:
    def test_imports_run_one_way(self) -> None:
        assert "importlinter" in read_setup_cfg()
        pytest.importorskip("importlinter", reason="import-linter is not installed")
        command = [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
        ]
        command += ["--no-cache", "--config", "setup.cfg"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stdout + result.stderr
        assert re.search(r"[1-9]\d* kept, 0 broken", result.stdout), result.stdout

    @pytest.mark.parametrize(
        "path",
        [
            path
            for path in sorted(PACKAGE.rglob("*.py"))
            if "cli" not in path.relative_to(PACKAGE).parts
        ],
        ids=lambda path: str(path.relative_to(PACKAGE)),
    )
    def test_library_neither_prints_nor_configures_logging(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not called & {"print", "logging.basicConfig", "basicConfig"}

    def test_version(self) -> None:
        stated = read_setup_cfg()["metadata"]["version"]
        if stated.startswith("attr:"):
            module, _, attribute = stated.removeprefix("attr:").strip().rpartition(".")
            stated = getattr(importlib.import_module(module), attribute)
        assert stated == scifate_sklearn.__version__

    def test_version_of_the_installed_distribution(self) -> None:
        try:
            installed = importlib.metadata.version("scifate_sklearn")
        except importlib.metadata.PackageNotFoundError:
            pytest.skip("scifate_sklearn is not installed but imported from its folder")
        assert installed == scifate_sklearn.__version__

    def test_links_of_the_readme_lead_to_the_host_of_the_metadata(self) -> None:
        """PyPI shows the README, so its links to other pages must be absolute."""
        metadata = read_setup_cfg()["metadata"]
        links = re.findall(r"https?://github\.com/[^\s)]+", (ROOT / "README.md").read_text())
        links += re.findall(r"https?://\S+", metadata["project_urls"])
        assert all(link.startswith(metadata["url"]) for link in links)

    def test_citation_agrees_with_the_metadata(self) -> None:
        metadata, text = read_setup_cfg()["metadata"], (ROOT / "CITATION.cff").read_text()
        stated = dict(re.findall(r"^([a-z-]+): (.+)$", text, re.MULTILINE))
        assert stated["cff-version"] == "1.2.0"
        assert stated["title"] == metadata["name"]
        assert stated["license"] == metadata["license"]
        assert f"- name: {metadata['author']}" in text
        assert re.findall(r"doi: (\S+)", text) == [
            "10.1038/s41587-020-0480-9",
            "10.18637/jss.v033.i01",
        ]

    def test_every_imported_distribution_is_required(self) -> None:
        options = read_setup_cfg()["options"], read_setup_cfg()["options.extras_require"]
        stated = "\n".join([options[0]["install_requires"], *options[1].values()])
        names = {name.lower() for name in re.findall(r"^([\w-]+)", stated, re.MULTILINE)}
        for path in PACKAGE.rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for module in {name for node in ast.walk(tree) for name in imported_modules(node)}:
                if module not in {*sys.stdlib_module_names, "_typeshed"}:
                    assert DISTRIBUTIONS.get(module, module) in names, (path, module)

    def test_version_is_in_the_changelog(self) -> None:
        if not (ROOT / "CHANGELOG.md").is_file():
            pytest.skip(f"there is no CHANGELOG.md in {ROOT}")
        titles = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
        assert scifate_sklearn.__version__ in titles


class TestPublicNames:
    @pytest.mark.parametrize("package", packages(), ids=lambda package: package.__name__)
    def test_all_is_complete(self, package: ModuleType) -> None:
        listed = getattr(package, "__all__", [])
        own = {
            name
            for name, value in vars(package).items()
            if not name.startswith("_")
            and not inspect.ismodule(value)
            and str(getattr(value, "__module__", "")).startswith("scifate_sklearn")
        }
        if package.__name__.endswith(".cli"):
            own = {"app"}  # its functions are commands, not part of the library
        assert len(listed) == len(set(listed))
        assert set(listed) >= own
        assert all(hasattr(package, name) for name in listed)

    @pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
    def test_stubs_export_what_is_loaded(self, package: ModuleType) -> None:
        """Type checkers export an imported name only if the stub repeats it after "as"."""
        tree = ast.parse(stub(package).read_text(encoding="utf-8"))
        imported = [a for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names]
        assert all(alias.asname == alias.name for alias in imported)
        assert sorted(alias.name for alias in imported) == package.__all__

    def test_classes_and_functions_can_be_pickled(self) -> None:
        for name in scifate_sklearn.__all__:
            thing = getattr(scifate_sklearn, name)
            if not inspect.ismodule(thing):
                assert pickle.loads(pickle.dumps(thing)) is thing

    def test_public_names_of_the_design_exist(self) -> None:
        assert set(scifate_sklearn.__all__) >= PROMISED
        namespace: dict[str, object] = {}
        exec("from scifate_sklearn import *", namespace)
        assert set(namespace) >= PROMISED
        assert callable(scifate_sklearn.datasets.make_labelled_cells)


def public_objects() -> dict[str, Any]:
    """Return the public classes and functions by name."""
    named = {
        name: getattr(package, name)
        for package in packages()
        if package.__name__.rpartition(".")[2] not in {"cli", *INTERNAL}
        for name in getattr(package, "__all__", [])
    }
    return {
        name: thing
        for name, thing in named.items()
        if inspect.isroutine(thing) or inspect.isclass(thing)
    }


OBJECTS = public_objects()
ESTIMATORS = {
    name: thing
    for name, thing in OBJECTS.items()
    if inspect.isclass(thing) and issubclass(thing, BaseEstimator)
}
# Classes whose methods users call.
USER_CLASSES = [getattr(scifate_sklearn, name) for name in scifate_sklearn.__all__] + [
    LabelledCells
]


def public_methods() -> Iterator[Any]:
    for cls in filter(inspect.isclass, USER_CLASSES):
        for name, member in vars(cls).items():
            is_method = inspect.isfunction(member) or isinstance(member, classmethod)
            if is_method and not name.startswith("_"):
                yield pytest.param(getattr(cls, name), id=f"{cls.__name__}.{name}")


def sections(thing: object) -> dict[str, str]:
    """Return the numpydoc sections of a docstring by title; the summary is under ``""``."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.getdoc(thing) or "", flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def documented_parameters(thing: object) -> dict[str, str]:
    """Return the parameters of a docstring, each with the text after its colon."""
    entries = re.findall(
        r"^(\*{0,2}\w[\w, *]*?)(?: *: (.*))?$", sections(thing).get("Parameters", ""), re.M
    )
    return {name.strip(" *"): kind for names, kind in entries for name in names.split(",")}


def signature_parameters(thing: Callable[..., object]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(thing).parameters
    return {name: p for name, p in parameters.items() if name not in ("self", "cls")}


DOCUMENTED = [pytest.param(thing, id=name) for name, thing in OBJECTS.items()]
DOCUMENTED += list(public_methods())
ROUTINES = [param for param in DOCUMENTED if inspect.isroutine(param.values[0])]


class TestDocstrings:
    @pytest.mark.parametrize("thing", DOCUMENTED)
    def test_summary_is_one_sentence_on_one_line(self, thing: object) -> None:
        summary = sections(thing)[""].split("\n\n")[0].strip()
        assert re.fullmatch(r"[^\n]+[.]", summary), summary

    @pytest.mark.parametrize("thing", ROUTINES)
    def test_parameters_are_those_of_the_signature(self, thing: Callable[..., object]) -> None:
        assert list(documented_parameters(thing)) == list(signature_parameters(thing))

    @pytest.mark.parametrize("thing", ROUTINES)
    def test_returns(self, thing: Callable[..., object]) -> None:
        returned = inspect.signature(thing).return_annotation
        assert returned is not inspect.Signature.empty
        if returned not in (None, "None"):
            assert {"Returns", "Yields"} & set(sections(thing))

    @pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
    def test_estimators_document_parameters_and_attributes(self, estimator: Any) -> None:
        assert list(documented_parameters(estimator)) == list(signature_parameters(estimator))
        assert "Attributes" in sections(estimator)
        assert "Examples" in sections(estimator)

    @pytest.mark.parametrize("thing", DOCUMENTED)
    def test_stated_defaults_are_true(self, thing: Any) -> None:
        try:
            parameters = signature_parameters(thing)
        except ValueError:  # classes that inherit their signature
            return
        for name, text in documented_parameters(thing).items():
            stated = re.search(r"default=(.+)$", text or "")
            if stated is None or " and " in stated[1]:
                continue
            assert ast.literal_eval(stated[1]) == parameters[name].default, name


class TestSignatures:
    @pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
    def test_constructors_store_parameters_untouched(self, estimator: Any) -> None:
        given = {name: object() for name in signature_parameters(estimator)}
        made = estimator(**given)
        assert all(getattr(made, name) is value for name, value in given.items())

    @pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
    def test_parameters_are_constrained(self, estimator: Any) -> None:
        assert set(estimator._parameter_constraints) == set(signature_parameters(estimator))

    def test_adata_comes_first(self) -> None:
        for name, thing in OBJECTS.items():
            if inspect.isfunction(thing) and "adata" in signature_parameters(thing):
                assert next(iter(signature_parameters(thing))) == "adata", name

    @pytest.mark.parametrize("thing", DOCUMENTED)
    def test_no_mutable_default(self, thing: Any) -> None:
        try:
            parameters = signature_parameters(thing)
        except ValueError:
            return
        assert not [n for n, p in parameters.items() if isinstance(p.default, list | dict | set)]
