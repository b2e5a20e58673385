"""Rules of the source code that hold for every module: imports, names and sizes."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import scifate_sklearn

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(scifate_sklearn.__file__).parent
NAME = "scifate_sklearn"

# Modules that users import. All others are packages, or begin with an underscore.
PUBLIC_MODULES = {
    "filters.base",
    "filters.evidence",
    "ledger",
    "linear_model",
    "ranking",
    "regressor",
}
# In lines, docstrings excluded.
LONGEST_BODY = 33
LONGEST_MODULE = 400


def module_name(path: Path) -> str:
    """Return the name of a module within the package, "" for the package itself."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in PATHS.items()}
PACKAGES = {name for name, path in PATHS.items() if path.name == "__init__.py"}
# A package that loads lazily imports its names only in its stub.
STUBS = {
    name: ast.parse(PATHS[name].with_suffix(".pyi").read_text(encoding="utf-8"))
    for name in PACKAGES
    if PATHS[name].with_suffix(".pyi").is_file()
}
by_module = pytest.mark.parametrize("name", list(PATHS), ids=lambda name: name or NAME)


def relative_imports(name: str, nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Yield the modules of the package from which `nodes`, part of module `name`, import."""
    package = name.split(".") if name in PACKAGES else name.split(".")[:-1]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            start = [part for part in package if part][: len(package) - node.level + 1]
            source = ".".join([*start, *filter(None, [node.module])])
            for alias in node.names:
                submodule = f"{source}.{alias.name}".lstrip(".")
                yield submodule if submodule in PATHS else source


def at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements that run when a module is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from at_import(node)


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    is_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return body[1:] if is_docstring else body


def docstring_lines(tree: ast.Module) -> set[int]:
    """Return the numbers of the lines of all docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            lines |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return lines


class TestImports:
    @by_module
    def test_are_relative(self, name: str) -> None:
        nodes = list(ast.walk(TREES[name]))
        absolute = {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
        absolute |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
        assert not {module for module in absolute if module.split(".")[0] == NAME}

    @by_module
    def test_of_other_packages_go_through_their_public_modules(self, name: str) -> None:
        """A module may import underscore modules only of the packages that contain it."""
        within = ["", *accumulate(name)]
        for imported in relative_imports(name, ast.walk(TREES[name])):
            parts = imported.split(".")
            hidden = next((i for i, part in enumerate(parts) if part.startswith("_")), None)
            if hidden is not None:
                assert ".".join(parts[:hidden]) in within, imported

    def test_have_no_circle(self) -> None:
        graph = {
            name: {*relative_imports(name, at_import(STUBS.get(name, tree)))} - {name}
            for name, tree in TREES.items()
        }
        try:
            list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            pytest.fail(f"circle: {' -> '.join(error.args[1])}")


def accumulate(name: str) -> list[str]:
    """Return the packages that contain a module, and the module itself.

    >>> accumulate("a.b._c")
    ['a', 'a.b', 'a.b._c']
    """
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


class TestNames:
    def test_modules_that_users_never_import_begin_with_an_underscore(self) -> None:
        visible = {
            name for name in set(PATHS) - PACKAGES if not name.split(".")[-1].startswith("_")
        }
        assert visible <= PUBLIC_MODULES


class TestSizes:
    @by_module
    def test_functions_fit_on_a_screen(self, name: str) -> None:
        for node in ast.walk(TREES[name]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = without_docstring(node.body)
                n_lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                assert n_lines <= LONGEST_BODY, f"{node.name}: {n_lines} lines"

    @by_module
    def test_modules_are_short(self, name: str) -> None:
        lines = PATHS[name].read_text(encoding="utf-8").splitlines()
        assert len(lines) - len(docstring_lines(TREES[name])) <= LONGEST_MODULE


def test_only_one_page_describes_the_layers() -> None:
    """The page is CONTRIBUTING.md; tests/docs compares its table with setup.cfg."""
    if not (ROOT / "CONTRIBUTING.md").is_file():
        pytest.skip(f"there is no CONTRIBUTING.md in {ROOT}")
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *PATHS.values()]
    for page in pages:
        text = " ".join(page.read_text(encoding="utf-8").split())
        assert not re.search(r"imports run one way|imports only from", text, re.IGNORECASE), page
