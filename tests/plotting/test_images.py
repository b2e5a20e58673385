"""Each picture looks like an image of it that was looked at.

The images are small, and blurred before they are compared: versions of matplotlib and FreeType
place letters a pixel apart. The difference is the root mean square over pixels and colours, of 255:
it is 0 where the images were drawn (matplotlib 3.11), and was 1 to 12 with matplotlib 3.9.0. If a
change of a picture is meant, copy the image that the message names.
"""

from pathlib import Path

import numpy as np
import pytest
from drawn_networks import random_links, small_network

from scifate_sklearn import plotting

BASELINE = Path(__file__).with_name("baseline")
DRAWN_BY, SAME_VERSION, OTHER_VERSION = "3.11", 2.0, 16.0
DPI, BLUR = 65, 3

PICTURES = {
    "cv_curve": lambda f: plotting.cv_curve(f.model, f.target, path=f.path),
    "coefficient_path": lambda f: plotting.coefficient_path(f.model, f.target, f.path, top=4),
    "r2_histogram": lambda f: plotting.r2_histogram(f.model),
    "regulator_ranks": lambda f: plotting.regulator_ranks(f.links, top=8),
    "enrichment": lambda f: plotting.enrichment(f.chip, top=8),
    "fdr_curve": lambda f: plotting.fdr_curve(f.fdr),
    "stability": lambda f: plotting.stability(f.stable),
    "compare": lambda f: plotting.compare({"one": f.links, "other": f.other}, top=1),
    "activity": lambda f: plotting.activity(f.adata, "TF1"),
    "link_heatmap": lambda f: plotting.link_heatmap(f.fdr.links_, tfs=8, targets=12),
    "network": lambda f: plotting.network(random_links(8, 60), top=6),
    "network_around": lambda f: plotting.network(small_network(), around="Pax6"),
}


def blurred(path, size=None):
    from PIL import Image, ImageFilter

    with Image.open(path) as image:
        plain = image.convert("RGB").resize(size or image.size)
    return np.asarray(plain.filter(ImageFilter.GaussianBlur(BLUR)), float)


def difference(path):
    """Return the difference of an image and that of the same name."""
    expected = blurred(BASELINE / path.name)
    found = blurred(path, expected.shape[1::-1])
    return float(np.sqrt(((expected - found) ** 2).mean()))


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name, fits, tmp_path):
    import matplotlib as mpl

    path = tmp_path / f"{name}.png"
    plotting.save(PICTURES[name](fits), path, dpi=DPI)
    is_same = mpl.__version__.startswith(f"{DRAWN_BY}.")
    limit = SAME_VERSION if is_same else OTHER_VERSION
    assert difference(path) < limit, f"{path} differs from tests/plotting/baseline/{name}.png"


def test_images_are_small():
    assert sum(path.stat().st_size for path in BASELINE.iterdir()) < 300_000
    assert {path.stem for path in BASELINE.iterdir()} == set(PICTURES)


def test_a_missing_line_is_noticed(fits, tmp_path):
    ax = plotting.fdr_curve(fits.fdr)
    ax.lines[1].remove()
    plotting.save(ax, tmp_path / "fdr_curve.png", dpi=DPI)
    assert difference(tmp_path / "fdr_curve.png") > SAME_VERSION
