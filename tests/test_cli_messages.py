"""Ranges in the help of the command line, and messages in the words of its options."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import typer
from sklearn.utils._param_validation import StrOptions
from typer.testing import CliRunner

import scifate_sklearn
from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    MotifLinkFilter,
    MotifRankings,
    SciFateRegressor,
    open_anndata,
    prepare_moments,
)
from scifate_sklearn.anndata_io import read_tf_names
from scifate_sklearn.cli import app
from scifate_sklearn.cli._commands import command_from, flag_of, option_values
from scifate_sklearn.cli._evidence_kinds import evidence_kinds
from scifate_sklearn.cli._options import RULES, DemoOptions, RunOptions
from scifate_sklearn.cli._ranges import NumberRange
from scifate_sklearn.cli._vocabulary import PYTHON_ONLY, in_options
from scifate_sklearn.datasets import make_labelled_cells


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    cells = make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)
    adata = cells.adata
    adata.layers["negative"] = -adata.layers["new"]
    adata.layers["velocity"] = adata.layers["new"].toarray() - 0.5
    adata.write_h5ad(folder / "cells.h5ad")
    (folder / "tfs.txt").write_text("\n".join(cells.tf_names), encoding="utf-8")
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    return folder


@pytest.fixture
def run(files, tmp_path):
    """Return a function that runs `scifate run` and returns exit code and message."""

    def _run(*more):
        arguments = ["run", files / "cells.h5ad", "--tfs", files / "tfs.txt", "--n-jobs", 1,
                     "--cell-filter-umi", 0, "--out", tmp_path / "out", "--overwrite",
                     "-q"]  # fmt: skip
        result = CliRunner().invoke(app, [str(each) for each in (*arguments, *more)])
        return result.exit_code, " ".join(result.stderr.split())

    return _run


# ---------------------------------------------------------------------------------------- ranges


NUMBERS = {"int": int, "float": float}


def numbers():
    """Yield the command, name, and range of each option that is a number."""
    for command, options in (("run", RunOptions), ("demo", DemoOptions)):
        declared = [each for kind in (options, *evidence_kinds()) for each in fields(kind)]
        for each in declared if command == "run" else fields(options):
            if each.type in NUMBERS:
                settings, kind = each.metadata["settings"], NUMBERS[each.type]
                yield pytest.param(command, each.name, kind, settings, id=f"{command} {each.name}")


def parse(command, *arguments):
    """Return the options of a command without running it, or its error message."""
    found = []
    own = typer.Typer(rich_markup_mode=None)
    own.callback()(lambda: None)
    options = {"run": RunOptions, "demo": DemoOptions}[command]
    own.command(command)(command_from(options, found.append))
    given = [__file__, "--tfs", __file__, "--out", "x", "--by", "type"] if command == "run" else []
    result = CliRunner().invoke(own, [command, *given, *arguments])
    if not found:
        assert result.exit_code == 2, result.output
        return " ".join(result.stderr.split())
    return {each.name: value for each, value in option_values(found[0])}


def ends(settings, kind):
    """Return numbers that are accepted, and numbers just beyond."""
    step = (lambda x, sign: x + sign) if kind is int else lambda x, s: np.nextafter(x, s * np.inf)
    good, bad = [settings["min"]], [step(settings["min"], -1)]
    if "max" in settings:
        good, bad = [*good, settings["max"]], [*bad, step(settings["max"], 1)]
    if "below" in settings:
        good, bad = [*good, step(settings["below"], -1)], [*bad, settings["below"]]
    return [repr(kind(x)) for x in good], [repr(kind(x)) for x in bad]


@pytest.mark.parametrize(("command", "name", "kind", "settings"), list(numbers()))
def test_ranges_of_the_help_are_those_that_are_accepted(command, name, kind, settings):
    flag = flag_of(name)
    help_text = " ".join(CliRunner().invoke(app, [command, "--help"]).output.split())
    (text,) = re.findall(rf"{flag} <?\w+>? (.*?) \[default", help_text)
    if "min" not in settings:
        assert name == "n_jobs"
        good, bad = ["-1", "1", "100000", "-100000"], ["0"]
    else:
        good, bad = ends(settings, kind)
        shown = {"max": "from {min:,} to {max:,}", "below": "from {min:,} to below {below:,}"}
        form = next((shown[end] for end in shown if end in settings), "at least {min:,}")
        assert f"({form.format(**settings)})" in text
    for number in good:
        assert parse(command, flag, number)[name] == kind(number)
    never = ["nan", "inf", "-inf", "1e400", "-1e400"] if kind is float else ["1.5", "nan", "1e3"]
    for number in [*bad, *never, "many", ""]:
        assert flag in parse(command, flag, number), number


@pytest.mark.parametrize(
    ("settings", "text", "good", "bad"),
    [
        ({"min": 1}, "of at least 1", [1, 10**400], [0.9, np.nan, np.inf]),
        ({"max": 1000}, "of at most 1,000", [-5, 1000], [1001, np.nan, -np.inf]),
        ({"below": 1}, "below 1", [-5, 0.9], [1, np.nan, -np.inf]),
        ({"min": 0, "below": 1}, "from 0 to below 1", [0, 0.9], [1, -0.1]),
    ],
)
def test_ranges(settings, text, good, bad):
    found = NumberRange.from_settings(settings)
    assert str(found) == text
    assert [found.check(number) for number in good] == good
    for number in bad:
        with pytest.raises(typer.BadParameter, match=f"must be a number {text}, got"):
            found.check(number)


def test_options_without_a_range():
    assert NumberRange.from_settings({"help": ""}) is None


def test_named_rules_are_those_of_the_regressor():
    constraints = SciFateRegressor._parameter_constraints["lambda_rule"]
    (named,) = (each for each in constraints if isinstance(each, StrOptions))
    assert set(RULES) == named.options


@pytest.mark.parametrize("rule", ["1se", "min", "1e-300", "1e300", "0.5"])
def test_accepted_rules(rule):
    assert parse("run", "--lambda-rule", rule)["lambda_rule"] == rule


@pytest.mark.parametrize("rule", ["0", "-1", "nan", "inf", "1e400", "1e-400", "2se", ""])
def test_refused_rules(rule):
    assert "--lambda-rule" in parse("run", "--lambda-rule", rule)


@pytest.mark.parametrize(
    "given",
    [
        ["--gene-filter-rate", "0", "--min-overlap", "0", "--seed", "0", "--coef-threshold", "0"],
        ["--min-overlap", "1", "--seed", str(2**31 - 1), "--coef-threshold", "1e308"],
        ["--gene-filter-rate", "0.99999"],
        ["--cell-filter-umi", "1e308"],
        ["--n-jobs", "-100000", "--lambda-rule", "1e300"],
    ],
    ids=" ".join,
)
def test_accepted_numbers_are_not_refused_later(given, run, files):
    code, message = run("--encode", files / "peaks.csv", *given)
    assert code in (0, 1), message
    assert code == 0 or re.search(r"No (cell|gene) is left", message), message


# -------------------------------------------------------------------------------------- vocabulary

CALLED = (
    prepare_moments,
    open_anndata,
    read_tf_names,
    SciFateRegressor,
    BindingReference.read,
    EncodeLinkFilter,
    MotifRankings.read,
    MotifLinkFilter,
)
# Arguments that no message of these functions tells the user to change.
UNMENTIONED = {
    "path", "reference", "rankings", "annotations", "strict_counting", "tested_targets",
}  # fmt: skip


def arguments():
    return sorted({name for each in CALLED for name in inspect.signature(each).parameters})


@pytest.mark.parametrize("name", list(arguments()))
def test_every_argument_has_an_option_or_is_marked(name):
    text = in_options(f"raise `{name}`, now 3")
    if text == f"raise `{name}`, now 3":
        assert name in UNMENTIONED or not mentioned(name), "no word for the command line"
    else:
        assert re.fullmatch(
            r"raise (--[a-z-]+( or --[a-z-]+)?|CELLS|\w+ \(Python only\)), now 3", text
        )
    assert (name in PYTHON_ONLY) == ("(Python only)" in text)


def modules():
    package = Path(scifate_sklearn.__file__).parent
    unused = ("networks", "resampling", "datasets", "cli", "linear_model.py")
    return [p for p in package.rglob("*.py") if p.relative_to(package).parts[0] not in unused]


@cache
def texts():
    """Return the constant parts of all errors and warnings of modules that the command uses."""
    return list(_texts())


def _texts():
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_warning = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "warn"
            if is_warning or isinstance(node, ast.Raise):
                for each in ast.walk(node):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield each.value


def mentioned(name):
    return any(f"`{name}`" in text for text in texts())


def test_messages_put_arguments_that_are_words_in_backticks():
    """Others cannot be found: "path" and "response" are words of the language."""
    words = [name for name in arguments() if "_" not in name and name != "adata"]
    begins = re.compile(rf"({'|'.join(words)}) (must|names|is|are|has)\b")
    assert [text for text in texts() if begins.match(text)] == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Lower cell_filter_UMI.", "Lower --cell-filter-umi."),
        ("`cell_filter_UMI` = 3", "--cell-filter-umi = 3"),
        ("pass `response='values'`", "pass --response values"),
        ("pass `regulators='values'`", "pass --regulators values"),
        ("`layers` names", "--new or --total names"),
        ("the cells of `adata.obs`", "the cells of obs of CELLS"),
        ("which adata.var does not have", "which var of CELLS does not have"),
        ("adata is empty", "CELLS is empty"),
        ("`n_jobs`=5", "--n-jobs=5"),
        ("raise `tol`", "raise tol (Python only)"),
        # Texts of the user, and words that only look like arguments.
        ("no column 'gene_symbols'", "no column 'gene_symbols'"),
        ("/data/tf_names.txt and tf_names.txt", "/data/tf_names.txt and tf_names.txt"),
        ("a path, layers, my_n_jobs_2", "a path, layers, my_n_jobs_2"),
        ("adata.h5ad", "adata.h5ad"),
        ("`TF` `peak`", "`TF` `peak`"),
    ],
)
def test_words(message, expected):
    assert in_options(message) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--new", "x"], "--new or --total names the layer 'x', which CELLS does not have"),
        (["--new", "negative"], "pass|Pass raw counts, .* or --response values"),
        (["--gene-symbols", "x"], "--gene-symbols names the column 'x', which var of CELLS"),
        (["--cell-filter-umi", "1e9"], "more than --cell-filter-umi = .*Lower --cell-filter-umi"),
        (["--gene-filter-rate", "0.9999"], "Lower --gene-filter-rate, or check --new or --total"),
        (["--strict"], "--strict: requires --encode too"),
        (["--motifs", __file__], "--motifs: requires --motif-annotations too"),
        (["--tfs", __file__], "in --tfs is among"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_errors_name_options(given, message, run):
    code, text = run(*given)
    assert code in (1, 2)
    assert re.search(message, text), text
    python = [name for name in arguments() if "_" in name]
    assert not re.search(rf"(?<!-)\b({'|'.join(python)}|adata)\b", text), text


@pytest.mark.parametrize("path", ["/proc/x", "/dev/null", "{file}", "{file}/a/b"])
def test_a_checkpoint_that_cannot_be_written_is_a_usage_error(path, run, tmp_path):
    (tmp_path / "file").write_text("")
    code, text = run("--checkpoint", path.format(file=tmp_path / "file"))
    assert code == 2
    assert re.search("--checkpoint.*(cannot write to .*; choose another|is a file)", text), text
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_a_refused_run_leaves_no_folder(run, tmp_path):
    folder = tmp_path / "a" / "b"
    assert run("--checkpoint", folder, "--new", "x")[0] == 1
    assert not folder.parent.exists()


def test_warnings_name_options(run, tmp_path):
    assert run("--lambda-rule", "1e-300")[0] == 0
    (warning,) = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["warnings"]
    assert "raise max_iter (Python only), now 100000, or tol (Python only)" in warning


def test_too_few_cells_for_the_folds(files):
    with open_anndata(files / "cells.h5ad") as adata:
        names = read_tf_names(files / "tfs.txt")
        totals = np.sort(np.asarray(adata.layers["total"][:].sum(axis=1)).ravel())
        with pytest.raises(
            ValueError, match=r"^Only 3 cell.* fewer than the 10 folds.*Lower `cell_f"
        ):
            prepare_moments(adata, names, cell_filter_UMI=totals[-4], gene_filter_rate=0)


# ------------------------------------------------------------------------------------ plain locale


SLOW = [pytest.param(place, marks=pytest.mark.slow) for place in ("tfs", "out")]


@pytest.mark.parametrize("place", ["cells", "working folder", *SLOW])
def test_letters_that_the_locale_lacks_are_refused_at_the_start(place, files, tmp_path):
    names = {"cells": "cells.h5ad", "tfs": "tfs.txt", "out": "out", "working folder": "folder"}
    names[place] = "ä" + names[place]
    folder = tmp_path / names["working folder"]
    folder.mkdir()
    for old, new in (("cells.h5ad", names["cells"]), ("tfs.txt", names["tfs"])):
        (folder / new).write_bytes((files / old).read_bytes())
    arguments = ["run", names["cells"], "--tfs", names["tfs"], "--out", names["out"]]
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = subprocess.run(
        [sys.executable, "-m", "scifate_sklearn", *arguments],
        cwd=folder, env={**os.environ, **plain}, capture_output=True, timeout=100,
    )  # fmt: skip
    message = " ".join(ran.stderr.decode(errors="replace").split())
    assert ran.returncode == 2, message
    assert re.search(r"(CELLS|--tfs|--out): .* letters that the locale .* PYTHONUTF8=1", message)
    assert sorted(p.name for p in folder.iterdir()) == sorted([names["cells"], names["tfs"]])
