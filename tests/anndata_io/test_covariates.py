"""Covariates from columns of obs: values, growth, files, estimators and errors."""

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn import (
    DifferentialLinks,
    LinkTest,
    PermutationFDR,
    RidgeRanking,
    RSampleKFold,
    SciFateMoments,
    SciFateRegressor,
    StabilitySelection,
    prepare_anndata,
    prepare_moments,
)
from scifate_sklearn.anndata_io import iterate_cells
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.files import _archive as archive

OPTIONS = {"cell_filter_UMI": 300, "gene_filter_rate": 0.2}
NAMES = ["batch", "phase_score", "is_cycling"]
FEATURES = ["obs:batch[b]", "obs:batch[c]", "obs:phase_score", "obs:is_cycling[True]"]


@pytest.fixture(scope="module")
def cells():
    made = make_labelled_cells(300, 10, 40, effect_size=0.5, molecules=80, random_state=0)
    rng = np.random.default_rng(0)
    obs = made.adata.obs
    obs["batch"] = rng.choice(["a", "b", "c"], 300)
    obs["phase_score"] = 5 + rng.normal(size=300)
    obs["is_cycling"] = rng.random(300) < 0.3
    return made


@pytest.fixture(scope="module")
def inputs(cells):
    return prepare_anndata(cells.adata, cells.tf_names, covariates=NAMES, **OPTIONS)


def zscored(frame):
    frame = frame.astype(float)
    return (frame - frame.mean()) / frame.std(ddof=1)


def as_means(moments):
    """Return the means of x, y, xxᵀ and xyᵀ over all cells, around 0."""
    whole = moments.around(np.zeros(moments.n_features), np.zeros(moments.n_targets)).whole
    return [getattr(whole, name)[0] / whole.n_cells[0] for name in ("x_sum", "y_sum", "xx", "xy")]


class TestValues:
    def test_are_those_of_pandas(self, cells, inputs):
        obs = cells.adata.obs.loc[inputs.cells.index]
        assert 100 < len(obs) < 300
        dummies = pd.get_dummies(obs["batch"]).drop(columns="a").add_prefix("obs:batch[")
        expected = zscored(
            dummies.add_suffix("]").assign(
                **{"obs:phase_score": obs["phase_score"], FEATURES[3]: obs["is_cycling"]}
            )
        )
        assert list(inputs.tf_matrix.columns[-4:]) == list(expected.columns) == FEATURES
        np.testing.assert_allclose(inputs.tf_matrix[FEATURES], expected, rtol=1e-9, atol=1e-9)
        without = prepare_anndata(cells.adata, cells.tf_names, **OPTIONS)
        pd.testing.assert_frame_equal(inputs.tf_matrix.drop(columns=FEATURES), without.tf_matrix)

    @pytest.mark.parametrize("dense", [False, True])
    @pytest.mark.parametrize("chunk_size", [None, 1, 7, 300])
    def test_moments_are_those_of_the_matrices(self, cells, inputs, dense, chunk_size):
        adata = cells.adata.copy()
        if dense:
            adata.layers = {name: layer.toarray() for name, layer in adata.layers.items()}
        prepared = prepare_moments(
            adata, cells.tf_names, covariates=NAMES, chunk_size=chunk_size, **OPTIONS
        )
        assert prepared.feature_names == list(inputs.tf_matrix.columns)
        X, Y = (frame.to_numpy() for frame in inputs[:2])
        expected = [A / len(X) for A in (X.sum(axis=0), Y.sum(axis=0), X.T @ X, X.T @ Y)]
        for own, matrix in zip(as_means(prepared.moments), expected, strict=True):
            np.testing.assert_allclose(own, matrix, rtol=0, atol=1e-12)

    def test_of_dask_arrays(self, cells, inputs):
        da = pytest.importorskip("dask.array", reason="needs the extra `dask`")
        layers = {
            name: da.from_array(sp.csr_array(layer), chunks=(70, -1), asarray=False)
            for name, layer in cells.adata.layers.items()
        }
        adata = ad.AnnData(obs=cells.adata.obs, var=cells.adata.var, layers=layers)
        own = prepare_anndata(adata, cells.tf_names, covariates=NAMES, **OPTIONS)
        pd.testing.assert_frame_equal(own.tf_matrix, inputs.tf_matrix, check_exact=True)
        one, two = (
            prepare_moments(source, cells.tf_names, covariates=NAMES, **OPTIONS).moments
            for source in (adata, cells.adata)
        )
        for own, expected in zip(as_means(one), as_means(two), strict=True):
            np.testing.assert_allclose(own, expected, rtol=0, atol=1e-12)

    @settings(max_examples=25, deadline=None)
    @given(
        # pandas ends text at a NUL.
        levels=st.lists(
            st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=4),
            min_size=2, max_size=5, unique=True,
        ),
        seed=st.integers(0, 1000),
        as_category=st.booleans(),
    )  # fmt: skip
    def test_levels_of_any_text(self, cells, levels, seed, as_category):
        adata = cells.adata[:60].copy()
        given_levels = np.random.default_rng(seed).permutation(np.array(levels * 30, object)[:60])
        order = sorted(levels)[::-1] if as_category else sorted(levels)
        adata.obs["x"] = pd.Categorical(given_levels, order) if as_category else given_levels
        tfs = prepare_anndata(adata, cells.tf_names, cell_filter_UMI=0, covariates=["x"]).tf_matrix
        occurring = [level for level in order if (given_levels == level).any()]
        assert [n for n in tfs if n.startswith("obs:")] == [f"obs:x[{v}]" for v in occurring[1:]]
        for level in occurring[1:]:
            values = tfs[f"obs:x[{level}]"].to_numpy()
            assert ((values > 0) == (given_levels == level)).all()

    def test_only_kept_cells_count(self, cells, inputs):
        """Levels and missing values of other cells are nothing to the covariates."""
        adata = cells.adata.copy()
        adata.obs["batch"] = adata.obs["batch"].astype(object)
        others = ~adata.obs_names.isin(inputs.cells.index)
        adata.obs.loc[others, "batch"] = np.where(np.arange(others.sum()) % 2, "0", None)
        adata.obs.loc[others, "phase_score"] = np.nan
        own = prepare_anndata(adata, cells.tf_names, covariates=NAMES, **OPTIONS)
        pd.testing.assert_frame_equal(own.tf_matrix, inputs.tf_matrix, check_exact=True)

    def test_with_values_of_regulators(self, cells):
        """Without size factors, too."""
        tfs = prepare_anndata(
            cells.adata, cells.tf_names, regulators="values", covariates=["batch"]
        ).tf_matrix
        assert list(tfs.columns[-3:]) == [tfs.columns[-3], *FEATURES[:2]]
        assert not tfs.columns.str.contains("new_size_factor").any()

    def test_constant_columns_are_left_out(self, cells, inputs):
        adata = cells.adata.copy()
        adata.obs["lane"], adata.obs["dose"] = "L1", 3.0
        names = ["lane", *NAMES, "dose"]
        with pytest.warns(UserWarning, match=r"2 of 5 `covariates` have .* \('lane', 'dose'\)"):
            own = prepare_anndata(adata, cells.tf_names, covariates=names, **OPTIONS)
        pd.testing.assert_frame_equal(own.tf_matrix, inputs.tf_matrix, check_exact=True)

    def test_whole_numbers_may_be_codes(self, cells):
        adata = cells.adata.copy()
        adata.obs["donor"] = np.arange(300) % 3
        adata.obs["sex"] = np.arange(300) % 2
        prepare = {"covariates": ["donor", "sex"], **OPTIONS}
        with pytest.warns(UserWarning, match="'donor' of adata.obs holds 3 different whole") as log:
            numbers = prepare_anndata(adata, cells.tf_names, **prepare).tf_matrix
        assert len(log) == 1
        assert list(numbers.columns[-2:]) == ["obs:donor", "obs:sex"]
        adata.obs = adata.obs.astype({"donor": "category", "sex": "category"})
        levels = prepare_anndata(adata, cells.tf_names, **prepare).tf_matrix
        assert list(levels.columns[-3:]) == ["obs:donor[1]", "obs:donor[2]", "obs:sex[1]"]
        np.testing.assert_allclose(levels["obs:sex[1]"], numbers["obs:sex"], rtol=0, atol=1e-12)


class TestNames:
    def test_a_gene_may_have_the_name_of_a_column(self, cells):
        adata = cells.adata.copy()
        tf = cells.tf_names[0]
        adata.obs[tf] = adata.obs["phase_score"]
        tfs = prepare_anndata(adata, cells.tf_names, covariates=[tf], **OPTIONS).tf_matrix
        assert {tf, f"obs:{tf}"} <= set(tfs.columns)
        assert np.abs(np.corrcoef(tfs[tf], tfs[f"obs:{tf}"])[0, 1]) < 0.5
        links = SciFateRegressor(lambda_rule="min").fit(
            tfs, tfs[[tf]] + tfs[[f"obs:{tf}"]].to_numpy()
        )
        assert not links.links_["TF"].str.startswith("obs:").any()

    def test_a_tf_must_not_have_the_name_of_a_predictor(self, cells):
        adata = cells.adata.copy()
        adata.var_names = [*adata.var_names[:-1], "obs:batch[b]"]
        with pytest.raises(ValueError, match=r"TF 'obs:batch\[b\]' has the name of a covariate"):
            prepare_anndata(adata, [*cells.tf_names, "obs:batch[b]"], **OPTIONS)

    def test_predictors_of_the_same_name(self, cells):
        adata = cells.adata.copy()
        adata.obs["batch[b]"] = adata.obs["phase_score"]
        with pytest.raises(ValueError, match=r"same name \('obs:batch\[b\]'\); rename a column"):
            prepare_anndata(adata, cells.tf_names, covariates=["batch", "batch[b]"], **OPTIONS)


MODELS = {
    "regressor": SciFateRegressor(lambda_rule="min"),
    "ranking": RidgeRanking(),
    "permutations": PermutationFDR(SciFateRegressor(lambda_rule="min"), n_permutations=2, fdr=1),
    "t tests": LinkTest(SciFateRegressor(lambda_rule="min"), fdr=1),
    "t tests of halves": LinkTest(SciFateRegressor(lambda_rule="min"), fdr=1, pairs="selected"),
    "stability": StabilitySelection(SciFateRegressor(lambda_rule="min"), n_resamples=4),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_covariates_predict_but_never_link(model, inputs):
    targets = inputs.target_matrix.iloc[:, 10:20].copy()
    for name in FEATURES:  # strong effects of each
        targets += 0.5 * inputs.tf_matrix[[name]].to_numpy()
    model.fit(inputs.tf_matrix, targets)
    assert len(model.links_)
    assert not model.links_["TF"].str.startswith("obs:").any()
    coef = getattr(model, "regressor_", model).coef_
    assert (coef[:, -4:] != 0).all()


def test_covariates_are_predictors_of_both_groups(inputs):
    groups = inputs.tf_matrix[FEATURES[0]].to_numpy() > 0
    compared = DifferentialLinks(SciFateRegressor(lambda_rule="min"), n_permutations=2)
    tfs, targets = inputs.tf_matrix, inputs.target_matrix.iloc[:, :10]
    compared.fit(tfs.drop(columns=FEATURES[:2]), targets, condition=groups)
    assert not compared.differences_["TF"].str.startswith("obs:").any()


def split(cells, is_first):
    return cells.adata[is_first].copy(), cells.adata[~is_first].copy()


class TestGrowth:
    @pytest.mark.parametrize(
        ("levels", "order"),
        [
            (lambda batch: batch != "c", "a b c"),  # one more level
            (lambda batch: batch == "a", "a b c"),  # constant at first
            (lambda batch: batch == "c", "c a b"),  # new levels that come first
            (lambda batch: np.arange(len(batch)) < 150, "a b c"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:1 of 3 `covariates` have the same value")
    def test_equals_all_cells_with_the_same_folds(self, cells, levels, order, tmp_path):
        batches = split(cells, levels(cells.adata.obs["batch"].to_numpy()))
        first = prepare_moments(batches[0], cells.tf_names, covariates=NAMES, **OPTIONS)
        first.save(tmp_path / "first.npz")
        second = prepare_moments(
            batches[1], like=SciFateMoments.load(tmp_path / "first.npz"), **OPTIONS
        )
        both = first + second
        names = [f"obs:batch[{level}]" for level in order.split()[1:]] + FEATURES[2:]
        assert both.feature_names[-4:] == names
        self.assert_grown_from(cells, batches, (first, second), both)

    def assert_grown_from(self, cells, batches, parts, both):
        obs = pd.concat([b.obs.loc[p.cells.index] for b, p in zip(batches, parts, strict=True)])
        folds = np.concatenate([RSampleKFold().fold_ids(len(part.cells)) for part in parts])
        expected = {"obs:phase_score": obs["phase_score"], FEATURES[3]: obs["is_cycling"]}
        for name in both.feature_names[-4:-2]:
            expected[name] = obs["batch"] == name[-2]
        expected = zscored(pd.DataFrame(expected))[both.feature_names[-4:]].to_numpy()
        own = as_means(both.moments)[2][-4:, -4:]
        np.testing.assert_allclose(own, expected.T @ expected / len(obs), rtol=0, atol=1e-10)
        moments = both.moments.around(np.zeros(both.moments.n_features), both.moments.y_shift)
        for fold in range(10):
            of_fold = expected[folds == fold + 1].sum(axis=0)
            np.testing.assert_allclose(moments.x_sum[fold][-4:], of_fold, rtol=0, atol=1e-9)

    def test_both_orders_and_a_third_batch(self, cells):
        batch = cells.adata.obs["batch"].to_numpy()
        adatas = [cells.adata[batch == level].copy() for level in "abc"]
        with pytest.warns(UserWarning, match="1 of 1 `covariates` have the same value"):
            first = prepare_moments(adatas[0], cells.tf_names, covariates=["batch"], **OPTIONS)
        rest = [prepare_moments(adata, like=first, **OPTIONS) for adata in adatas[1:]]
        one, two = first + rest[0] + rest[1], first + (rest[1] + rest[0])
        assert one.feature_names[-2:] == FEATURES[:2]
        assert two.feature_names[-2:] == FEATURES[1::-1]
        order = [two.feature_names.index(name) for name in one.feature_names]
        means = as_means(one.moments), as_means(two.moments)
        np.testing.assert_allclose(means[0][2], means[1][2][np.ix_(order, order)], atol=1e-10)
        np.testing.assert_allclose(means[0][3], means[1][3][order], atol=1e-10)
        fits = [SciFateRegressor().fit_moments(each.moments).links_ for each in (one, two)]
        pairs = [set(zip(links["TF"], links["target"], strict=True)) for links in fits]
        assert pairs[0] == pairs[1] != set()

    def test_a_number_that_was_left_out_stays_out(self, cells):
        batches = split(cells, np.arange(300) < 150)
        batches[0].obs["dose"], batches[1].obs["dose"] = 1.5, np.linspace(0, 1, 150)
        with pytest.warns(UserWarning, match=r"1 of 2 `covariates` .* \('dose'\)"):
            first = prepare_moments(
                batches[0], cells.tf_names, covariates=["dose", "batch"], **OPTIONS
            )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            both = first + prepare_moments(batches[1], like=first, **OPTIONS)
        assert both.feature_names[-2:] == FEATURES[:2]
        assert [each.column for each in both.covariates] == ["dose", "batch"]

    def test_cells_are_read_again(self, cells):
        prepared = prepare_moments(cells.adata, cells.tf_names, covariates=NAMES, **OPTIONS)
        options = {"cell_filter_UMI": 300, "chunk_size": 40}
        chunks = list(iterate_cells(cells.adata, prepared, **options))
        X = np.vstack([x for x, _ in chunks])
        inputs = prepare_anndata(cells.adata, cells.tf_names, covariates=NAMES, **OPTIONS)
        np.testing.assert_allclose(X, inputs.tf_matrix, rtol=0, atol=1e-9)

    def test_other_covariates_are_refused(self, cells):
        first = prepare_moments(cells.adata, cells.tf_names, covariates=["batch"], **OPTIONS)
        same = prepare_moments(cells.adata, like=first, covariates=["batch"], **OPTIONS)
        assert same.feature_names == first.feature_names
        with pytest.raises(ValueError, match=r"`covariates` are \['is_cycling'\], but .* \['batch"):
            prepare_moments(cells.adata, like=first, covariates=["is_cycling"], **OPTIONS)
        changed = cells.adata.copy()
        changed.obs["batch"] = np.linspace(0, 1, 300)
        with pytest.raises(ValueError, match=r"held levels in the moments .* holds numbers now"):
            prepare_moments(changed, like=first, **OPTIONS)
        first = prepare_moments(changed, cells.tf_names, covariates=["batch"], **OPTIONS)
        with pytest.raises(ValueError, match=r"held numbers in the moments .* holds levels now"):
            prepare_moments(cells.adata, like=first, **OPTIONS)
        changed.obs = changed.obs.drop(columns="batch")
        with pytest.raises(ValueError, match="`covariates` names the column 'batch', which"):
            prepare_moments(changed, like=first, **OPTIONS)

    def test_batches_of_other_covariates_cannot_be_added(self, cells):
        one, two = (
            prepare_moments(cells.adata, cells.tf_names, covariates=names, **OPTIONS)
            for names in (["batch"], ["is_cycling"])
        )
        with pytest.raises(ValueError, match="The two batches have different covariates"):
            one + two


DAMAGES = {
    "no levels": lambda arrays: arrays.pop("covariates levels"),
    "other columns": lambda arrays: arrays["covariates columns"].__setitem__(0, "lane"),
    "other levels": lambda arrays: arrays["covariates levels"].__setitem__(1, "z"),
    "fewer levels": lambda arrays: arrays["covariates n_levels"].__setitem__(0, 2),
    "negative": lambda arrays: arrays["covariates n_levels"].__setitem__(1, -1),
    "no numbers": lambda arrays: arrays.update({"covariates n_levels": np.array(["3", "0", "2"])}),
    "two dimensions": lambda arrays: arrays.update({"covariates levels": np.array([["a"]])}),
    "none": lambda arrays: [
        arrays.pop(f"covariates {name}") for name in ("columns", "levels", "n_levels")
    ],
}


class TestFiles:
    def test_are_read_unchanged(self, cells, tmp_path):
        first = prepare_moments(cells.adata, cells.tf_names, covariates=NAMES, **OPTIONS)
        first.save(tmp_path / "first.npz")
        assert SciFateMoments.load(tmp_path / "first.npz").covariates == first.covariates
        assert [each.levels for each in first.covariates] == [
            ("a", "b", "c"), (), ("False", "True")
        ]  # fmt: skip

    def test_of_a_single_level(self, cells, tmp_path):
        adata = cells.adata.copy()
        adata.obs["batch"] = "a"
        with pytest.warns(UserWarning, match="1 of 1 `covariates`"):
            first = prepare_moments(adata, cells.tf_names, covariates=["batch"], **OPTIONS)
        first.save(tmp_path / "first.npz")
        assert SciFateMoments.load(tmp_path / "first.npz").covariates[0].levels == ("a",)

    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
    def test_that_hold_something_else(self, cells, tmp_path, damage):
        path = tmp_path / "first.npz"
        prepare_moments(cells.adata, cells.tf_names, covariates=NAMES, **OPTIONS).save(path)
        kind = "prepared moments"
        arrays = {name: array.copy() for name, array in archive.read_arrays(path, kind, 1).items()}
        damage(arrays)
        archive.write_arrays(path, kind, 1, arrays)
        with pytest.raises(ValueError, match=r"first\.npz holds no valid prepared moments: "):
            SciFateMoments.load(path)


def with_column(values):
    def change(obs):
        obs["x"] = values(len(obs)) if callable(values) else values

    return change


REFUSED = {
    "missing": (
        with_column(lambda n: [None, *["a", "b"] * n][:n]),
        ValueError,
        r"'x' of adata.obs is missing for 1 of \d+ cells that pass the filters \('c0'\)\. Give",
    ),
    "NaN": (with_column(lambda n: np.r_[np.nan, np.nan, np.ones(n - 2)]), ValueError, "for 2 of"),
    "infinite": (with_column(lambda n: np.r_[np.inf, np.arange(n - 1)]), ValueError, "is infinite"),
    "names of cells": (
        with_column(lambda n: [f"barcode{i}" for i in range(n)]),
        ValueError,
        r"has (\d+) levels in \1 cells that pass the filters, more than 100: it may hold names",
    ),
    "numbers as text": (
        with_column(lambda n: [f"{i / 7:.5f}" for i in range(n)]), ValueError, "numbers as text",
    ),
    "the same text twice": (
        with_column(lambda n: pd.Categorical([1, "1"] * n)[:n]), ValueError, r"read the same: '1'",
    ),
    "dates": (
        with_column(lambda n: pd.date_range("2020-01-01", periods=n)),
        TypeError,
        "holds datetime64 values; covariates are numbers, text, booleans or categories",
    ),
    "complex numbers": (with_column(lambda n: np.arange(n) * 1j), TypeError, "holds complex"),
    "mixed types": (with_column(lambda n: ([1, "a"] * n)[:n]), TypeError, "holds mixed"),
    "lists": (with_column(lambda n: [[1]] * n), TypeError, "holds mixed"),
    "huge numbers": (with_column(lambda n: np.arange(n) * 1e200), ValueError, "Rescale"),
}  # fmt: skip


class TestErrors:
    @pytest.mark.parametrize("prepare", [prepare_anndata, prepare_moments])
    @pytest.mark.parametrize(("change", "error", "message"), REFUSED.values(), ids=REFUSED)
    def test_of_values(self, cells, prepare, change, error, message):
        adata = cells.adata.copy()
        adata.obs_names = [f"c{i}" for i in range(300)]
        change(adata.obs)
        with pytest.raises(error, match=message) as caught:
            prepare(adata, cells.tf_names, cell_filter_UMI=0, covariates=["x"])
        assert "`covariates`" in str(caught.value)

    def test_as_many_levels_as_half_of_the_cells(self, cells):
        adata = cells.adata[:20].copy()
        options = {"cell_filter_UMI": 0, "covariates": ["x"]}
        adata.obs["x"] = [f"d{i % 10}" for i in range(20)]
        tfs = prepare_anndata(adata, cells.tf_names, **options).tf_matrix
        assert tfs.columns.str.startswith("obs:").sum() == 9
        adata.obs["x"] = [f"d{i % 11}" for i in range(20)]
        with pytest.raises(ValueError, match=r"11 levels in 20 cells that .* more than 10"):
            prepare_anndata(adata, cells.tf_names, **options)

    @pytest.mark.parametrize(
        ("names", "error", "message"),
        [
            ("batch", TypeError, r"must be a list of names of columns .*\['batch'\], got 'batch'"),
            (3, TypeError, "must be a list of names"),
            ([3], TypeError, "must be names of columns, got 3"),
            (["batch", "batch"], ValueError, "names 'batch' more than once"),
            (["lane"], ValueError, "names the column 'lane', which adata.obs does not have"),
        ],
    )
    def test_of_names(self, cells, names, error, message):
        with pytest.raises(error, match=f"`covariates` {message}"):
            prepare_moments(cells.adata, cells.tf_names, covariates=names, **OPTIONS)

    def test_of_columns_that_share_their_name(self, cells):
        adata = cells.adata.copy()
        adata.obs = pd.concat([adata.obs, adata.obs[["batch"]]], axis=1)
        with pytest.raises(ValueError, match=r"names 2 columns of adata.obs that are all called"):
            prepare_anndata(adata, cells.tf_names, covariates=["batch"], **OPTIONS)
