"""The page of a report in headless Chromium without a network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browser import Browser, find_browser
from hostile_results import IMAGE, NAMES, hostile_links, hostile_run

from scifate_sklearn import write_report

pytest.importorskip("bokeh")
pytest.importorskip("jinja2")
PROGRAM = find_browser()
pytestmark = [
    pytest.mark.slow,  # a browser takes seconds
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"),
]

ROWS = "report.tables[0].view.grid.getDataLength()"
FIRST = "report.tables[0].view.data.getItem(0)"


def some_links(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    pairs = rng.choice(100 * 5000, n, replace=False)
    links = pd.DataFrame({"TF": pairs % 100, "target": pairs // 100}).astype(str)
    links = ("Tf" + links["TF"]).to_frame().assign(target="Gene" + links["target"])
    score = rng.normal(size=n)
    return links.assign(coef=rng.normal(0, 0.1, n), kept=rng.random(n) < 0.1, score=score)


LINKS = some_links(3000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(str(PROGRAM)) as found:
        yield found


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    browser.open(write_report(LINKS, tmp_path / "report.html"))
    yield browser
    assert not browser.problems
    assert not browser.requests


def change(page: Browser, form: str, name: str, value: object) -> None:
    """Set a control as a user does."""
    page.run(
        f"""(() => {{
        const control = document.getElementById('{form}-controls').elements.namedItem('{name}');
        control.value = '{value}';
        control.dispatchEvent(new Event('input', {{ bubbles: true }}));
        control.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})()"""
    )


class TestTable:
    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("search", "GENE12", LINKS["target"].str.contains("Gene12")),
            ("TF", "tf7", LINKS["TF"] == "Tf7"),
            ("target", "Gene7", LINKS["target"] == "Gene7"),
            ("sign", -1, LINKS["coef"] < 0),
            ("coef", 0.05, LINKS["coef"].abs() >= 0.05),
            ("kept", "yes", LINKS["kept"]),
        ],
    )
    def test_filters(self, name: str, value: object, expected: Any, page: Browser) -> None:
        change(page, "table0", name, value)
        n = int(expected.sum())
        assert page.run(ROWS) == n
        assert page.run("report.tables[0].status.textContent") == f"{n:,} of 3,000 rows are shown."
        page.run("report.tables[0].controls.reset()")
        page.wait(f"{ROWS} === 3000")

    def test_order(self, page: Browser) -> None:
        assert page.run(f"{FIRST}.c2") == LINKS.loc[LINKS["coef"].abs().idxmax(), "coef"]
        change(page, "table0", "sort", "c2")
        assert page.run(f"{FIRST}.c2") == LINKS["coef"].max()
        change(page, "table0", "order", "1")
        change(page, "table0", "kept", "yes")
        assert page.run(f"{FIRST}.c2") == LINKS.loc[LINKS["kept"], "coef"].min()
        change(page, "table0", "sort", "c0")
        assert page.run(f"{FIRST}.c0") == "Tf0"

    def test_click_on_a_title(self, page: Browser) -> None:
        page.run("document.getElementById('table0').scrollIntoView()")
        x, y = page.run(
            """(() => { const titles = report.tables[0].view.shadow_el
            .querySelectorAll('.slick-header-column');
            const box = titles[2].getBoundingClientRect();
            return [box.x + 20, box.y + box.height / 2]; })()"""
        )
        page.click(x, y)
        assert page.run("report.tables[0].control('sort').value") == "c2"
        assert page.run(f"{FIRST}.c2") == LINKS["coef"].max()


class TestNetwork:
    def test_search(self, page: Browser) -> None:
        change(page, "network", "links", "all")
        change(page, "network", "gene", "tf7")
        own = LINKS[LINKS["TF"] == "Tf7"]
        status = page.run("report.network.status.textContent")
        assert status == f"Tf7: {len(own)} targets, 0 regulators. All are drawn."
        names = page.run("Array.from(report.network.nodes.data.name)")
        assert set(names) == {"Tf7", *own["target"]}
        colours = page.run("Array.from(report.network.edges.data.colour)")
        assert colours.count("#d55e00") == (own["coef"] > 0).sum()

    def test_what_is_left_out_is_said(self, page: Browser) -> None:
        change(page, "network", "links", "all")
        status = page.run("report.network.status.textContent")
        assert status == "3,000 links. The 100 strongest are drawn, 2,900 are not."
        assert len(page.run("Array.from(report.network.edges.data.start)")) == 100

    def test_unknown_name(self, page: Browser) -> None:
        change(page, "network", "gene", "Tf999")
        assert "No TF or target" in page.run("report.network.status.textContent")

    def place(self, page: Browser, k: int) -> tuple[float, float]:
        page.run("document.getElementById('network').scrollIntoView()")
        return tuple(
            page.run(
                f"""(() => {{
                const {{ view, places }} = report.network;
                const box = view.canvas_view.el.getBoundingClientRect();
                const {{ x_scale, y_scale }} = view.frame;
                return [box.x + x_scale.compute(places[{k}].x),
                        box.y + y_scale.compute(places[{k}].y)];
                }})()"""
            )
        )

    def test_click_and_back(self, page: Browser) -> None:
        name = page.run("report.network.nodes.data.name[0]")
        page.click(*self.place(page, 0))
        page.wait(f"report.network.gene === '{name}'")
        page.run("report.network.control('back').click()")
        assert page.run("report.network.gene") is None

    def test_drag(self, page: Browser) -> None:
        change(page, "network", "gene", "Tf7")
        page.run("new Promise((done) => setTimeout(done, 100))")
        range_ = page.run("report.network.plot.x_range.start")
        x, y = self.place(page, 0)
        page.drag((x, y), (x + 60, y - 40))
        page.run("new Promise((done) => setTimeout(done, 100))")
        moved = self.place(page, 0)
        assert moved == pytest.approx((x + 60, y - 40), abs=3)
        assert page.run("report.network.plot.x_range.start") == range_

    def test_rows_lead_to_the_network(self, page: Browser) -> None:
        page.run("report.tables[1].source.selected.indices = [3]")
        assert page.run("report.network.gene") == page.run("report.tables[1].column('TF')[3]")


def test_the_keyboard_reaches_all_controls(page: Browser) -> None:
    """Tab reaches each control; the arrow keys move through the rows of a table."""
    controls = page.run(
        """Array.from(document.querySelectorAll('form :is(input, select, button)'))
        .filter((e) => e.offsetParent && !e.disabled)
        .map((e) => `${e.form.id} ${e.name || e.id || e.tagName}`)"""
    )
    page.run("document.body.focus()")
    reached: set[str] = set()
    for _ in range(400):
        page.press("Tab")
        reached.add(
            page.run(
                """(() => { const e = document.activeElement;
                return `${e.form?.id ?? e.closest('section')?.id} ${e.name || e.id || e.tagName}`;
                })()"""
            )
        )
    missing = set(controls) - reached
    assert not missing
    assert {"network plot", "methods copy"} <= reached
    page.run("report.tables[1].view.grid.setActiveCell(0, 0); report.tables[1].view.grid.focus()")
    page.press("ArrowDown")
    page.wait("report.network.gene === report.tables[1].column('TF')[1]")


class TestHostileNames:
    def test_stay_text(self, browser: Browser, tmp_path: Path) -> None:
        tables = {"links": hostile_links(), IMAGE: hostile_links()}
        picture = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(5)</script></svg>"
        path = tmp_path / "report.html"
        browser.open(write_report(tables, path, run=hostile_run(), pictures=[(IMAGE, picture)]))
        for k in range(len(NAMES)):
            browser.run(f"report.network.show(report.network.tfs[{k}])")
            browser.run("new Promise((done) => setTimeout(done, 30))")
        images, shown = browser.run(
            """(() => {
            const roots = [document, ...report.tables.map((table) => table.view.shadow_el)];
            return [roots.map((root) => root.querySelectorAll('img').length),
                roots.slice(1).map((root) => root.textContent.includes('<img src=x'))];
            })()"""
        )
        assert images == [1, *[0] * (len(images) - 1)]
        assert all(shown)
        titles = browser.run("report.tables[0].view.shadow_el.textContent")
        assert f"<b>col</b>{IMAGE}" in titles
        assert IMAGE in browser.run("document.title")
        assert not browser.problems
        assert not browser.requests

    def test_tooltips(self, browser: Browser, tmp_path: Path) -> None:
        links = pd.DataFrame({"TF": [IMAGE], "target": ["x"], "coef": [1.0]})
        browser.open(write_report(links, tmp_path / "report.html"))
        x, y = TestNetwork().place(browser, 0)
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=x - 3, y=y)
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        browser.wait(f"document.getElementById('plot').title === '{IMAGE} (TF)'")
        assert not browser.problems


def test_fifty_thousand_links(browser: Browser, tmp_path: Path) -> None:
    """Filters find the rows that pandas finds, also if the rows are sorted."""
    links = some_links(50_000)
    path = write_report(links, tmp_path / "report.html")
    assert path.stat().st_size < 8e6
    browser.open(path)
    names = (links["TF"] + " " + links["target"]).str.lower()
    for sort in ("", "c0", "c2"):
        change(browser, "table0", "sort", sort)
        for text in ("gene12", "tf7", ""):
            change(browser, "table0", "search", text)
            expected = int(names.str.contains(text, regex=False).sum())
            browser.wait(f"{ROWS} === {expected}")
    assert not browser.problems
