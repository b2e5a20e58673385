"""What the pictures show, without regard to pixels."""

import time

import numpy as np
import pandas as pd
import pytest
from drawn_networks import random_links, small_network
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgba

from scifate_sklearn import compare_links, plotting

ACTIVATION, REPRESSION = "#d55e00", "#0072b2"


def title(ax):
    return ax.get_title(loc="left").replace("\n", " ")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def marked(ax):
    """Return the places of vertical lines."""
    lines = [line for line in ax.lines if len(set(np.ravel(line.get_xdata()))) == 1]
    return [float(np.ravel(line.get_xdata())[0]) for line in lines]


def boxes(ax):
    """Return the frames (n, 4) of the names of a network as they are drawn, in pixels."""
    ax.figure.draw_without_rendering()
    return np.array([text.get_bbox_patch().get_window_extent().extents for text in ax.texts])


def n_overlaps(frames):
    low, high = frames[:, None, :2], frames[:, None, 2:]
    overlap = np.minimum(high, high.swapaxes(0, 1)) - np.maximum(low, low.swapaxes(0, 1))
    return int((np.triu((overlap > 0).all(axis=2), k=1)).sum())


class TestCVCurve:
    def test_curve_and_band(self, fits):
        ax = plotting.cv_curve(fits.model, fits.target)
        curve = fits.model.cv_curve(fits.target)
        line = ax.lines[0]
        n = len(line.get_xdata())
        np.testing.assert_array_equal(line.get_xdata(), curve.lambdas[-n:])
        np.testing.assert_array_equal(line.get_ydata(), curve.mse[-n:])
        band = ax.collections[0].get_paths()[0].vertices
        assert np.isclose(band[:, 1].min(), (curve.mse - curve.mse_se)[-n:].min())
        assert np.isclose(band[:, 1].max(), (curve.mse + curve.mse_se)[-n:].max())
        assert marked(ax) == [curve.lambda_min, curve.lambda_1se]
        assert ax.xaxis_inverted()

    def test_only_the_flat_part_is_left_out(self, fits):
        drawn = plotting.cv_curve(fits.model, fits.target).lines[0].get_xdata()
        curve = fits.model.cv_curve(fits.target)
        left_out = curve.mse[curve.lambdas > drawn[0]]
        assert len(left_out) > 3
        assert len(set(left_out)) == 1

    def test_numbers_of_regulators_on_top(self, fits):
        ax = plotting.cv_curve(fits.model, fits.target, path=fits.path)
        (top,) = ax.child_axes
        tfs = fits.path.drop(columns=["new_size_factor", "labeling_ratio"])
        for place, label in zip(top.get_xticks(), top.get_xticklabels(), strict=True):
            assert int(label.get_text()) == (tfs.loc[place] != 0).sum()
        n = int((fits.links["target"] == fits.target).sum())
        assert title(ax) == f"{fits.target}: {n} regulators at the selected λ"

    def test_a_penalty_of_another_rule_is_marked(self, fits):
        model = type(fits.model)(lambda_rule=0.5).fit(fits.tfs, fits.new[[fits.target]])
        ax = plotting.cv_curve(model, fits.target)
        assert 0.5 in marked(ax)
        labels = [text.get_text() for text in ax.legend_.texts]
        assert labels[-1] == "selected λ = 0.5"
        assert not any("(selected)" in label for label in labels)

    def test_of_an_estimator_that_tests_links(self, fits):
        ax = plotting.cv_curve(fits.fdr, fits.target)
        assert title(ax) == title(plotting.cv_curve(fits.model, fits.target))


class TestCoefficientPath:
    def test_lines_and_names(self, fits):
        ax = plotting.coefficient_path(fits.model, fits.target, fits.path, top=3)
        own = fits.links[fits.links["target"] == fits.target]
        strongest = own.sort_values("coef", key=abs, ascending=False)["TF"].head(3)
        assert sorted(texts(ax)) == sorted(strongest)
        ends = {round(line.get_ydata()[-1], 9) for line in ax.lines if len(line.get_xdata()) > 2}
        tfs = fits.path.drop(columns=["new_size_factor", "labeling_ratio"])
        drawn = tfs.loc[:, (tfs != 0).any()]
        assert ends == set(drawn.iloc[-1].round(9))

    def test_colours_are_those_of_the_signs_at_the_selected_penalty(self, fits):
        ax = plotting.coefficient_path(fits.model, fits.target, fits.path)
        own = fits.links[fits.links["target"] == fits.target]
        curves = [line for line in ax.lines if len(line.get_xdata()) > 2]
        colours = [to_hex(line.get_color()) for line in curves]
        assert colours.count(ACTIVATION) == (own["coef"] > 0).sum()
        assert colours.count(REPRESSION) == (own["coef"] < 0).sum()

    def test_names_are_apart(self, fits):
        ax = plotting.coefficient_path(fits.model, fits.target, fits.path, top=None)
        ax.figure.draw_without_rendering()
        frames = np.array([text.get_window_extent().extents for text in ax.texts])
        assert len(frames) > 5
        assert n_overlaps(frames) == 0


class TestR2Histogram:
    def test_counts(self, fits):
        ax = plotting.r2_histogram(fits.model)
        r2 = fits.model.r2_
        positive = int((r2 > 0).sum())
        assert sum(patch.get_height() for patch in ax.patches) == positive
        assert title(ax).startswith(f"{positive} of {len(r2)} targets with r² > 0")
        assert marked(ax) == [np.median(r2[r2 > 0])]


class TestRegulatorRanks:
    @pytest.mark.parametrize("by", ["number", "strength"])
    def test_bars(self, by):
        links = small_network()
        ax = plotting.regulator_ranks(links, by=by)
        names = [label.get_text() for label in ax.get_yticklabels()]
        assert sorted(names) == ["Isl1", "Nfib", "Pax6", "Sox9"]
        for sign, bars in zip((1, -1), ax.containers, strict=True):
            own = links[np.sign(links["coef"]) == sign].groupby("TF")["coef"]
            expected = own.size() if by == "number" else own.sum().abs()
            widths = [sign * bar.get_width() for bar in bars]
            np.testing.assert_allclose(widths, expected.reindex(names).fillna(0))
            assert to_hex(bars[0].get_facecolor()) == (ACTIVATION if sign > 0 else REPRESSION)

    def test_the_title_tells_how_many_are_left_out(self):
        ax = plotting.regulator_ranks(small_network(), top=2)
        assert title(ax) == "2 of 4 TFs"
        assert len(ax.get_yticks()) == 2


class TestEnrichment:
    def test_intervals(self, fits):
        ax = plotting.enrichment(fits.chip, top=None)
        table = fits.chip.enrichment_.set_index("TF")
        names = [label.get_text() for label in ax.get_yticklabels()]
        assert names == list(table.index)
        a, b, c, d = (
            table[f"{x}_{y}"] + 0.5 for x in ("link", "no_link") for y in ("peak", "no_peak")
        )
        low, high = {}, {}
        for container in ax.containers:
            points, _, (segments,) = container
            for y, segment in zip(points.get_ydata(), segments.get_segments(), strict=True):
                low[names[int(y)]], high[names[int(y)]] = segment[:, 0]
        log_ratio = np.log(a * d / (b * c))
        half = 1.959963984540054 * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        np.testing.assert_allclose(pd.Series(low).reindex(names), np.exp(log_ratio - half))
        np.testing.assert_allclose(pd.Series(high).reindex(names), np.exp(log_ratio + half))

    def test_counts_are_beside_it(self, fits):
        ax = plotting.enrichment(fits.chip, top=1)
        row = fits.chip.enrichment_.iloc[0]
        linked = row["link_peak"] + row["link_no_peak"]
        others = row["no_link_peak"] + row["no_link_no_peak"]
        assert texts(ax)[1::2] == [
            f"{row['link_peak']}/{linked}", f"{row['no_link_peak']}/{others}",
        ]  # fmt: skip

    def test_counts_are_inside_the_figure(self, fits):
        ax = plotting.enrichment(fits.chip)
        ax.figure.draw_without_rendering()
        right = max(text.get_window_extent().x1 for text in ax.texts)
        assert right <= ax.figure.bbox.x1


class TestFDRCurve:
    def test_curves_and_threshold(self, fits):
        ax = plotting.fdr_curve(fits.fdr)
        cells, permuted = ax.lines[:2]
        table = fits.fdr.fdr_curve_
        np.testing.assert_array_equal(cells.get_ydata(), table["real_number"])
        control = table["control_number"].to_numpy()
        np.testing.assert_array_equal(permuted.get_ydata()[control > 0], control[control > 0])
        assert marked(ax) == [fits.fdr.threshold_]
        assert (
            title(ax)
            == f"{fits.fdr.ledger_['kept'].sum()} of {len(fits.links)} links kept, q ≤ 0.1"
        )

    def test_without_a_kept_link(self, fits):
        strict = type(fits.fdr)(type(fits.model)(), fdr=0.0, n_permutations=1)
        ax = plotting.fdr_curve(strict.fit(fits.tfs, fits.new))
        assert marked(ax) == []
        assert title(ax).startswith("0 of ")


class TestStability:
    def test_points(self, fits):
        ax = plotting.stability(fits.stable)
        ledger = fits.stable.ledger_
        drawn = ax.collections[0].get_offsets()
        np.testing.assert_allclose(drawn[:, 0], ledger["coef"].abs())
        np.testing.assert_allclose(drawn[:, 1], ledger["frequency"])
        grey = (ax.collections[0].get_facecolors()[:, :3] == to_rgba("#8C8C8C")[:3]).all(axis=1)
        np.testing.assert_array_equal(grey, ~ledger["kept"])
        assert ax.lines[0].get_ydata()[0] == fits.stable.threshold
        bound = fits.stable.error_bound_["r_concave"].sum()
        assert title(ax).endswith(f"at most {bound:,.0f}")


class TestCompare:
    def test_points_and_overlap(self, fits):
        ax = plotting.compare({"one": fits.links, "other": fits.other}, top=2)
        result = compare_links(fits.links, fits.other)
        both = next(c for c in ax.collections if len(c.get_offsets()) > 1)
        assert len(both.get_offsets()) == result.n_common
        (bar,) = ax.child_axes
        widths = [patch.get_width() for patch in bar.patches]
        assert widths == [
            result.n_a - result.n_common, result.n_common, result.n_b - result.n_common,
        ]  # fmt: skip
        assert ax.get_xlim() == ax.get_ylim()
        assert f"Jaccard {result.jaccard:.2f}" in texts(ax)[0]
        assert sum("→" in text for text in texts(ax)) == 2

    def test_without_common_links(self):
        links = small_network()
        ax = plotting.compare({"a": links.head(3), "b": links.tail(3)})
        assert "Jaccard 0.00" in texts(ax)[0]
        assert "nan" not in texts(ax)[0]


class TestActivity:
    def test_colours_are_centred_on_0(self, fits):
        ax = plotting.activity(fits.adata, "TF1", "umap")
        points = ax.collections[0]
        assert points.norm.vmin == -points.norm.vmax
        assert to_hex(points.cmap(0.5)) in ("#ffffff", "#fffefe", "#fefefe")
        values = fits.activity["TF1"]
        assert np.isclose(points.norm.vmax, np.quantile(np.abs(values), 0.99))
        order = np.argsort(np.abs(values.to_numpy()), kind="stable")
        places = fits.adata.obsm["X_umap"][order, :2]
        np.testing.assert_allclose(points.get_offsets(), places)
        assert "TF1" in ax.figure.axes[1].get_ylabel()

    def test_a_table_in_another_order(self, fits):
        reordered = fits.activity.iloc[::-1]
        ax = plotting.activity(fits.adata, "TF1", values=reordered)
        expected = plotting.activity(fits.adata, "TF1").collections[0].get_array()
        np.testing.assert_array_equal(ax.collections[0].get_array(), expected)

    def test_cells_without_a_value(self, fits):
        table = fits.activity.copy()
        table.iloc[:7, 0] = np.nan
        ax = plotting.activity(fits.adata, "TF1", values=table)
        assert "7 without a value (grey)" in title(ax)
        assert len(ax.collections[0].get_offsets()) == fits.adata.n_obs


class TestLinkHeatmap:
    def test_values_names_and_marks(self):
        links = small_network().assign(q=[0.01, 0.5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
        board = plotting.link_heatmap(links)
        main = board.get_main_ax()
        mesh = main.collections[0]
        assert mesh.norm.vmin == -mesh.norm.vmax == -0.4
        values = mesh.get_array().reshape(4, 6)
        np.testing.assert_allclose(np.sort(values[values != 0]), np.sort(links["coef"]))
        marks = main.collections[1].get_offsets()
        at = [values[int(y), int(x)] for x, y in marks]
        assert sorted(at) == [0.2, 0.4]
        shown = {t.get_text() for ax in board.figure.axes for t in ax.texts}
        assert {"Pax6", "Isl1", "Nfib", "Sox9", "Ins1", "Sst"} <= shown

    def test_only_the_strongest_are_drawn(self):
        board = plotting.link_heatmap(random_links(12, 50), tfs=5, targets=7)
        assert board.get_main_ax().collections[0].get_array().size == 35
        shown = {t.get_text() for ax in board.figure.axes for t in ax.texts}
        titles = {ax.get_title() for ax in board.figure.axes}
        assert any("5 of 12 TFs × 7 of" in text for text in shown | titles)

    @pytest.mark.parametrize("evidence", [[], "peak", ["peak", "motif"]])
    def test_evidence(self, evidence):
        links = small_network().assign(peak=[True] * 3 + [False] * 5, motif=["m1"] + [None] * 7)
        board = plotting.link_heatmap(links, evidence=evidence)
        n_marks = [len(c.get_offsets()) for c in board.get_main_ax().collections[1:]]
        assert n_marks == {"[]": [], "peak": [3]}.get(str(evidence), [3, 1])

    @pytest.mark.parametrize(("yes", "no"), [(True, False), (1, 0), ("True", "False")])
    def test_flags_with_missing_ones(self, yes, no):
        """Filters and files have missing values beside false ones."""
        links = small_network().assign(chip_peak=[yes, no, None, yes, *[no] * 4])
        board = plotting.link_heatmap(links.astype({"chip_peak": object}))
        assert [len(c.get_offsets()) for c in board.get_main_ax().collections[1:]] == [2]

    def test_one_link(self):
        assert plotting.link_heatmap(small_network().head(1)).figure is not None


class TestNetwork:
    def test_arrows_by_sign_and_width_by_size(self):
        links = small_network()
        ax = plotting.network(links, top=None)
        lines = [c for c in ax.collections if isinstance(c, LineCollection)]
        heads = [c for c in ax.collections if isinstance(c, PolyCollection)]
        by_colour = {to_hex(c.get_edgecolors()[0]): c for c in lines[:2]}
        for colour, sign in ((ACTIVATION, 1), (REPRESSION, -1)):
            own = links["coef"][np.sign(links["coef"]) == sign].abs().sort_values(ascending=False)
            widths = by_colour[colour].get_linewidths()
            assert len(widths) == len(own)
            assert (np.diff(widths) < 0).all()
        assert len(heads[0].get_paths()) == 5
        assert len(lines[2].get_segments()) == 3

    def test_nothing_is_left_out_of_a_small_network(self):
        ax = plotting.network(small_network())
        assert title(ax) == "8 links: at most 5 strongest of each of 4 TFs"
        assert sorted(texts(ax)) == sorted(
            {"Pax6", "Isl1", "Nfib", "Sox9", "Ins1", "Ins2", "Gcg", "Sst"}
        )

    def test_the_strongest_links_of_each_tf(self):
        links = random_links(10, 60)
        ax = plotting.network(links, top=2, tfs=4)
        assert title(ax).startswith("8 links: at most 2 strongest of each of 4 TFs")
        strength = links["coef"].abs().groupby(links["TF"]).sum().nlargest(4).index
        own = links[links["TF"].isin(strength)]
        kept = own.loc[own["coef"].abs().groupby(own["TF"]).nlargest(2).index.get_level_values(1)]
        genes = set(kept["TF"]) | set(kept["target"])
        assert set(texts(ax)) == genes
        assert f"{len(links) - 8} of {len(links)} links, 6 of 10 TFs" in title(ax)

    def test_around_a_gene(self):
        ax = plotting.network(small_network(), around="Isl1")
        assert set(texts(ax)) == {"Isl1", "Pax6", "Gcg"}
        assert title(ax).startswith("Isl1: 1 regulators, 2 targets (at most 5 strongest of each)")
        centre = next(text for text in ax.texts if text.get_text() == "Isl1")
        assert to_hex(centre.get_bbox_patch().get_facecolor()) == "#f0e442"

    def test_tfs_only(self):
        ax = plotting.network(small_network(), only_tfs=True)
        assert set(texts(ax)) == {"Pax6", "Isl1"}

    def test_links_of_genes_with_themselves(self):
        links = pd.concat(
            [small_network(), pd.DataFrame({"TF": ["Pax6"], "target": ["Pax6"], "coef": 9.0})]
        )
        ax = plotting.network(links)
        assert "1 of 9 links" in title(ax)

    @pytest.mark.parametrize("top", [5, 20, pytest.param(None, marks=pytest.mark.slow)])
    def test_names_of_tfs_do_not_overlap_at_180_mm(self, top):
        ax = plotting.network(random_links(30, 500), top=top)
        assert np.isclose(ax.figure.get_figwidth(), 180 / 25.4)
        frames = boxes(ax)
        assert len(frames) == 30
        assert n_overlaps(frames) == 0
        frame = ax.figure.bbox
        assert (frames[:, :2] >= frame.min).all()
        assert (frames[:, 2:] <= frame.max).all()
        size = min(text.get_fontsize() for text in ax.texts)
        assert size >= 7

    def test_names_of_targets_do_not_overlap_either(self):
        for links in (random_links(8, 60), small_network(), random_links(5, 25)):
            assert n_overlaps(boxes(plotting.network(links))) == 0

    @pytest.mark.slow
    def test_30_tfs_and_500_targets_take_less_than_5_seconds(self, tmp_path):
        links = random_links(30, 500)
        plotting.network(links)
        start = time.perf_counter()
        plotting.save(plotting.network(links), tmp_path / "network.pdf")
        assert time.perf_counter() - start < 5

    def test_the_same_links_have_the_same_places(self):
        links = random_links(6, 30)
        one, other = (
            plotting.network(each) for each in (links, links.sample(frac=1, random_state=0))
        )
        places = [{t.get_text(): t.get_position() for t in ax.texts} for ax in (one, other)]
        assert places[0] == places[1]

    def test_fits_a_given_axes(self):
        import matplotlib.pyplot as plt

        _, (left, right) = plt.subplots(1, 2, figsize=(7, 3.5))
        ax = plotting.network(small_network(), ax=right)
        assert ax is right
        assert not left.texts
        assert n_overlaps(boxes(ax)) == 0
