"""Errors name the argument, what was found, and what to do."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from drawn_networks import small_network
from sklearn.exceptions import NotFittedError

from scifate_sklearn import (
    EncodeLinkFilter,
    PermutationFDR,
    SciFateRegressor,
    StabilitySelection,
    plotting,
)

LINKS = {
    "link_heatmap": plotting.link_heatmap,
    "regulator_ranks": plotting.regulator_ranks,
    "network": plotting.network,
    "compare": lambda links: plotting.compare({"a": links, "b": links}),
}
of_links = pytest.mark.parametrize("draw", LINKS.values(), ids=LINKS)


class TestLinks:
    @of_links
    def test_without_links(self, draw):
        with pytest.raises(ValueError, match="`links` has no links"):
            draw(small_network().head(0))

    @of_links
    def test_missing_columns(self, draw):
        with pytest.raises(ValueError, match=r"lacks the column\(s\) coef"):
            draw(small_network().drop(columns="coef"))

    @of_links
    def test_something_else(self, draw):
        with pytest.raises(TypeError, match="`links` as a pandas DataFrame"):
            draw(SciFateRegressor())

    @of_links
    def test_contradictory_rows(self, draw):
        links = pd.concat([small_network(), small_network().assign(coef=0.7)])
        with pytest.raises(ValueError, match="repeat a pair with different numbers"):
            draw(links)

    @of_links
    def test_repeated_rows_count_once(self, draw):
        draw(pd.concat([small_network()] * 2))

    @of_links
    def test_several_groups(self, draw):
        links = small_network().assign(group=lambda table: np.arange(len(table)) % 2)
        with pytest.raises(ValueError, match=r"of 2 groups .* a picture shows one network"):
            draw(links)

    @of_links
    def test_rows_without_a_name(self, draw):
        with pytest.raises(ValueError, match="without a name"):
            draw(small_network().assign(TF=None))


class TestModels:
    def test_unfitted(self, fits):
        draws = [
            lambda: plotting.cv_curve(SciFateRegressor(), "Gene1"),
            lambda: plotting.coefficient_path(SciFateRegressor(), "Gene1", fits.path),
            lambda: plotting.r2_histogram(PermutationFDR(SciFateRegressor())),
            lambda: plotting.fdr_curve(PermutationFDR(SciFateRegressor())),
            lambda: plotting.stability(StabilitySelection(SciFateRegressor())),
            lambda: plotting.enrichment(EncodeLinkFilter(pd.DataFrame())),
        ]
        for draw in draws:
            with pytest.raises(NotFittedError):
                draw()

    def test_of_another_class(self, fits):
        for draw, argument in (
            (plotting.fdr_curve, "permutation"),
            (plotting.stability, "selection"),
            (plotting.enrichment, "filter"),
            (plotting.r2_histogram, "model"),
        ):
            with pytest.raises(TypeError, match=f"`{argument}` must be a fitted .*, got DataFrame"):
                draw(fits.links)

    @pytest.mark.parametrize("name", ["Gene999", "", 3])
    def test_unknown_target(self, fits, name):
        for draw in (
            lambda: plotting.cv_curve(fits.model, name),
            lambda: plotting.coefficient_path(fits.model, name, fits.path),
        ):
            with pytest.raises(ValueError, match="`target` must be one of the 52 targets"):
                draw()

    def test_target_without_a_model(self, fits):
        new = fits.new[[fits.target]].assign(flat=0.0)
        model = SciFateRegressor().fit(fits.tfs, new)
        with pytest.raises(ValueError, match="'flat' has no model"):
            plotting.cv_curve(model, "flat")
        assert "1 without a model" in plotting.r2_histogram(model).get_title(loc="left").replace(
            "\n", " "
        )

    def test_nothing_was_cross_validated(self, fits):
        model = SciFateRegressor(lambda_rule="bic").fit(fits.tfs, fits.new[[fits.target]])
        with pytest.raises(ValueError, match="'bic', which cross-validates nothing"):
            plotting.cv_curve(model, fits.target)
        with pytest.raises(ValueError, match="no target with an r²"):
            plotting.r2_histogram(model)
        path = model.coefficient_path(fits.tfs, fits.new[[fits.target]], fits.target)
        ax = plotting.coefficient_path(model, fits.target, path)
        labels = [text.get_text() for text in ax.legend_.texts]
        assert len(labels) == 1
        assert labels[0].startswith("selected λ = ")

    def test_a_path_that_is_none(self, fits):
        with pytest.raises(ValueError, match="its index is None"):
            plotting.coefficient_path(fits.model, fits.target, fits.links)
        with pytest.raises(TypeError, match="`path` must be the table"):
            plotting.cv_curve(fits.model, fits.target, path=np.ones(3))

    def test_a_path_of_another_target(self, fits):
        names = fits.model.target_names_in_
        other = next(name for name in names if name != fits.target)
        for draw in (plotting.coefficient_path, plotting.cv_curve):
            with pytest.raises(ValueError, match=f"`path` is not that of the target '{other}'"):
                draw(fits.model, other, path=fits.path)

    def test_a_target_without_links(self, fits):
        """There are lines, of TFs that are not selected."""
        rng = np.random.default_rng(0)
        noise = pd.DataFrame(rng.normal(size=(len(fits.tfs), 1)), fits.tfs.index, ["noise"])
        model = SciFateRegressor().fit(fits.tfs, noise)
        assert not len(model.links_)
        path = model.coefficient_path(fits.tfs, noise, "noise")
        ax = plotting.coefficient_path(model, "noise", path)
        assert ax.get_title(loc="left") == "noise: no TF is selected"

    def test_no_links(self, fits):
        rng = np.random.default_rng(0)
        noise = pd.DataFrame(rng.normal(size=(len(fits.tfs), 1)), fits.tfs.index, ["noise"])
        model = SciFateRegressor(lambda_rule=9.0)
        fdr = PermutationFDR(model, n_permutations=1).fit(fits.tfs, noise)
        stable = StabilitySelection(model, n_resamples=2).fit(fits.tfs, noise)
        for draw, fitted in ((plotting.fdr_curve, fdr), (plotting.stability, stable)):
            with pytest.raises(ValueError, match="has no links, so that there is nothing to draw"):
                draw(fitted)
        plotting.r2_histogram(fdr)
        plotting.cv_curve(fdr, "noise")


class TestOptions:
    @pytest.mark.parametrize("top", [0, -1, 2.5, "5", True])
    def test_counts(self, top):
        for draw in (
            lambda: plotting.network(small_network(), top=top),
            lambda: plotting.network(small_network(), tfs=top),
            lambda: plotting.regulator_ranks(small_network(), top=top),
            lambda: plotting.link_heatmap(small_network(), tfs=top),
        ):
            with pytest.raises(ValueError, match="must be a whole number above 0, or None"):
                draw()

    def test_misspelt(self):
        with pytest.raises(
            ValueError, match="`by` must be one of 'number', 'strength', got 'size'"
        ):
            plotting.regulator_ranks(small_network(), by="size")
        with pytest.raises(ValueError, match="`kind` must be one of 'column', 'slide'"):
            plotting.style("poster").__enter__()
        with pytest.raises(ValueError, match="`evidence` must name at most 4 columns"):
            plotting.link_heatmap(small_network(), evidence="chip_peek")

    def test_ax_is_something_else(self, fits):
        with pytest.raises(TypeError, match="`ax` must be the Axes of matplotlib or None, got str"):
            plotting.r2_histogram(fits.model, ax="left")

    def test_gene_around_is_unknown(self):
        with pytest.raises(ValueError, match=r"`around` must be a TF or target .* mean 'Pax6'"):
            plotting.network(small_network(), around="PaX6")

    def test_no_links_among_tfs(self):
        links = small_network().query("TF == 'Nfib'")
        with pytest.raises(ValueError, match="none leads from a TF to another TF"):
            plotting.network(links, only_tfs=True)

    def test_too_many_genes(self):
        n = 6000
        links = pd.DataFrame({"TF": "T", "target": [f"g{i}" for i in range(n)], "coef": 1.0})
        with pytest.raises(ValueError, match="6,001 genes to draw, more than 5,000"):
            plotting.network(links, top=None)

    @pytest.mark.parametrize("networks", [None, {}, [1, 2], {"a": 1, "b": 2, "c": 3}])
    def test_not_two_networks(self, networks):
        with pytest.raises(TypeError, match="`networks` must be two links tables by their names"):
            plotting.compare(networks)


class TestActivity:
    def test_missing_things(self, fits):
        with pytest.raises(ValueError, match="'X_tsne' is not there, only 'umap'"):
            plotting.activity(fits.adata, "TF1", "tsne")
        with pytest.raises(ValueError, match=r"`adata\.obsm` has no 'scores'"):
            plotting.activity(fits.adata, "TF1", values="scores")
        with pytest.raises(ValueError, match="`tf` must be one column"):
            plotting.activity(fits.adata, "Pax6")
        with pytest.raises(ValueError, match="it lacks 1 of"):
            plotting.activity(fits.adata, "TF1", values=fits.activity.iloc[1:])
        with pytest.raises(TypeError, match="must be a DataFrame of cells × TFs, got ndarray"):
            plotting.activity(fits.adata, "TF1", values=fits.activity.to_numpy())

    def test_one_dimension(self, fits):
        adata = fits.adata.copy()
        adata.obsm["X_line"] = adata.obsm["X_umap"][:, :1]
        with pytest.raises(ValueError, match="must have two columns or more"):
            plotting.activity(adata, "TF1", "line")

    def test_all_values_are_missing_or_0(self, fits):
        for value in (np.nan, 0.0):
            plotting.activity(fits.adata, "TF1", values=fits.activity * value)


@pytest.mark.parametrize("module", ["matplotlib", "marsilea", "adjustText"])
def test_without_the_extra(module, fits, monkeypatch):
    """The error names the package, the extra, and the command."""
    monkeypatch.setattr(
        "scifate_sklearn.plotting._style.import_module",
        lambda name: (
            (_ for _ in ()).throw(ImportError(name))
            if name.startswith(module)
            else import_module(name)
        ),
    )
    draw = {
        "matplotlib": lambda: plotting.r2_histogram(fits.model),
        "marsilea": lambda: plotting.link_heatmap(small_network()),
        "adjustText": lambda: plotting.compare({"a": fits.links, "b": fits.other}),
    }[module]
    with pytest.raises(ImportError, match=rf"requires {module}, .* extra `plot` .*\[plot\]"):
        draw()
