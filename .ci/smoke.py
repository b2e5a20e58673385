"""Smoke test of an installed package: imports, command line, and the formats it reads and writes.

Needs nothing but the package; optional packages are tested if they are installed::

    python -m venv somewhere && somewhere/bin/pip install . "anndata==0.11.4"
    somewhere/bin/python .ci/smoke.py

The command is the one beside the interpreter. Files are written to a temporary folder only. With
the argument --quick, only one file of cells is read.
"""

import importlib
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

SCIFATE = Path(sysconfig.get_path("scripts")) / "scifate"
PACKAGES = (
    "numpy", "scipy", "pandas", "scikit-learn", "numba", "joblib", "anndata", "h5py", "zarr",
    "typer", "click", "pyarrow", "networkx", "bokeh", "jinja2",
)  # fmt: skip
OUR_LINES = ("Warning: ", "Error: ", "Usage: ", "Try ", "Compiling ")
LAYERS = ["--cell-filter-umi", "50"]


def scifate(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command, and check its exit code and that it shows no text of a library."""
    done = subprocess.run(
        [SCIFATE, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8"
    )
    shown = f"scifate {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}"
    assert done.returncode == code, f"exit code {done.returncode}, not {code}: {shown}"
    others = [each for each in done.stderr.split("\n") if each and not each.startswith(OUR_LINES)]
    assert not others, f"unexpected text on stderr: {shown}"
    return done


def import_everything() -> None:
    """Import each public name; a warning of a library about its own future is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        package = importlib.import_module("scifate_sklearn")
    for name in package.__all__:
        getattr(package, name)


def write_inputs(folder: Path) -> list[str]:
    """Write the same cells in all formats that can be written here; return their names."""
    import anndata

    from scifate_sklearn.datasets import make_labelled_cells

    cells = make_labelled_cells(n_cells=200, n_tfs=8, n_targets=20, random_state=0)
    adata = cells.adata
    for frame in (adata.obs, adata.var):
        # Not pandas' own type of text, which some versions of anndata do not write.
        frame.index = frame.index.astype(object)
    adata.write_h5ad(folder / "cells.h5ad")
    (folder / "tfs.txt").write_text("\n".join(cells.tf_names) + "\n")
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    if find_spec("pyarrow"):
        cells.reference.to_parquet(folder / "peaks.parquet", index=False)
        write_motifs(folder, cells)
    names = ["cells.h5ad"]
    for zarr_format in (2, 3) if find_spec("zarr") else ():
        if hasattr(anndata.settings, "zarr_write_format"):
            anndata.settings.zarr_write_format = zarr_format
        elif zarr_format == 3:
            continue
        names.append(f"cells{zarr_format}.zarr")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adata.write_zarr(folder / names[-1])
    return names


def write_motifs(folder: Path, cells) -> None:
    """Write rankings of some motifs for each TF, and their annotations."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    genes = list(cells.adata.var_names)
    motifs = [f"motif_{tf}_{i}" for tf in cells.tf_names for i in range(20)]
    ranks = np.array([rng.permutation(len(genes)) for _ in motifs], np.int16)
    rankings = pd.DataFrame(ranks, columns=genes).assign(motifs=motifs)
    rankings.to_feather(folder / "rankings.feather")
    annotations = pd.DataFrame({"motif": motifs, "TF": np.repeat(cells.tf_names, 20)})
    annotations.to_csv(folder / "annotations.csv", index=False)


def run_all(folder: Path, names: list[str]) -> None:
    """Run the command on each format, with all evidence, and compare the links."""
    peaks = "peaks.parquet" if find_spec("pyarrow") else "peaks.csv"
    options = ["--tfs", folder / "tfs.txt", "--encode", folder / peaks, *LAYERS]
    if find_spec("pyarrow"):
        motifs = ["--motifs", folder / "rankings.feather"]
        options += [*motifs, "--motif-annotations", folder / "annotations.csv"]
    expected = None
    for name in names:
        out = folder / f"out-{name}"
        scifate("run", folder / name, *options, "--out", out)
        links = (out / "links.csv").read_bytes()
        assert links.count(b"\n") > 5, "no links"
        assert expected in (None, links), f"{name} gives other links than {names[0]}"
        expected = links
    scifate("run", folder / names[0], *options, "--out", folder / "out-cells.h5ad", code=2)


def export(folder: Path) -> None:
    """Export the links; the library of graphs reads the one that is written without it."""
    scifate("export", folder / "out-cells.h5ad" / "links.csv", "--out", folder / "net.graphml")
    if find_spec("networkx"):
        import networkx as nx
        import pandas as pd

        from scifate_sklearn import to_networkx

        links = pd.read_csv(folder / "out-cells.h5ad" / "links.csv")
        graph = nx.read_graphml(folder / "net.graphml")
        assert graph.edges.keys() == to_networkx(links).edges.keys()


def report(folder: Path) -> None:
    """Write a report on the run; without the packages that it needs, the error names the extra."""
    has_packages = bool(find_spec("bokeh") and find_spec("jinja2"))
    page = folder / "report.html"
    done = scifate(
        "report", folder / "out-cells.h5ad", "--out", page, code=0 if has_packages else 1
    )
    assert page.exists() if has_packages else "scifate_sklearn[report]" in done.stderr


def close_streams(folder: Path) -> None:
    """Run the command with closed standard streams, and compare the links."""
    expected = (folder / "out-cells.h5ad" / "links.csv").read_bytes()
    for number, closed in enumerate(("2>&-", "<&- >&- 2>&-")):
        out = folder / f"out-{number}"
        command = [SCIFATE, "run", folder / "cells.h5ad", "--tfs", folder / "tfs.txt", *LAYERS]
        line = f"{shlex.join(map(str, [*command, '--out', out]))} {closed}"
        assert subprocess.run(["sh", "-c", line]).returncode == 0, line
        assert (out / "links.csv").read_bytes() == expected, line


def use_estimators(folder: Path) -> None:
    """Fit matrices and sums of a file, and compare them; save and load sums."""
    import anndata
    import numpy as np

    from scifate_sklearn import SciFateRegressor, open_anndata, prepare_anndata, prepare_moments

    tf_names = (folder / "tfs.txt").read_text().split()
    with open_anndata(folder / "cells.h5ad") as adata:
        sums = prepare_moments(adata, tf_names, cell_filter_UMI=50)
    sums.save(folder / "sums.npz")
    adata = anndata.read_h5ad(folder / "cells.h5ad")
    inputs = prepare_anndata(adata, tf_names, cell_filter_UMI=50)
    engines = ["gram", "glmnet"] if find_spec("glmnet") else ["gram"]
    for engine in engines:
        SciFateRegressor(engine=engine, path="full").fit(inputs.tf_matrix, inputs.target_matrix)
    fitted = SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix)
    summed = SciFateRegressor().fit_moments(type(sums).load(folder / "sums.npz").moments)
    np.testing.assert_allclose(fitted.coef_, summed.coef_, rtol=0, atol=1e-9)


def misuse(folder: Path) -> None:
    """Check the exit codes of usage errors and of other errors."""
    cells, tfs = folder / "cells.h5ad", folder / "tfs.txt"
    out = folder / "never"
    scifate("run", "--no-such-option", code=2)
    scifate("run", cells, "--out", out, code=2)
    scifate("run", folder / "absent.h5ad", "--tfs", tfs, "--out", out, code=2)
    scifate("run", cells, "--tfs", tfs, "--out", out, "--gene-filter-rate", "2", code=2)
    assert "'nonsense'" in scifate(
        "run", cells, "--tfs", tfs, "--out", out, "--new", "nonsense", code=1
    ).stderr  # fmt: skip
    assert not out.exists()


def main() -> None:
    """Run all checks."""
    is_quick = "--quick" in sys.argv[1:]
    found = [f"{name} {version(name)}" for name in PACKAGES if _is_installed(name)]
    sys.stdout.write(f"Python {sys.version.split()[0]}, {', '.join(found)}\n")
    sys.stdout.flush()
    import_everything()
    assert version("scifate_sklearn") in scifate("--version").stdout
    assert "demo" in scifate("--help").stdout
    assert "--cell-filter-umi" in scifate("run", "--help").stdout
    if not is_quick:
        assert "AUPR" in scifate("demo", "--n-cells", "200").stdout
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = write_inputs(folder)
        run_all(folder, names[:1] if is_quick else names)
        export(folder)
        report(folder)
        if not is_quick:
            close_streams(folder)
        use_estimators(folder)
        misuse(folder)


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ImportError:  # PackageNotFoundError
        return False


if __name__ == "__main__":
    main()
