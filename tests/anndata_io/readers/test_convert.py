"""`scifate convert`: what it says and writes, and that nothing is left when it fails."""

import os
import shlex
import signal
import subprocess
import sys
import time

import anndata
import numpy as np
import pytest
from tool_files import (
    LAYOUTS,
    NAC,
    Cells,
    make_anndata,
    write_alevin,
    write_h5ad,
    write_h5mu,
    write_kb,
    write_lines,
    write_starsolo,
    write_zipped_zarr,
)
from typer.testing import CliRunner

from scifate_sklearn.cli import app

KNOWN = Cells.random()
# Enough for a fit.
MANY = Cells.random(shape=(80, 12))


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def options_of(line):
    """Return the options of a command that was printed."""
    words = shlex.split(line)
    return {words[i]: words[i + 1] for i in range(len(words) - 1) if words[i].startswith("--")}


@pytest.mark.parametrize("name", LAYOUTS)
def test_says_what_it_found(name, tmp_path):
    layout = LAYOUTS[name]
    path, out = layout.write(tmp_path, KNOWN), tmp_path / "out.h5ad"
    result = invoke("convert", path, "--out", out)
    assert result.exit_code == 0, result.stderr
    first, second, *_, last = result.stdout.splitlines()
    assert first.startswith(f"'{path}' is a")
    assert first.endswith("9 cells, 6 genes.")
    layers = second.removeprefix("Layers: ").removesuffix(".").split(", ")
    assert set(layers) == set(layout.layers(KNOWN))
    options = options_of(last)
    assert (options["--new"], options["--total"]) == (layout.new, layout.total)
    adata = anndata.read_h5ad(out)
    if column := options.get("--gene-symbols"):
        assert list(adata.var[column]) == KNOWN.symbols
    assert not result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["starsolo", "kb", "loom", "h5mu"])
def test_the_printed_command_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = LAYOUTS[name].write(tmp_path, Cells.random(shape=(80, 6)))
    printed = invoke("convert", path, "--out", "cells.h5ad").stdout.splitlines()[-1].split()
    write_lines(tmp_path / "TFS.txt", KNOWN.symbols[:4])
    result = invoke(*printed[1:], "--cell-filter-umi", 0, "--gene-filter-rate", 0)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "RESULTS" / "links.csv").is_file()


def test_unknown_layers_are_left_to_the_user(tmp_path):
    adata = make_anndata(KNOWN)
    adata.layers = {"a": adata.X, "b": adata.X}
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = invoke("convert", tmp_path / "cells.h5ad", "--out", tmp_path / "out.h5ad")
    assert "replace NEW and TOTAL" in result.stdout
    assert "--new NEW --total TOTAL" in result.stdout


def test_names_of_files_are_quoted(tmp_path):
    folder = tmp_path / "my cells; rm x"
    folder.mkdir()
    path = write_kb(folder, KNOWN)
    result = invoke("run", path, "--tfs", __file__, "--out", tmp_path / "o")
    assert f"scifate convert '{path}' --out cells.h5ad" in result.stderr
    out = folder / "out\x1b[2J.h5ad"
    result = invoke("convert", path, "--out", out)
    assert result.exit_code == 0
    assert out.exists()
    assert "\x1b" not in result.stdout


class TestOut:
    @pytest.fixture
    def path(self, tmp_path):
        return write_kb(tmp_path, KNOWN)

    @pytest.mark.parametrize(
        ("out", "message"),
        [
            ("cells.loom", "must end in .h5ad"),
            ("absent/cells.h5ad", "no folder"),
            ("there.h5ad", "exists; choose another name, or add --overwrite"),
            ("folder.h5ad", "directory"),
        ],
    )
    def test_usage_errors(self, path, tmp_path, out, message):
        (tmp_path / "there.h5ad").write_text("mine")
        (tmp_path / "folder.h5ad").mkdir()
        result = invoke("convert", path, "--out", tmp_path / out)
        assert result.exit_code == 2
        assert message in " ".join(result.stderr.split())
        assert (tmp_path / "there.h5ad").read_text() == "mine"

    def test_overwrite(self, path, tmp_path):
        (tmp_path / "out.h5ad").write_text("mine")
        result = invoke("convert", path, "--out", tmp_path / "out.h5ad", "--overwrite", "--quiet")
        assert (result.exit_code, result.stdout) == (0, "")
        assert anndata.read_h5ad(tmp_path / "out.h5ad").n_obs == len(KNOWN.cells)

    def test_the_input(self, tmp_path):
        path = write_h5ad(tmp_path, KNOWN)
        result = invoke("convert", path, "--out", path, "--overwrite")
        assert result.exit_code == 2
        assert "is the input" in result.stderr
        assert anndata.read_h5ad(path).n_obs == len(KNOWN.cells)

    def test_errors_leave_the_earlier_file(self, path, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out/cells.h5ad").write_text("mine")
        (path / "counts_unfiltered/cells_x_genes.ambiguous.mtx").write_text("damaged")
        result = invoke("convert", path, "--out", tmp_path / "out/cells.h5ad", "--overwrite")
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert [each.name for each in (tmp_path / "out").iterdir()] == ["cells.h5ad"]
        assert (tmp_path / "out/cells.h5ad").read_text() == "mine"


def test_errors_name_options(tmp_path):
    path = write_h5mu(tmp_path, KNOWN, other=make_anndata(KNOWN))
    result = invoke("convert", path, "--out", tmp_path / "out.h5ad")
    assert result.exit_code == 1
    assert "name one of them (--modality)" in result.stderr
    result = invoke("convert", path, "--out", tmp_path / "out.h5ad", "--modality", "other")
    assert result.exit_code == 0, result.stderr
    result = invoke("convert", path, "--out", tmp_path / "x.h5ad", "--format", "x")
    assert "--format must be one of auto" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupted_conversion_leaves_nothing(tmp_path):
    """While entries are sorted in temporary files, and while the cells are written."""
    n_cells, n_genes = 300_000, 40
    path = write_alevin(tmp_path, KNOWN)
    rng = np.random.default_rng(0)
    cells, genes = (rng.integers(1, most, 50_000) for most in (n_cells, 3 * n_genes))
    lines = "".join(f"{cell} {gene} 1\n" for cell, gene in zip(cells, genes, strict=True))
    head = f"%%MatrixMarket matrix coordinate integer general\n{n_cells} {3 * n_genes}"
    # Several blocks; repeated entries are added up.
    text = f"{head} {100 * len(cells)}\n{100 * lines}"
    (path / "alevin/quants_mat.mtx").write_text(text)
    write_lines(path / "alevin/quants_mat_rows.txt", [f"C{i}" for i in range(n_cells)])
    write_lines(path / "alevin/quants_mat_cols.txt", [f"G{i}" for i in range(n_genes)])
    out = tmp_path / "out"
    out.mkdir()
    words = [sys.executable, "-m", "scifate_sklearn", "convert", path, "--out", out / "cells.h5ad"]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not any(p.is_dir() for p in out.iterdir()):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate()
    assert process.returncode == 143
    assert b"Terminated" in stderr
    assert not list(out.iterdir())


class TestRun:
    """`scifate run` with files that it reads without conversion."""

    def run(self, tmp_path, path, new, total, out):
        write_lines(tmp_path / "tfs.txt", MANY.genes[:5])
        words = ["--tfs", tmp_path / "tfs.txt", "--new", new, "--total", total]
        few = ["--cell-filter-umi", 0, "--gene-filter-rate", 0]
        result = invoke("run", path, *words, *few, "--out", tmp_path / out)
        assert result.exit_code == 0, result.stderr
        return (tmp_path / out / "links.csv").read_text()

    def test_zipped_zarr_modalities_and_raw(self, tmp_path):
        names = "unspliced", "spliced+unspliced+ambiguous"
        known = self.run(tmp_path, write_h5ad(tmp_path, MANY), *names, "h5ad")
        zipped = write_zipped_zarr(tmp_path, MANY)
        assert self.run(tmp_path, zipped, *names, "zip") == known
        annotated = anndata.read_zarr(tmp_path / "zip" / "annotated.zarr")
        assert "links" in annotated.uns["scifate"]
        new = anndata.AnnData(make_anndata(MANY).layers["unspliced"])
        new.obs_names, new.var_names = MANY.cells, MANY.genes
        h5mu = write_h5mu(tmp_path, MANY, new=new)
        assert self.run(tmp_path, h5mu, "new/X", "rna/X", "h5mu") == known
        assert (tmp_path / "h5mu" / "annotated.h5mu").is_file()
        raw = make_anndata(MANY)
        raw.raw = raw[:, ::-1].copy()
        raw.X = raw.X * 0.5
        raw.write_h5ad(tmp_path / "raw.h5ad")
        assert self.run(tmp_path, tmp_path / "raw.h5ad", "unspliced", "raw/X", "raw") == known

    @pytest.mark.parametrize("name", sorted({*LAYOUTS} - {"h5ad", "zipped zarr", "h5mu"}))
    def test_other_formats_need_the_conversion(self, name, tmp_path):
        (tmp_path / "in").mkdir()
        path = LAYOUTS[name].write(tmp_path / "in", KNOWN)
        write_lines(tmp_path / "tfs.txt", KNOWN.genes)
        result = invoke("run", path, "--tfs", tmp_path / "tfs.txt", "--out", tmp_path / "o")
        assert result.exit_code == 1
        assert f"Convert it: scifate convert {shlex.quote(str(path))} --out" in result.stderr


def test_layers_of_a_folder_and_of_its_parts(tmp_path):
    """The layers add up to the total, in each of the tools."""
    (tmp_path / "kb").mkdir()
    paths = write_starsolo(tmp_path, KNOWN), write_kb(tmp_path / "kb", KNOWN)
    for path, names in zip(paths, (KNOWN.layers(), NAC), strict=True):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.h5ad"
        assert invoke("convert", path, "--out", out).exit_code == 0
        adata = anndata.read_h5ad(out)
        total = sum(adata.layers[name] for name in names).toarray()
        np.testing.assert_array_equal(total, KNOWN.total)
