"""Every command of the table of tools runs, on small files in the layouts of the tools."""

import re
import shlex
from pathlib import Path
from typing import Any

import anndata
import pytest
from tool_files import (
    LAYOUTS,
    NAC,
    Cells,
    make_anndata,
    write_h5mu,
    write_lines,
    write_zipped_zarr,
)
from typer.testing import CliRunner, Result

from scifate_sklearn.cli import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "your-data.md"
# Enough molecules for the default cell filter.
CELLS = Cells.random(shape=(80, 12), molecules=3000)


def rows() -> dict[str, tuple[list[str], list[str]]]:
    """Return the words of the command of each tool, and the layers of new and total RNA."""
    found = {}
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for line in lines[lines.index("| the tool | the command | new RNA | total RNA |") + 2 :]:
        if not line.startswith("|"):
            break
        tool, command, *layers = (cell.strip() for cell in line.strip("|").split("|"))
        found[tool] = shlex.split(command.strip("`")), [layer.strip("`") for layer in layers]
    return found


ROWS = rows()


def with_layers(**layers: Any) -> anndata.AnnData:
    adata = make_anndata(CELLS)
    adata.layers = layers
    return adata


def write(folder: Path, name: str) -> None:
    """Write the file or folder of the tool that has this name on the page."""
    layers = dict(make_anndata(CELLS).layers)
    labelled = {"new": layers["unspliced"], "total": make_anndata(CELLS).X}
    seurat = with_layers(newRNA=layers["unspliced"])
    seurat.raw = seurat.copy()
    seurat.X = seurat.X * 0.1
    cells = {
        "pyroe.h5ad": make_anndata(CELLS),
        "adata.h5ad": with_layers(**dict(zip(NAC, layers.values(), strict=True))),
        "dynast.h5ad": with_layers(labeled_TC=labelled["new"], total=labelled["total"]),
        "dynamo.h5ad": with_layers(**labelled),
        "nascseq2.h5ad": with_layers(
            new=labelled["new"], old=layers["spliced"] + layers["ambiguous"]
        ),
        "seurat.h5ad": seurat,
    }
    folders = {
        "kb_out": "kb",
        "nascseq2": "nasc-seq2",
        "sample.targets": "grand-slam",
        "GSE131351": "sci-fate",
        "sample.loom": "loom",
        "Solo.out": "starsolo",
        "af_quant": "alevin-fry",
        "data.tsv.gz": "grand-slam-table",
        "TC_matrix.tsv.gz": "scnt-seq",
    }
    if name in cells:
        cells[name].write_h5ad(folder / name)
    elif name == "cells.h5mu":
        write_h5mu(folder, CELLS, new=anndata.AnnData(labelled["new"], seurat.obs, seurat.var))
    elif name == "cells.zarr.zip":
        write_zipped_zarr(folder, CELLS)
    else:
        written = folder / "written"
        written.mkdir()
        LAYOUTS[folders[name]].write(written, CELLS).rename(folder / name)


def invoke(words: list[str]) -> Result:
    result = CliRunner().invoke(app, words[1:])
    assert result.exit_code == 0, result.stderr
    return result


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tool", ROWS)
def test_commands(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words, (new, total) = ROWS[tool]
    write(tmp_path, words[2])
    for name in ("tfs.txt", "TFS.txt"):
        write_lines(tmp_path / name, [*CELLS.symbols[:6], *CELLS.genes[:6]])
    run = words
    if words[1] == "convert":
        run = shlex.split(invoke(words).stdout.splitlines()[-1])
    if new != "its layers":
        assert run[run.index("--new") + 1] == new
        assert run[run.index("--total") + 1] == total
    invoke(run)
    out = Path(run[run.index("--out") + 1])
    assert re.match("TF,target,coef,", (out / "links.csv").read_text())


def test_every_tool_has_a_row() -> None:
    assert len(ROWS) >= 18
    converted = {words[2] for words, _ in ROWS.values() if words[1] == "convert"}
    assert len(converted) >= 9
