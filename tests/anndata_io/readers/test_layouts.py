"""Small files in the layout of each tool: known counts, whatever the size of the blocks."""

import gzip
from pathlib import Path

import anndata
import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from tool_files import (
    LAYOUTS,
    N_CELLS,
    N_GENES,
    Cells,
    entries_of,
    mtx,
    write_alevin,
    write_grandslam,
    write_grandslam_table,
    write_kb,
    write_starsolo,
    write_zipped_zarr,
)

from scifate_sklearn import open_anndata
from scifate_sklearn.anndata_io import FORMAT_NAMES, Recognised, convert_cells, read_cells
from scifate_sklearn.anndata_io.readers import Reading, UnsortedError

pytestmark = pytest.mark.filterwarnings("ignore:.*(autosharding|Consolidated metadata)")
KNOWN = Cells.random()


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return LAYOUTS[request.param]


@pytest.fixture
def path(layout, tmp_path):
    return layout.write(tmp_path, KNOWN)


def dense(layers):
    return {name: layer.toarray() for name, layer in layers.items()}


def check_layers(found, expected):
    assert set(found) == set(expected)
    for name, layer in expected.items():
        np.testing.assert_array_equal(found[name], layer, err_msg=name)


def layers_of(adata):
    x = {} if adata.X is None else {"X": adata.X}
    return dense({**x, **adata.layers})


def ordered(adata, layout):
    """Return the cells with the genes in the known order; scNT-seq sorts them."""
    return adata[KNOWN.cells, getattr(KNOWN, layout.names)]


class TestCounts:
    @pytest.mark.parametrize("is_named", [False, True], ids=["auto", "named"])
    def test_read(self, layout, path, is_named):
        adata = read_cells(path, layout.format if is_named else "auto")
        assert adata.shape == (N_CELLS, N_GENES)
        check_layers(layers_of(ordered(adata, layout)), layout.layers(KNOWN))
        source = adata.uns["source"]
        assert (source["new"], source["total"]) == (layout.new, layout.total)
        assert all(sp.issparse(layer) and layer.format == "csr" for layer in adata.layers.values())

    def test_convert(self, layout, path, tmp_path):
        out = tmp_path / "out.h5ad"
        found = Recognised.from_path(path)
        convert_cells(found, out)
        adata, read = anndata.read_h5ad(out), read_cells(path)
        check_layers(layers_of(adata), layers_of(read))
        assert adata.obs_names.equals(read.obs_names)
        assert adata.var.equals(read.var)
        assert adata.uns["source"] == read.uns["source"]
        with open_anndata(out, [layout.new, layout.total]) as opened:
            assert opened.shape == adata.shape

    def test_size_of_blocks(self, layout, path):
        source = Recognised.from_path(path).source
        whole = self.collect(source, Reading())
        for budget in (1, 7, 20):
            check_layers(self.collect(source, Reading(budget=budget, is_sorted=False)), whole)
            try:
                check_layers(self.collect(source, Reading(budget=budget)), whole)
            except UnsortedError:
                assert layout.format in (
                    "scnt-seq",
                    "nasc-seq2",
                    "grand-slam",
                    "grand-slam-table",
                    "sci-fate",
                    "kb",
                )

    def collect(self, source, reading):
        blocks = list(source.blocks(reading))
        assert sum(next(iter(block.values())).shape[0] for block in blocks) == N_CELLS
        return dense({name: sp.vstack([b[name] for b in blocks]) for name in source.layers})

    def test_temporary_files_are_removed(self, path, tmp_path):
        folder = tmp_path / "temporary"
        folder.mkdir()
        source = Recognised.from_path(path).source
        blocks = source.blocks(Reading(budget=1, is_sorted=False, folder=folder))
        next(blocks)
        blocks.close()
        assert not list(folder.iterdir())


class TestNames:
    def test_symbols_are_a_column_or_the_names(self, layout, path):
        found = Recognised.from_path(path).source
        if layout.names == "symbols" or not found.symbols:
            assert list(found.var.index) == sorted(getattr(KNOWN, layout.names))
        else:
            assert list(found.var[found.symbols]) == KNOWN.symbols
            assert list(found.var.index) == KNOWN.genes

    def test_other_columns_are_kept(self, tmp_path):
        loom = read_cells(LAYOUTS["loom"].write(tmp_path, KNOWN))
        assert list(loom.var["Accession"]) == KNOWN.genes
        assert list(loom.var["Start"]) == list(range(N_GENES))
        assert list(loom.obs) == []
        geo = read_cells(LAYOUTS["sci-fate"].write(tmp_path, KNOWN))
        assert list(geo.obs["treatment_time"]) == ["2h"] * N_CELLS

    def test_formats_have_names(self):
        assert {layout.format for layout in LAYOUTS.values()} | {"auto"} == set(FORMAT_NAMES)


class TestVariants:
    @pytest.mark.parametrize("within", ["", "Velocyto", "Velocyto/raw"])
    @pytest.mark.parametrize("old", [False, True])
    def test_folders_of_starsolo(self, within, old, tmp_path):
        path = write_starsolo(tmp_path, KNOWN, ending=".gz", old=old) / within
        if old and not within:
            assert "Velocyto/raw" in read_cells(path).uns["source"]["notes"]
        check_layers(layers_of(read_cells(path)), KNOWN.layers())

    def test_filtered_cells_of_starsolo_are_preferred(self, tmp_path):
        raw = write_starsolo(tmp_path, KNOWN) / "Velocyto" / "raw"
        few = Cells(*(layer[:3] for layer in KNOWN.layers().values()))
        other = write_starsolo(tmp_path / "few", few) / "Velocyto" / "raw"
        other.rename(raw.with_name("filtered"))
        assert read_cells(tmp_path / "Solo.out").n_obs == 3
        assert read_cells(raw).n_obs == N_CELLS

    def test_folders_of_alevin_fry_and_kb(self, tmp_path):
        (tmp_path / "kb").mkdir()
        alevin, kb = write_alevin(tmp_path, KNOWN), write_kb(tmp_path / "kb", KNOWN)
        for path, within in ((alevin, "alevin"), (kb, "counts_unfiltered")):
            check_layers(layers_of(read_cells(path / within)), layers_of(read_cells(path)))
        assert "gene_symbol" not in read_cells(alevin / "alevin").var

    def test_versions_of_grand_slam(self, tmp_path):
        tables = []
        for version in (2, 3):
            (tmp_path / str(version)).mkdir()
            path = write_grandslam_table(tmp_path / str(version), KNOWN, version)
            tables.append(layers_of(read_cells(path)))
        check_layers(*tables)
        check_layers(layers_of(read_cells(write_grandslam(tmp_path, KNOWN))), tables[0])

    def test_samples_without_ratios_have_no_new_rna(self, tmp_path):
        path = write_grandslam_table(tmp_path, KNOWN)
        text = gzip.decompress(path.read_bytes()).decode()
        path.write_bytes(gzip.compress(text.replace("CELL2 4sU", "Other 4sU").encode()))
        adata = read_cells(path)
        assert list(adata.obs["labelled"]) == [i != 2 for i in range(N_CELLS)]
        assert adata.layers["new"][2].nnz == 0
        assert "1 of 9 samples have no NTR" in adata.uns["source"]["notes"]

    def test_a_zarr_folder_within_the_zip_file(self, tmp_path):
        path = write_zipped_zarr(tmp_path, KNOWN, within="cells.zarr")
        check_layers(layers_of(read_cells(path)), {"X": KNOWN.total, **KNOWN.layers()})

    @pytest.mark.parametrize("by", ["row", "column", "none"])
    def test_any_order_of_entries(self, by, tmp_path):
        check_layers(layers_of(read_cells(write_alevin(tmp_path, KNOWN, by))), KNOWN.layers())

    def test_tables_of_r_without_a_field_above_the_row_names(self, tmp_path):
        path = LAYOUTS["scnt-seq"].write(tmp_path, KNOWN)
        plain = read_cells(path)
        text = gzip.decompress(path.read_bytes()).decode()
        quoted = "\t".join(f'"{name}"' for name in KNOWN.cells)
        Path(path).write_text("\n".join([quoted, *text.splitlines()[1:]]) + "\n")
        check_layers(layers_of(read_cells(path)), layers_of(plain))
        assert read_cells(path).obs_names.equals(plain.obs_names)


@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 8)),
    seed=st.integers(0, 5),
    by=st.sampled_from(["row", "column", "none"]),
    budget=st.integers(1, 60),
    separator=st.sampled_from([" ", "\t", "  "]),
    kind=st.sampled_from(["integer", "real"]),
)
def test_matrices_are_those_of_scipy(tmp_path_factory, shape, seed, by, budget, separator, kind):
    """In any order of the entries, any separator, and blocks of any size."""
    rng = np.random.default_rng(seed)
    matrix = rng.poisson(0.7, shape) * (1 if kind == "integer" else rng.random(shape))
    path = tmp_path_factory.mktemp("mtx")
    for name in ("nascent", "mature", "ambiguous"):
        text = mtx(entries_of(matrix, by), shape, kind)
        head, sizes, body = text.partition(f"{shape[0]} {shape[1]}")
        (path / f"x.{name}.mtx").write_text(head + sizes + body.replace(" ", separator))
    (path / "x.barcodes.txt").write_text("".join(f"C{i}\n" for i in range(shape[0])))
    (path / "x.genes.txt").write_text("".join(f"G{i}\n" for i in range(shape[1])))
    source = Recognised.from_path(path).source
    blocks = source.blocks(Reading(budget=budget, is_sorted=False))
    found = sp.vstack([block["nascent"] for block in blocks]).toarray()
    np.testing.assert_array_equal(found, matrix)
    np.testing.assert_array_equal(scipy.io.mmread(path / "x.nascent.mtx").toarray(), matrix)
