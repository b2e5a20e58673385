"""Activity of TFs: least squares, decoupler, storage, and what is refused or reported."""

import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import scipy.stats

from scifate_sklearn import combine_links, open_anndata, tf_activity
from scifate_sklearn.datasets import make_labelled_cells

ulm = pytest.mark.usefixtures("decoupler")


@pytest.fixture
def decoupler():
    return pytest.importorskip("decoupler", minversion="2.1", reason="decoupler is not installed")


@pytest.fixture(scope="module")
def simulated():
    return make_labelled_cells(60, 5, 40, molecules=300, random_state=0)


def log_normalised(counts):
    size = np.asarray(counts.sum(axis=1)).ravel()
    return sp.csr_matrix(sp.diags(1e4 / size) @ counts).log1p()


@pytest.fixture
def adata(simulated):
    adata = simulated.adata.copy()
    adata.X = log_normalised(adata.layers["total"])
    return adata


@pytest.fixture
def links(simulated):
    return simulated.network.rename(columns={"effect": "coef"})


def least_squares(expression, links, tf):
    """Return the t statistic of the slope and its p-value in each cell."""
    own = links[links["TF"] == tf].set_index("target")["coef"]
    weight = own.reindex(expression.columns).fillna(0).to_numpy()
    X = np.column_stack([np.ones(len(weight)), weight])
    t = []
    for y in expression.to_numpy():
        beta, (rss,), *_ = np.linalg.lstsq(X, y, rcond=None)
        variance = rss / (len(y) - 2) * np.linalg.inv(X.T @ X)[1, 1]
        t.append(beta[1] / np.sqrt(variance))
    return np.array(t), 2 * scipy.stats.t.sf(np.abs(t), len(weight) - 2)


@ulm
class TestNumbers:
    def test_least_squares(self, adata, links):
        activity, q = tf_activity(adata, links)
        expression = adata.to_df()
        p = pd.DataFrame(index=q.index)
        for tf in activity:
            t, p[tf] = least_squares(expression, links, tf)
            np.testing.assert_allclose(activity[tf], t, rtol=1e-8)
        adjusted = scipy.stats.false_discovery_control(p, axis=1)
        # decoupler adjusts them in single precision.
        np.testing.assert_allclose(q, adjusted, rtol=1e-6)

    def test_decoupler_itself(self, adata, links, decoupler):
        """It leaves out genes that no cell has, also if their rows are in several chunks."""
        adata.X = adata.X @ sp.diags((np.arange(adata.n_vars) > 2).astype(float))
        network = links.set_axis(["source", "target", "weight"], axis=1)
        scores, q = decoupler.mt.ulm(adata.to_df(), network, tmin=5)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("scifate_sklearn.anndata_io._expression._CHUNK_ENTRIES", 700)
            own = tf_activity(adata, links)
        assert own.activity.columns.tolist() == sorted(scores)
        np.testing.assert_allclose(own.activity, scores[own.activity.columns], rtol=1e-10)
        np.testing.assert_allclose(own.q, q[own.q.columns], rtol=1e-10)

    def test_activity_follows_the_tf(self, adata, links):
        """The links have signs, so activities follow activators and repressors alike."""
        activity = tf_activity(adata, links).activity
        own = adata.to_df()[activity.columns]
        r = [np.corrcoef(activity[tf], own[tf])[0, 1] for tf in activity]
        assert np.median(r) > 0.3
        opposite = tf_activity(adata, links.assign(coef=-links["coef"]), key_added=None).activity
        np.testing.assert_allclose(opposite, -activity, rtol=1e-8)

    def test_scale_of_the_coefficients_does_not_matter(self, adata, links):
        larger = links.assign(coef=links["coef"] * 17)
        pd.testing.assert_frame_equal(
            tf_activity(adata, larger).activity, tf_activity(adata, links).activity
        )


@ulm
class TestStorage:
    def test_written_in_place_and_to_a_file(self, adata, links, tmp_path):
        before = adata.copy()
        activity = tf_activity(adata, links).activity
        assert sorted(adata.obsm) == ["tf_activity", "tf_activity_q"]
        adata.write_h5ad(tmp_path / "cells.h5ad")
        with open_anndata(tmp_path / "cells.h5ad", ["X"]) as stored:
            again = tf_activity(stored, links, key_added=None)
        pd.testing.assert_frame_equal(again.activity, activity)
        assert (adata.X != before.X).nnz == 0
        assert (list(adata.layers), list(adata.uns)) == (list(before.layers), list(before.uns))

    def test_read_back(self, adata, links, tmp_path):
        anndata = pytest.importorskip("anndata")
        activity, q = tf_activity(adata, links, key_added="own")
        adata.write_h5ad(tmp_path / "cells.h5ad")
        stored = anndata.read_h5ad(tmp_path / "cells.h5ad")
        pd.testing.assert_frame_equal(stored.obsm["own"], activity, check_names=False)
        pd.testing.assert_frame_equal(stored.obsm["own_q"], q, check_names=False)

    def test_returned_only(self, adata, links):
        activity, q = tf_activity(adata, links, key_added=None)
        assert not adata.obsm.keys()
        assert activity.shape == q.shape == (60, 5)
        assert activity.index.equals(adata.obs_names)

    @pytest.mark.parametrize("kind", ["dense", "csc", "dask", "view"])
    def test_kinds_of_matrices(self, kind, adata, links):
        expected = tf_activity(adata, links, key_added=None).activity
        if kind == "dask":
            dask = pytest.importorskip("dask.array")
            adata.X = dask.from_array(adata.X.toarray(), chunks=(13, 20))
        elif kind == "view":
            adata = adata[np.arange(60)]
        else:
            adata.X = adata.X.toarray() if kind == "dense" else adata.X.tocsc()
        found = tf_activity(adata, links, key_added=None).activity
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9)


@ulm
class TestMatrix:
    def test_found_beside_counts(self, adata, links):
        expected = tf_activity(adata, links).activity
        adata.layers["mine"], adata.X = adata.X, adata.layers["total"]
        pd.testing.assert_frame_equal(tf_activity(adata, links).activity, expected)
        adata.layers["again"] = adata.layers["mine"]
        with pytest.raises(ValueError, match=r"Several layers .*'mine', 'again'"):
            tf_activity(adata, links)

    def test_found_in_raw(self, adata, links):
        expected = tf_activity(adata, links).activity
        adata.raw = adata
        dense = adata.X.toarray()
        adata.X = (dense - dense.mean(axis=0)) / dense.std(axis=0)
        pd.testing.assert_frame_equal(tf_activity(adata, links).activity, expected)
        scaled = tf_activity(adata, links, layer="X").activity
        assert not np.allclose(scaled, expected)

    def test_normalised_without_logarithm(self, adata, links):
        adata.layers["cp10k"] = adata.X.expm1()
        with pytest.warns(UserWarning, match="does not seem to hold log-normalised expression"):
            tf_activity(adata, links, layer="cp10k")

    def test_symbols(self, adata, links):
        expected = tf_activity(adata, links).activity
        adata.var["symbol"] = adata.var_names.to_numpy()
        adata.var_names = [f"ENSG{i:011d}" for i in range(adata.n_vars)]
        found = tf_activity(adata, links, gene_symbols="symbol").activity
        pd.testing.assert_frame_equal(found, expected)
        with pytest.raises(ValueError, match="No target of `links` is in the expressed genes"):
            tf_activity(adata, links)


@ulm
class TestReports:
    def test_tfs_with_few_targets_are_named_once(self, adata, links):
        sizes = links["TF"].value_counts()
        least = int(sizes.iloc[1])
        with pytest.warns(UserWarning, match="get no activity") as caught:
            activity = tf_activity(adata, links, min_targets=least).activity
        few = sorted(sizes.index[sizes < least])
        assert len(caught) == 1
        message = str(caught[0].message)
        assert f"{len(few)} of 5 TFs" in message
        assert all(repr(tf) in message for tf in few)
        assert activity.columns.tolist() == sorted(sizes.index[sizes >= least])
        assert caught[0].filename == __file__

    def test_targets_that_are_no_genes_do_not_count(self, adata, links):
        own = links[links["TF"] == "TF1"]
        lost = own["target"].iloc[: len(own) - 4].tolist()
        others = adata[:, ~adata.var_names.isin(lost)].copy()
        with pytest.warns(UserWarning, match="1 of 5 TFs get no activity.*'TF1'"):
            tf_activity(others, links)

    def test_no_tf_is_left(self, adata, links):
        with pytest.raises(ValueError, match="None of the 5 TFs of `links` has the 41 targets"):
            tf_activity(adata, links, min_targets=41)

    def test_cells_without_expression(self, adata, links):
        expected = tf_activity(adata, links).activity
        adata.X = sp.diags((np.arange(60) != 7).astype(float)) @ adata.X
        with pytest.warns(UserWarning, match="1 of 60 cells get no activity"):
            found = tf_activity(adata, links).activity
        assert found.iloc[7].isna().all()
        kept = np.arange(60) != 7
        np.testing.assert_allclose(found[kept], expected[kept], rtol=1e-9)

    def test_links_without_signs(self, adata, links):
        with pytest.warns(UserWarning, match="All links have the `coef` 1"):
            tf_activity(adata, links.assign(coef=1))

    def test_hostile_names(self, adata, links):
        """Names are kept as they are, even where arrays of text would cut or mix them."""
        names = {"TF1": "TF1\0", "TF2": "0", "TF3": "1", "TF4": "<b>\x1b[31m", "TF5": "x" * 10_000}
        expected = tf_activity(adata, links, key_added=None).activity.rename(columns=names)
        found = tf_activity(adata, links.replace({"TF": names}), key_added=None).activity
        assert set(found) == set(names.values())
        pd.testing.assert_frame_equal(found[expected.columns], expected, check_names=False)


@ulm
class TestLinks:
    def test_repeated_rows_and_zeros_do_not_count(self, adata, links):
        expected = tf_activity(adata, links).activity
        zero = links.iloc[:3].assign(coef=0.0, TF="TF5", target=adata.var_names[:3])
        more = pd.concat([links, links.iloc[:9], zero]).assign(
            Conf="peak", r2=range(len(links) + 12)
        )
        pd.testing.assert_frame_equal(tf_activity(adata, more).activity, expected)

    @pytest.mark.parametrize("n_common", [0, 5])
    def test_combined_links_are_one_network(self, n_common, adata, links):
        half = len(links) // 2
        combined = combine_links(links.iloc[: half + n_common], links.iloc[half:])
        assert {"Full", "New"} <= {*combined["group"]}
        pd.testing.assert_frame_equal(
            tf_activity(adata, combined).activity, tf_activity(adata, links).activity
        )

    def test_group_labels_of_one_network_are_no_groups(self, adata, links):
        labels = np.resize(["both", "Full"], len(links))
        pd.testing.assert_frame_equal(
            tf_activity(adata, links.assign(group=labels)).activity,
            tf_activity(adata, links).activity,
        )


class TestRefused:
    """Before decoupler is needed."""

    def test_several_groups(self, adata, links):
        other = links.assign(coef=links["coef"] + 1)
        both = pd.concat([links.assign(group="a"), other.assign(group="b")])
        with pytest.raises(ValueError, match=r"several groups \('a', 'b'\)"):
            tf_activity(adata, both)
        with pytest.raises(ValueError, match="repeat a pair with different numbers in coef"):
            tf_activity(adata, both.drop(columns="group"))

    def test_several_groups_without_a_common_pair(self, adata, links):
        apart = links.assign(group=np.resize(["a", "b"], len(links)))
        with pytest.raises(ValueError, match=r"several groups \('a', 'b'\)"):
            tf_activity(adata, apart)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"min_targets": 0}, ValueError, "min_targets"),
            ({"min_targets": 2.5}, ValueError, "min_targets"),
            ({"key_added": 3}, TypeError, "key_added"),
            ({"layer": 3}, TypeError, "layer"),
        ],
    )
    def test_options(self, options, error, message, adata, links):
        with pytest.raises(error, match=message):
            tf_activity(adata, links, **options)

    def test_links_without_coefficients(self, adata, links):
        with pytest.raises(ValueError, match=r"lacks the column\(s\) coef"):
            tf_activity(adata, links.drop(columns="coef"))
        with pytest.raises(ValueError, match="no row with a `coef` other than 0"):
            tf_activity(adata, links.assign(coef=0.0))

    def test_without_decoupler_the_error_names_the_extra(self, adata, links, monkeypatch):
        monkeypatch.setitem(sys.modules, "decoupler", None)
        monkeypatch.setitem(sys.modules, "decoupler.mt", None)
        with pytest.raises(ImportError, match=r"pip install 'scifate_sklearn\[activity\]'"):
            tf_activity(adata, links)
        assert not adata.obsm.keys()


@ulm
class TestRefusedMatrices:
    def test_raw_counts(self, adata, links):
        with pytest.raises(ValueError, match=r"layer 'total' holds whole numbers.*scanpy\.pp"):
            tf_activity(adata, links, layer="total")
        adata.X = adata.layers["total"]
        with pytest.raises(ValueError, match=r"No matrix of adata holds.*'new' holds counts"):
            tf_activity(adata, links)

    def test_layer_that_does_not_exist(self, adata, links):
        with pytest.raises(ValueError, match=r"^`layer` names the layer 'logs'.*are: 'X', 'new'"):
            tf_activity(adata, links, layer="logs")

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_values_that_are_not_finite(self, bad, adata, links):
        adata.X.data[5] = bad
        with pytest.raises(ValueError, match="layer 'X' has values that are NaN or infinite"):
            tf_activity(adata, links, layer="X")

    def test_two_genes(self, adata, links):
        two = adata[:, links["target"].unique()[:2]].copy()
        with pytest.raises(ValueError, match="2 expressed genes"):
            tf_activity(two, links, layer="X", min_targets=1)

    def test_no_expression(self, adata, links):
        adata.X = sp.csr_matrix(adata.shape)
        with pytest.raises(ValueError, match="no value other than 0"):
            tf_activity(adata, links, layer="X")
