import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import average_precision_score

from scifate_sklearn.datasets import LabelledCells, make_labelled_cells

Floats = NDArray[np.float64]

# Bursts are the only noise: everything is captured and recognized, all cells have one size.
PERFECT: dict[str, Any] = {
    "capture_efficiency": 1.0,
    "labelling_efficiency": 1.0,
    "cell_size_log_sd": 0.0,
}
# No regulation: every gene of every cell is transcribed at its base rate.
IDLE: dict[str, Any] = {"links_per_target": 0, "tf_log_sd": 0.0}


def dense(cells: LabelledCells, layer: str) -> Floats:
    return np.asarray(cells.adata.layers[layer].toarray(), dtype=np.float64)


def surviving(cells: LabelledCells, hours: float = 2.0) -> Floats:
    return np.exp2(-hours / cells.adata.var["half_life"].to_numpy())


def true_effects(cells: LabelledCells) -> Floats:
    """Return the effects as a matrix, TFs × targets."""
    targets = cells.adata.var_names[~cells.adata.var["is_tf"]]
    effects = np.zeros((len(cells.tf_names), len(targets)))
    tf = pd.Index(cells.tf_names).get_indexer(cells.network["TF"])
    effects[tf, targets.get_indexer(cells.network["target"])] = cells.network["effect"]
    return effects


def normalized(cells: LabelledCells, layer: str) -> Floats:
    """Return z-scored log counts, as in the paper."""
    total = dense(cells, "total").sum(axis=1)
    size_factor = total / np.exp(np.log(total).mean())
    values = np.log(dense(cells, layer) / size_factor[:, None] + 0.1)
    return (values - values.mean(axis=0)) / values.std(axis=0)


def correlations(cells: LabelledCells, layer: str) -> Floats:
    """Correlate the total RNA of the TFs with a layer of the targets."""
    is_tf = cells.adata.var["is_tf"].to_numpy()
    tfs, targets = normalized(cells, "total")[:, is_tf], normalized(cells, layer)[:, ~is_tf]
    return tfs.T @ targets / len(tfs)


def aupr_of_regression(cells: LabelledCells, layer: str) -> float:
    """Rank the pairs by the coefficients of least squares on all TFs."""
    is_tf = cells.adata.var["is_tf"].to_numpy()
    tfs, targets = normalized(cells, "total")[:, is_tf], normalized(cells, layer)[:, ~is_tf]
    coef = np.linalg.lstsq(tfs, targets)[0]
    return float(average_precision_score(true_effects(cells).ravel() != 0, np.abs(coef).ravel()))


@pytest.fixture(scope="module")
def cells() -> LabelledCells:
    return make_labelled_cells(1500, 30, 150, random_state=0)


class TestLayout:
    def test_shapes_and_types(self, cells: LabelledCells) -> None:
        adata = cells.adata
        assert adata.shape == (1500, 180)
        for matrix in (adata.X, adata.layers["new"], adata.layers["total"]):
            assert isinstance(matrix, sparse.csr_matrix)
            assert matrix.dtype == np.float32
        assert adata.X is not adata.layers["total"]
        assert list(adata.obs) == ["size", "capture", "labelling"]
        assert list(adata.var) == ["is_tf", "molecules", "half_life", "burst_size"]
        assert list(adata.var_names[adata.var["is_tf"]]) == cells.tf_names
        assert adata.obs_names.is_unique
        assert adata.var_names.is_unique

    def test_counts_are_counts(self, cells: LabelledCells) -> None:
        new, total = dense(cells, "new"), dense(cells, "total")
        assert (new >= 0).all()
        assert (new <= total).all()
        np.testing.assert_array_equal(total, np.round(total))
        np.testing.assert_array_equal(new, np.round(new))

    def test_tables(self, cells: LabelledCells) -> None:
        assert list(cells.network.columns) == ["TF", "target", "effect"]
        assert list(cells.reference.columns) == ["TF", "target", "peak"]
        assert set(cells.reference["peak"]) == {0, 1}
        assert len(cells.reference) == 30 * 179
        assert not cells.reference.duplicated(["TF", "target"]).any()
        assert (cells.reference["TF"] != cells.reference["target"]).all()
        assert not set(cells.network["target"]) & set(cells.tf_names)

    def test_written_and_read_back(self, cells: LabelledCells, tmp_path: Path) -> None:
        cells.adata.write_h5ad(tmp_path / "cells.h5ad")
        again = anndata.read_h5ad(tmp_path / "cells.h5ad")
        assert (again.layers["new"] != cells.adata.layers["new"]).nnz == 0

    def test_paper_filters_keep_nearly_all(self, cells: LabelledCells) -> None:
        assert ((dense(cells, "new") > 0).mean(axis=0) > 0.1).mean() > 0.95
        assert (dense(cells, "total").sum(axis=1) > 200).mean() > 0.95

    def test_smallest(self) -> None:
        tiny = make_labelled_cells(1, 1, 1, random_state=0)
        assert tiny.adata.shape == (1, 2)
        assert len(tiny.network) == 1


class TestSeed:
    def test_same_seed_same_bits(self, cells: LabelledCells) -> None:
        again = make_labelled_cells(1500, 30, 150, random_state=0)
        for layer in ("new", "total"):
            np.testing.assert_array_equal(dense(again, layer), dense(cells, layer))
        pd.testing.assert_frame_equal(again.network, cells.network)
        pd.testing.assert_frame_equal(again.reference, cells.reference)
        pd.testing.assert_frame_equal(again.adata.obs, cells.adata.obs)

    def test_other_seed_other_cells(self, cells: LabelledCells) -> None:
        other = make_labelled_cells(1500, 30, 150, random_state=1)
        assert (dense(other, "total") != dense(cells, "total")).any()
        assert not other.network.equals(cells.network)

    def test_parts_have_separate_random_streams(self, cells: LabelledCells) -> None:
        fewer = make_labelled_cells(20, 30, 150, random_state=0)
        pd.testing.assert_frame_equal(fewer.network, cells.network)
        pd.testing.assert_frame_equal(fewer.reference, cells.reference)
        pd.testing.assert_frame_equal(fewer.adata.var, cells.adata.var)
        worse = make_labelled_cells(1500, 30, 150, sensitivity=0.1, random_state=0)
        np.testing.assert_array_equal(dense(worse, "new"), dense(cells, "new"))

    def test_generator_advances(self) -> None:
        rng = np.random.default_rng(5)
        first, second = (make_labelled_cells(20, 3, 9, random_state=rng) for _ in range(2))
        assert (dense(first, "total") != dense(second, "total")).any()
        assert make_labelled_cells(5, 2, 3).adata.shape == (5, 5)


class TestEquations:
    def test_means_given_the_cell(self) -> None:
        cells = make_labelled_cells(4000, 20, 60, **IDLE, random_state=2)
        obs, var = cells.adata.obs, cells.adata.var
        expected_total = np.outer(obs["size"] * obs["capture"], var["molecules"])
        expected_new = (
            expected_total * (1 - surviving(cells)) * obs["labelling"].to_numpy()[:, None]
        )
        for layer, expected in (("total", expected_total), ("new", expected_new)):
            counts = dense(cells, layer)
            np.testing.assert_allclose(counts.sum(axis=0), expected.sum(axis=0), rtol=0.15)
            np.testing.assert_allclose(
                counts.sum(axis=1).mean(), expected.sum(axis=1).mean(), rtol=0.02
            )
            assert np.corrcoef(counts.sum(axis=1), expected.sum(axis=1))[0, 1] > 0.9

    def test_labelled_share(self) -> None:
        cells = make_labelled_cells(3000, 40, 40, **IDLE, labelling_hours=3.0, random_state=3)
        share = dense(cells, "new").sum(axis=0) / dense(cells, "total").sum(axis=0)
        np.testing.assert_allclose(share, 0.8 * (1 - surviving(cells, 3.0)), atol=0.04)

    def test_bursty_variance(self) -> None:
        cells = make_labelled_cells(20000, 5, 15, **PERFECT, **IDLE, random_state=4)
        e, b = surviving(cells), cells.adata.var["burst_size"].to_numpy()
        new, total = dense(cells, "new"), dense(cells, "total")
        for counts, fano in ((new, 1 + b * (1 + e)), (total - new, 1 + b * e), (total, 1 + b)):
            np.testing.assert_allclose(counts.var(axis=0) / counts.mean(axis=0), fano, rtol=0.1)

    def test_targets_respond_log_linearly_to_the_present_tf(self) -> None:
        # Everything is captured, so the counted TF molecules are those that regulated the targets.
        cells = make_labelled_cells(
            5000,
            1,
            8,
            links_per_target=1,
            effect_size=0.4,
            state_memory=1,
            **PERFECT,
            random_state=5,
        )
        z = np.log(dense(cells, "total")[:, :1] + 1)
        z = (z - z.mean(axis=0)) / z.std(axis=0)
        slopes = [
            PoissonRegressor(alpha=0).fit(z, new).coef_[0] for new in dense(cells, "new")[:, 1:].T
        ]
        np.testing.assert_allclose(slopes, true_effects(cells)[0], atol=0.05)

    @pytest.mark.parametrize(("memory", "low", "high"), [(0.0, -0.06, 0.06), (1.0, 0.8, 1.0)])
    def test_old_rna_remembers_the_past(self, memory: float, low: float, high: float) -> None:
        cells = make_labelled_cells(
            4000, 1, 10, links_per_target=1, effect_size=0.6, state_memory=memory,
            tf_half_life=0.2, molecules=200, activator_share=1.0, **PERFECT, random_state=6,
        )  # fmt: skip
        old = dense(cells, "total")[:, 1:] - dense(cells, "new")[:, 1:]
        tf = dense(cells, "total")[:, 0]
        mean = np.mean([np.corrcoef(np.log(tf + 1), np.log(gene + 1))[0, 1] for gene in old.T])
        assert low < mean < high

    def test_programmes_correlate_the_tfs(self) -> None:
        def mean_correlation(share: float) -> float:
            cells = make_labelled_cells(
                3000, 12, 1, n_programmes=1, programme_share=share, molecules=300,
                tf_half_life=0.2, **PERFECT, random_state=7,
            )  # fmt: skip
            matrix = np.corrcoef(np.log(dense(cells, "total")[:, :12] + 1).T)
            return float(np.abs(matrix[np.triu_indices(12, 1)]).mean())

        # With a single programme every loading is ±1, so that states correlate with the share.
        assert mean_correlation(0.0) < 0.03
        assert mean_correlation(0.5) == pytest.approx(0.5, abs=0.06)

    def test_efficiencies(self) -> None:
        obs = make_labelled_cells(5000, 1, 1, random_state=8).adata.obs
        assert obs["capture"].mean() == pytest.approx(0.1, abs=0.005)
        assert obs["labelling"].mean() == pytest.approx(0.8, abs=0.005)
        assert obs["labelling"].var() == pytest.approx(0.8 * 0.2 / 51, rel=0.1)
        assert obs["size"].mean() == pytest.approx(1.0, abs=0.02)
        assert np.log(obs["size"]).std() == pytest.approx(0.3, rel=0.05)

    def test_network(self) -> None:
        cells = make_labelled_cells(2, 50, 2000, random_state=9)
        size = cells.network["effect"].abs()
        assert len(cells.network) == pytest.approx(3 * 2000, rel=0.05)
        assert (cells.network["effect"] > 0).mean() == pytest.approx(0.7, abs=0.03)
        assert size.mean() == pytest.approx(0.25, rel=0.03)
        assert size.between(0.125, 0.375).all()

    def test_reference(self) -> None:
        cells = make_labelled_cells(
            2, 50, 1000, sensitivity=0.6, false_positive_rate=0.2, random_state=10
        )
        judged = cells.reference.merge(cells.network, how="left", on=["TF", "target"])
        is_link = judged["effect"].notna()
        assert is_link.sum() == len(cells.network)
        assert judged["peak"][is_link].mean() == pytest.approx(0.6, abs=0.03)
        assert judged["peak"][~is_link].mean() == pytest.approx(0.2, abs=0.01)

    def test_perfect_reference(self) -> None:
        cells = make_labelled_cells(2, 9, 50, sensitivity=1, false_positive_rate=0, random_state=11)
        bound = cells.reference.query("peak == 1")[["TF", "target"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(bound, cells.network[["TF", "target"]])


class TestRecovery:
    def test_correlation_finds_links_but_not_all(self, cells: LabelledCells) -> None:
        is_link = true_effects(cells) != 0
        aupr = average_precision_score(is_link.ravel(), np.abs(correlations(cells, "new")).ravel())
        assert 3 * is_link.mean() < aupr < 0.95

    def test_signs_are_right(self, cells: LabelledCells) -> None:
        effects = true_effects(cells)
        same = np.sign(correlations(cells, "new")) == np.sign(effects)
        assert same[effects != 0].mean() > 0.85

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(3))
    def test_new_response_beats_total_response(self, seed: int) -> None:
        cells = make_labelled_cells(1500, 30, 150, random_state=seed)
        assert aupr_of_regression(cells, "new") > aupr_of_regression(cells, "total") + 0.03


class TestArguments:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("n_cells", 0),
            ("n_tfs", -1),
            ("n_targets", 1.5),
            ("links_per_target", -1),
            ("effect_size", float("nan")),
            ("activator_share", 1.2),
            ("programme_share", -0.1),
            ("n_programmes", 0),
            ("state_memory", 2),
            ("molecules", 0),
            ("half_life", 0),
            ("capture_efficiency", 0),
            ("labelling_efficiency", 1.01),
            ("sensitivity", "high"),
            ("random_state", -1),
        ],
    )
    def test_out_of_range(self, name: str, value: object) -> None:
        message = f"The {name!r} parameter of make_labelled_cells must be"
        with pytest.raises(ValueError, match=re.escape(message)):
            make_labelled_cells(**{name: value})  # type: ignore[arg-type]

    def test_effects_that_are_too_large(self) -> None:
        with pytest.raises(ValueError, match="`effect_size` and `links_per_target` together"):
            make_labelled_cells(50, 50, 50, links_per_target=50, effect_size=2, random_state=0)

    def test_more_links_than_pairs_links_all(self) -> None:
        cells = make_labelled_cells(3, 2, 4, links_per_target=9, effect_size=0.1, random_state=0)
        assert len(cells.network) == 8


def test_import_loads_no_anndata() -> None:
    code = "import sys, scifate_sklearn.datasets; sys.exit('anndata' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
