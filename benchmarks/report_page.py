"""Size of a report, time to open it in Chromium, and time of a filter of its table of links.

    python benchmarks/report_page.py --json report_page.json

The links are simulated. The browser is that of the tests (`tests/helpers/browser.py`), headless and
without a network. The time to open ends when all tables and the network are drawn; that of a filter
when the filtered rows are drawn. Both are medians. Without Chromium there is only the size.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import report

from scifate_sklearn import write_report

sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))
from browser import Browser, find_browser

# Milliseconds until the rows of each search are drawn.
FILTER = """(async () => { const [table] = report.tables, times = [];
for (const text of ['gene1', '', 'gene12', '', 'tf7', '']) {
    const start = performance.now();
    table.control('search').value = text;
    table.filter();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
} return times; })()"""
N_OPENINGS = 5


def simulated_links(n: int) -> pd.DataFrame:
    """Return n links of 100 TFs and 5,000 targets."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(100 * 5000, n, replace=False)
    tfs = [f"Tf{pair % 100}" for pair in pairs]
    targets = [f"Gene{pair // 100}" for pair in pairs]
    kept = rng.random(n) < 0.1
    return pd.DataFrame(
        {"TF": tfs, "target": targets, "coef": rng.normal(0, 0.1, n), "kept": kept}
    ).assign(score=rng.normal(size=n))


def measure(n_links: int) -> dict[str, Any]:
    """Return size and times of a report on so many links."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_report(simulated_links(n_links), Path(folder) / "report.html")
        found: dict[str, Any] = {"links": n_links, "mb": path.stat().st_size / 1e6}
        program = find_browser()
        if program is not None:
            with Browser(program) as browser:
                found["open"] = float(np.median([browser.open(path) for _ in range(N_OPENINGS)]))
                found["filter"] = float(np.median(browser.run(FILTER)))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small report")
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    rows = [measure(n) for n in ((1000,) if options.quick else (5000, 50_000))]
    shown = [
        [
            f"{row['links']:,}",
            f"{row['mb']:.1f} MB",
            f"{row['open']:.2f} s" if "open" in row else "",
            f"{row['filter']:.0f} ms" if "filter" in row else "",
        ]
        for row in rows
    ]
    machine = report.machine()
    header = ["links", "size", "opening", "filter"]
    print(report.describe(machine), report.table(header, shown), sep="\n\n")
    report.save_json(options.json, {"machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
