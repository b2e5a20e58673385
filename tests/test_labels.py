"""Labels of cells and columns are matched, or a difference is refused; none is ignored silently."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scifate_sklearn import (
    PermutationFDR,
    SciFateRegressor,
    StabilitySelection,
    prepare_anndata,
    prepare_moments,
)
from scifate_sklearn.datasets import make_labelled_cells

N, TFS = 90, ["Pax6", "Sox2", "Myc", "Atf3"]
RNG = np.random.default_rng(0)
CELLS = [f"c{i}" for i in range(N)]
X = pd.DataFrame(RNG.normal(size=(N, 4)), CELLS, TFS)
Y = pd.DataFrame(
    X.to_numpy()[:, :3] + 0.3 * RNG.normal(size=(N, 3)), CELLS, ["Pax6", "Gcg", "Ins1"]
)
WEIGHT = pd.Series(RNG.integers(1, 4, N).astype(float), CELLS)
GROUPS = pd.Series(np.arange(N) // 10, CELLS)
ORDER = np.r_[0, 1, 3, 2, 4:N]

MAKERS = {
    "SciFateRegressor": lambda **params: SciFateRegressor(**params),
    "PermutationFDR": lambda **params: PermutationFDR(SciFateRegressor(**params), n_permutations=1),
    "StabilitySelection": lambda **params: StabilitySelection(
        SciFateRegressor(**params), n_resamples=4
    ),
}


@pytest.fixture(params=list(MAKERS))
def make(request):
    return MAKERS[request.param]


@pytest.fixture(scope="module")
def model():
    return SciFateRegressor().fit(X, Y)


class TestCells:
    @pytest.mark.parametrize("argument", ["sample_weight", "groups"])
    def test_another_order_is_refused(self, argument, make):
        given = {"sample_weight": WEIGHT, "groups": GROUPS}[argument].iloc[ORDER]
        with pytest.raises(
            ValueError,
            match=rf"`{argument}` has the cells of `tf_matrix` in another order; align .*"
            rf"position 2: 'c2' in `tf_matrix`, 'c3' in `{argument}`",
        ):
            make().fit(X, Y, **{argument: given})

    @pytest.mark.parametrize("argument", ["sample_weight", "groups"])
    def test_other_cells_are_refused(self, argument, make):
        given = {"sample_weight": WEIGHT, "groups": GROUPS}[argument].rename({"c7": "d7"})
        with pytest.raises(ValueError, match="different cells: 'c7' against 'd7' at position 7"):
            make().fit(X, Y, **{argument: given})

    def test_labels_of_the_targets_count_where_the_tfs_have_none(self):
        with pytest.raises(ValueError, match="`sample_weight` has the cells of `target_matrix`"):
            SciFateRegressor(exclude_self=False).fit(
                X.to_numpy(), Y, sample_weight=WEIGHT.iloc[ORDER]
            )

    @pytest.mark.parametrize("unlabelled", [np.asarray, list, lambda s: s.reset_index(drop=True)])
    def test_values_without_labels_are_taken_by_position(self, unlabelled):
        given = {"sample_weight": WEIGHT, "groups": GROUPS}
        plain = {name: unlabelled(values) for name, values in given.items()}
        one, other = (SciFateRegressor(cv=GroupKFold(3)).fit(X, Y, **a) for a in (given, plain))
        np.testing.assert_array_equal(one.coef_, other.coef_)

    def test_numbered_cells_in_another_order_are_refused(self):
        numbered = [frame.reset_index(drop=True) for frame in (X, Y, WEIGHT)]
        with pytest.raises(ValueError, match=r"`sample_weight` has the cells .* another order"):
            SciFateRegressor().fit(*numbered[:2], sample_weight=numbered[2].iloc[ORDER])
        with pytest.raises(ValueError, match=r"`target_matrix` has the cells .* another order"):
            SciFateRegressor().fit(numbered[0], numbered[1].iloc[ORDER])

    @pytest.mark.parametrize(
        "index",
        [
            pd.Index(range(100, 100 + N)),
            pd.MultiIndex.from_product([["a", "b", "c"], range(N // 3)]),
            pd.date_range("2020-01-01", periods=N),
            pd.Index([*CELLS[:-1], None], dtype=object),
            pd.CategoricalIndex(CELLS),
        ],
        ids=["numbers", "levels", "dates", "missing", "categories"],
    )
    def test_indices_of_any_kind(self, index):
        first, second = X.set_axis(index), Y.set_axis(index)
        SciFateRegressor().fit(first, second, sample_weight=WEIGHT.set_axis(index))
        with pytest.raises(ValueError, match=r"in another order; align .* position 2"):
            SciFateRegressor().fit(first, second.iloc[ORDER])

    def test_the_first_difference_is_shown_not_the_first_name(self):
        with pytest.raises(ValueError, match="'c80' against 'x' at position 80"):
            SciFateRegressor().fit(X, Y.rename({"c80": "x"}))

    def test_searches_and_pipelines_cut_series_with_the_cells(self):
        pipeline = make_pipeline(
            StandardScaler().set_output(transform="pandas"), SciFateRegressor()
        )
        params = {"scifateregressor__sample_weight": WEIGHT}
        search = GridSearchCV(pipeline, {"scifateregressor__alpha": [0.5, 1.0]}, cv=3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            search.fit(X, Y, **params)
            assert np.isfinite(cross_val_score(pipeline, X, Y, cv=3, params=params)).all()
        plain = GridSearchCV(pipeline, {"scifateregressor__alpha": [0.5, 1.0]}, cv=3)
        plain.fit(X, Y, scifateregressor__sample_weight=WEIGHT.to_numpy())
        assert search.best_score_ == plain.best_score_


class TestScore:
    def test_targets_in_another_order(self, make):
        fitted = make().fit(X, Y)
        assert fitted.score(X, Y) > 0.5
        with pytest.raises(
            ValueError,
            match=r"`target_matrix` has the targets of the fit in another order; .* position 0: "
            "'Pax6' in the fit, 'Ins1' in `target_matrix`",
        ):
            fitted.score(X, Y[["Ins1", "Gcg", "Pax6"]])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda y: y.rename(columns={"Gcg": "Sst"}), r"lacks 1 of them \('?Gcg'?\) and has 1"),
            (lambda y: y.iloc[:, :2], r"lacks 1 of them \('?Ins1'?\) and has 0 other"),
            (lambda y: y.assign(Sst=0.0), "lacks 0 of them and has 1 other"),
        ],
        ids=["renamed", "fewer", "more"],
    )
    def test_other_targets(self, change, message, model):
        with pytest.raises(ValueError, match=message):
            model.score(X, change(Y))

    def test_one_target(self):
        model = SciFateRegressor().fit(X, Y["Gcg"])
        assert model.score(X, Y["Gcg"]) == model.score(X, Y["Gcg"].rename(None))
        with pytest.raises(ValueError, match="must have the targets of the fit"):
            model.score(X, Y["Ins1"])

    def test_cells(self, model):
        with pytest.raises(ValueError, match="`target_matrix` has the cells of `tf_matrix` in an"):
            model.score(X, Y.iloc[ORDER])
        with pytest.raises(ValueError, match="`sample_weight` has the cells of `tf_matrix` in an"):
            model.score(X, Y, WEIGHT.iloc[ORDER])

    def test_matrices_without_names(self, model):
        assert model.score(X, Y) == model.score(X, Y.to_numpy())
        unnamed = SciFateRegressor().fit(X.to_numpy(), Y.to_numpy())
        assert unnamed.score(X.to_numpy(), Y) == unnamed.score(X.to_numpy(), Y.to_numpy())


class TestColumns:
    @pytest.mark.parametrize(
        "names",
        [[5080, 6657, 4609, 467], [0.5, 1.0, 2.0, 3.5], [True, False, 2, 3], [("a", 1), 1, 2, 3],
         ["Pax6", "Sox2", None, "Myc"], ["Pax6", 5080, "Sox2", "Myc"],
         pd.date_range("2020-01-01", periods=4)],
        ids=["Entrez", "floats", "bools", "tuple", "missing", "mixed", "dates"],
    )  # fmt: skip
    def test_names_that_are_not_text_are_refused(self, names, make):
        first = X.set_axis(pd.Index(names), axis=1)
        second = Y.set_axis(pd.Index(names[:3]), axis=1)
        with pytest.raises(TypeError, match="`tf_matrix` has column names of the types"):
            make().fit(first, Y)
        with pytest.raises(TypeError, match="`tf_matrix` has column names of the types"):
            make().fit(first, second)
        if not all(isinstance(name, str) for name in names[:3]):
            with pytest.raises(TypeError, match="`target_matrix` has column names of the types"):
                make().fit(X, second)

    def test_series_named_by_a_number(self):
        with pytest.raises(TypeError, match=r"`target_matrix` has .* \['int'\]"):
            SciFateRegressor().fit(X, Y["Gcg"].rename(5080))

    def test_columns_that_pandas_numbers_have_no_names(self):
        model = SciFateRegressor().fit(pd.DataFrame(X.to_numpy()), pd.DataFrame(Y.to_numpy()))
        assert set(model.links_["TF"]) <= {"x0", "x1", "x2", "x3"}
        first = pd.DataFrame(Y.to_numpy())[0]
        assert SciFateRegressor().fit(X.to_numpy(), first).target_names_in_.tolist() == ["y0"]

    def test_columns_of_several_levels_are_not_ignored_silently(self):
        levels = pd.MultiIndex.from_product([["a", "b"], ["c", "d"]])
        with pytest.warns(UserWarning, match="`tf_matrix` has column names of 2 levels"):
            SciFateRegressor().fit(X.set_axis(levels, axis=1), Y.to_numpy())


class TestLostNames:
    LOST = r"`exclude_self` has no effect.*set_output\(transform=\"pandas\"\)"

    @pytest.mark.parametrize(
        "fit",
        [
            lambda: make_pipeline(StandardScaler(), SciFateRegressor()).fit(X, Y),
            lambda: SciFateRegressor().fit(X.to_numpy(), Y),
            lambda: SciFateRegressor().fit(X.set_axis(range(4), axis=1), Y["Pax6"]),
            lambda: PermutationFDR(SciFateRegressor(), n_permutations=2).fit(X.to_numpy(), Y),
            lambda: StabilitySelection(SciFateRegressor(), n_resamples=4).fit(X.to_numpy(), Y),
        ],
        ids=["pipeline", "array", "numbered columns", "PermutationFDR", "StabilitySelection"],
    )
    def test_one_warning(self, fit):
        with pytest.warns(UserWarning, match=self.LOST) as caught:
            fit()
        (warning,) = [each for each in caught if "exclude_self" in str(each.message)]
        assert warning.filename == __file__

    @pytest.mark.parametrize(
        "fit",
        [
            lambda: SciFateRegressor().fit(X, Y.to_numpy()),
            lambda: SciFateRegressor().fit(X, Y["Pax6"].rename(None)),
            lambda: TransformedTargetRegressor(
                SciFateRegressor(), transformer=StandardScaler()
            ).fit(X, Y),
        ],
        ids=["array", "series", "TransformedTargetRegressor"],
    )
    def test_names_of_targets(self, fit):
        with pytest.warns(UserWarning, match=r"`target_matrix` has no column names") as caught:
            fit()
        assert len([each for each in caught if "exclude_self" in str(each.message)]) == 1

    @pytest.mark.parametrize(
        "fit",
        [
            lambda: SciFateRegressor(exclude_self=False).fit(X.to_numpy(), Y),
            lambda: SciFateRegressor().fit(X.to_numpy(), Y.to_numpy()),
            lambda: make_pipeline(
                StandardScaler().set_output(transform="pandas"), SciFateRegressor()
            ).fit(X, Y),
        ],
        ids=["exclude_self=False", "no names at all", "set_output"],
    )
    def test_no_warning(self, fit):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit()


class TestGroups:
    @pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
    @pytest.mark.parametrize("dtype", [object, "category", "string"])
    def test_missing(self, missing, dtype, make):
        groups = pd.Series([*"abc" * 29, "a", missing, missing], CELLS, dtype=dtype, copy=True)
        groups.iloc[5] = missing
        with pytest.raises(
            ValueError, match=r"missing for 3 cell\(s\), the first of them in row 5"
        ):
            make(cv=GroupKFold(3)).fit(X, Y, groups=groups)

    @pytest.mark.parametrize(
        "groups",
        [
            np.array(["a", "b", np.nan] * 30),
            pd.Series(["a", "b", pd.NaT] * 30, CELLS).astype(object).astype(str),
            pd.Series(["a", "b", "<NA>"] * 30, CELLS, dtype="category"),
            np.ma.masked_equal([1, 2, 3] * 30, 3),
            pd.Series([1, 2, None] * 30, CELLS, dtype="Int64"),
        ],
        ids=["NumPy's nan", "NaT", "<NA>", "masked", "nullable"],
    )
    def test_texts_of_missing_values(self, groups, make):
        with pytest.raises(ValueError, match=r"missing for 30 cell\(s\), the first .* row 2"):
            make(cv=GroupKFold(2)).fit(X, Y, groups=groups)

    @pytest.mark.parametrize(
        "groups",
        [["a", 1] * 45, [*["a"] * 89, 2.5], [("a", 1), "a"] * 45,
         pd.Series([*["a"] * 45, *[1] * 45], CELLS), pd.Series([1, "1"] * 45, dtype="category")],
        ids=["list", "one number", "tuple", "series", "category"],
    )  # fmt: skip
    def test_mixed_types(self, groups, make):
        with pytest.raises(TypeError, match=r"`groups` is of mixed type: .*astype\(str\)"):
            make(cv=GroupKFold(2)).fit(X, Y, groups=groups)

    def test_numbers_of_several_types_are_one_type(self):
        groups = [0, 1.0, np.int8(2)] * 30
        model = SciFateRegressor(cv=GroupKFold(3)).fit(X, Y, groups=groups)
        assert np.isfinite(model.lambda_).all()

    def test_another_number_of_groups(self, make):
        with pytest.raises(ValueError, match=r"`groups` has the shape \(89,\), but there are 90"):
            make(cv=GroupKFold(3)).fit(X, Y, groups=[1] * 89)


@pytest.mark.parametrize("text", [None, np.nan, "nan", "NA", "N/A", "-", "", "   ", "None", "<NA>"])
def test_genes_without_a_symbol_keep_their_ids(text):
    cells = make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)
    names = list(cells.adata.var_names)
    cells.adata.var["symbol"] = np.array([*names[:-6], *[text] * 6], dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inputs = prepare_anndata(
            cells.adata, cells.tf_names, gene_symbols="symbol", cell_filter_UMI=50,
            gene_filter_rate=0,
        )  # fmt: skip
    assert list(inputs.genes.index) == names


def test_one_gene_may_be_called_na():
    cells = make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)
    names = list(cells.adata.var_names)
    cells.adata.var["symbol"] = [*names[:-1], "NA"]
    inputs = prepare_anndata(
        cells.adata, cells.tf_names, gene_symbols="symbol", cell_filter_UMI=50, gene_filter_rate=0
    )
    assert list(inputs.genes.index) == [*names[:-1], "NA"]


class TestGroupsOfPreparedMoments:
    @pytest.fixture
    def cells(self):
        return make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)

    def prepare(self, cells, groups):
        return prepare_moments(
            cells.adata, cells.tf_names, cell_filter_UMI=50, cv=GroupKFold(3), groups=groups
        )

    def test_labels(self, cells):
        groups = pd.Series(np.arange(100) % 7, cells.adata.obs_names)
        one, other = (self.prepare(cells, g).moments.xy for g in (groups, groups.to_numpy()))
        np.testing.assert_array_equal(one, other)
        with pytest.raises(ValueError, match=r"`groups` has the cells of `adata\.obs` in another"):
            self.prepare(cells, groups.iloc[::-1])
        with pytest.raises(ValueError, match="name different cells"):
            self.prepare(cells, groups.add_prefix("a"))

    def test_missing_and_mixed(self, cells):
        with pytest.raises(ValueError, match="`groups` is missing for"):
            self.prepare(cells, ["a", "b", "c", None] * 25)
        with pytest.raises(TypeError, match="`groups` is of mixed type"):
            self.prepare(cells, ["a", 1] * 50)


def test_symbols_that_are_dates():
    cells = make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)
    cells.adata.var["symbol"] = [*list(cells.adata.var_names)[:-1], "2-Sep"]
    with pytest.warns(
        UserWarning, match=r"'symbol' of adata.var has 1 symbols .*'2-Sep' for SEPT2"
    ):
        prepare_anndata(
            cells.adata, cells.tf_names, gene_symbols="symbol", cell_filter_UMI=50,
            gene_filter_rate=0,
        )  # fmt: skip
