"""Sizes, files, names as text, and what is never changed."""

import re
import subprocess
import sys

import numpy as np
import pytest
from drawn_networks import small_network
from matplotlib import pyplot as plt
from matplotlib import rcParams

from scifate_sklearn import plotting

HOSTILE = [
    r"$\frac{1}{0}$", "$x$", "a$b", r"\$", "two\nlines", "\x1b[31mred", "nul\x00", "_hidden",
    "\u202egnp.exe", "<b>&amp;", "x" * 500, "\ud800", r"\input{/etc/passwd}", "{", "^_", " ",
]  # fmt: skip


def hostile_links():
    names = HOSTILE[:-1]
    links = small_network().iloc[[0] * len(names)].reset_index(drop=True)
    links["TF"], links["target"] = names, names[1:] + names[:1]
    return links.assign(coef=np.linspace(-1, 1, len(links)) + 0.01)


def drawn_texts(figure):
    from matplotlib.text import Text

    return [text for text in figure.findobj(Text) if text.get_text()]


class TestStyle:
    def test_a_column_is_85_mm(self, fits):
        for ax in (plotting.r2_histogram(fits.model), plotting.fdr_curve(fits.fdr)):
            assert np.isclose(ax.figure.get_figwidth(), 85 / 25.4)
            ax.figure.draw_without_rendering()
            assert min(text.get_fontsize() for text in drawn_texts(ax.figure)) >= 5

    def test_a_slide_has_everything_larger(self, fits):
        column = plotting.r2_histogram(fits.model)
        with plotting.style("slide"):
            slide = plotting.r2_histogram(fits.model)
            board = plotting.link_heatmap(small_network())
        assert np.isclose(slide.figure.get_figwidth(), 2.5 * column.figure.get_figwidth())
        assert slide.xaxis.label.get_fontsize() == 2.5 * column.xaxis.label.get_fontsize()
        assert slide.lines[0].get_linewidth() == 2.5 * column.lines[0].get_linewidth()
        small = plotting.link_heatmap(small_network())
        assert board.figure.get_figwidth() > 1.8 * small.figure.get_figwidth()

    def test_points_of_a_slide_are_larger_too(self, fits):
        draws = (
            lambda: plotting.stability(fits.stable),
            lambda: plotting.activity(fits.adata, "TF1"),
            lambda: plotting.compare({"a": fits.links, "b": fits.other}, top=1),
        )
        for draw in draws:
            column = draw().collections[-1].get_sizes()
            with plotting.style("slide"):
                np.testing.assert_allclose(draw().collections[-1].get_sizes(), 2.5**2 * column)

    def test_parameters_are_not_changed(self, fits, tmp_path):
        before = dict(rcParams)
        with plotting.style("slide"):
            plotting.cv_curve(fits.model, fits.target)
        plotting.save(plotting.network(small_network()), tmp_path / "network.pdf")
        plotting.link_heatmap(small_network())
        plotting.compare({"a": fits.links, "b": fits.other})
        with pytest.raises(ZeroDivisionError), plotting.style():
            raise ZeroDivisionError
        assert dict(rcParams) == before

    @pytest.mark.slow
    def test_parameters_are_not_changed_by_the_first_import(self):
        code = (
            "import matplotlib; matplotlib.use('agg'); before = dict(matplotlib.rcParams)\n"
            "import pandas as pd; from scifate_sklearn import plotting\n"
            "links = pd.DataFrame({'TF': ['A', 'B'], 'target': ['C', 'C'], 'coef': [0.1, -0.2]})\n"
            "plotting.link_heatmap(links)\n"
            "assert dict(matplotlib.rcParams) == before\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr

    def test_pictures_do_not_depend_on_parameters(self, fits):
        expected = plotting.r2_histogram(fits.model)
        with plt.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
            ax = plotting.r2_histogram(fits.model)
        assert ax.xaxis.label.get_fontsize() == expected.xaxis.label.get_fontsize()
        assert ax.get_facecolor() == expected.get_facecolor()

    def test_given_axes_keep_their_size(self, fits):
        figure, ax = plt.subplots(figsize=(4, 3))
        assert plotting.stability(fits.stable, ax=ax) is ax
        assert figure.get_size_inches().tolist() == [4, 3]
        assert plt.get_fignums() == [figure.number]

    def test_axes_in_a_part_of_a_figure(self, fits):
        parts = plt.figure(figsize=(8, 4)).subfigures(1, 2)
        ax = parts[1].subplots()
        assert plotting.coefficient_path(fits.model, fits.target, fits.path, ax=ax) is ax
        assert plotting.network(small_network(), ax=parts[0].subplots()).texts

    def test_an_error_leaves_no_figure(self, fits, monkeypatch):
        monkeypatch.setattr("matplotlib.axes.Axes.hist", None)
        with pytest.raises(TypeError):
            plotting.r2_histogram(fits.model)
        assert plt.get_fignums() == []

    def test_show_is_never_called(self, fits, monkeypatch):
        monkeypatch.setattr(plt, "show", None)
        plotting.r2_histogram(fits.model)
        plotting.link_heatmap(small_network())


class TestFiles:
    def test_text_of_svg_and_pdf_can_be_edited(self, fits, tmp_path):
        ax = plotting.regulator_ranks(small_network())
        plotting.save(ax, tmp_path / "ranks.svg")
        svg = (tmp_path / "ranks.svg").read_text(encoding="utf-8")
        assert re.search(r"<text[^>]*>Pax6</text>", svg)
        plotting.save(ax, tmp_path / "ranks.pdf")
        assert b"/Subtype /Type0" in (tmp_path / "ranks.pdf").read_bytes()
        assert b"/Subtype /Type3" not in (tmp_path / "ranks.pdf").read_bytes()

    def test_a_board_and_a_figure_are_saved(self, tmp_path):
        board = plotting.link_heatmap(small_network())
        plotting.save(board, tmp_path / "board.png", dpi=50)
        plotting.save(board.figure, tmp_path / "figure.png", dpi=50)
        assert (tmp_path / "board.png").read_bytes() == (tmp_path / "figure.png").read_bytes()

    def test_a_file_is_complete_or_not_there(self, tmp_path):
        ax = plotting.network(small_network())
        (tmp_path / "network.xyz").write_text("old")
        with pytest.raises(ValueError, match="xyz"):
            plotting.save(ax, tmp_path / "network.xyz")
        assert [path.name for path in tmp_path.iterdir()] == ["network.xyz"]
        assert (tmp_path / "network.xyz").read_text() == "old"

    def test_something_else(self, tmp_path):
        with pytest.raises(TypeError, match="`picture` must be what a function"):
            plotting.save(small_network(), tmp_path / "x.png")


@pytest.mark.filterwarnings("ignore:Glyph")
class TestHostileNames:
    def test_names_stay_text(self, tmp_path):
        links = hostile_links()
        pictures = [
            plotting.network(links), plotting.regulator_ranks(links), plotting.link_heatmap(links),
            plotting.compare({"$a$": links, "b\n": links}, top=3),
            plotting.network(links, around=HOSTILE[0]),
        ]  # fmt: skip
        for number, picture in enumerate(pictures):
            for ending in ("svg", "pdf", "png"):
                plotting.save(picture, tmp_path / f"{number}.{ending}", dpi=40)
            svg = (tmp_path / f"{number}.svg").read_text(encoding="utf-8")
            assert "[31mred" not in svg or r"\x1b[31mred" in svg
            assert "\u202e" not in svg
            assert "\x00" not in svg
            for text in drawn_texts(picture.figure):
                assert text.get_text().isprintable() or "\n" in text.get_text()

    def test_dollars_are_shown(self, tmp_path):
        plotting.save(plotting.regulator_ranks(hostile_links()), tmp_path / "ranks.svg")
        svg = (tmp_path / "ranks.svg").read_text(encoding="utf-8")
        shown = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
        assert {r"$\frac{1}{0}$", "$x$", "a$b", r"two\nlines", "_hidden"} <= set(shown)

    def test_targets_tfs_and_embeddings(self, fits):
        name = "$x$\n"
        model = type(fits.model)().fit(
            fits.tfs.rename(columns={"TF1": "$t$"}),
            fits.new[[fits.target]].set_axis([name], axis=1),
        )
        path = model.coefficient_path(
            fits.tfs.rename(columns={"TF1": "$t$"}),
            fits.new[[fits.target]].set_axis([name], axis=1),
            name,
        )
        for ax in (plotting.cv_curve(model, name), plotting.coefficient_path(model, name, path)):
            assert ax.get_title(loc="left").startswith(r"\$x\$\n:")
            ax.figure.draw_without_rendering()
        activity = fits.activity.set_axis([name], axis=1)
        ax = plotting.activity(fits.adata, name, values=activity)
        ax.figure.draw_without_rendering()
        assert "\n" not in ax.get_title(loc="left")

    def test_usetex_of_the_user_does_not_reach_names(self):
        with plt.rc_context({"text.usetex": True}):
            network, ranks = (plt.figure().add_subplot() for _ in range(2))
            plotting.network(small_network(), ax=network)
            plotting.regulator_ranks(small_network(), ax=ranks)
            for ax in (network, ranks):
                for text in [ax.title, *ax.texts, *ax.get_yticklabels(), *ax.legend_.texts]:
                    assert not text.get_usetex()
