"""The messages of the page of questions are those that the package gives."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from scifate_sklearn import BindingReference, EncodeLinkFilter, prepare_anndata

GENES = [f"Gene{i}" for i in range(40)]


def cells(mean: float = 5.0) -> AnnData:
    """Return cells with so many counts per gene; two genes have the same symbol."""
    counts = np.random.default_rng(0).poisson(mean, (20, len(GENES))).astype(np.float64)
    var = pd.DataFrame({"symbol": ["Gene0", *GENES[:-1]]}, index=pd.Index(GENES))
    layers = {"new": counts, "total": 2 * counts, "other": counts[::-1]}
    return AnnData(layers=layers, var=var)


def logged_cells() -> AnnData:
    adata = cells()
    adata.layers["total"] = np.log1p(adata.layers["total"])
    return adata


def filter_links(tf_names: list[str]) -> None:
    """Test links of Gene0 to Gene19 against peaks of `tf_names`."""
    links = pd.DataFrame({"TF": GENES[:20], "target": GENES[20:], "coef": 0.1})
    edges = pd.DataFrame({"TF": tf_names, "target": GENES[: len(tf_names)]})
    EncodeLinkFilter(BindingReference.from_edges(edges, GENES)).fit(links)


def read_peaks(row: str) -> None:
    """Read a table of peaks with a row more."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "peaks.csv")
        path.write_text(f"TF,target,peak\nGene0,Gene2,1\nGene0,Gene3,0\n{row}\n")
        BindingReference.read(path)


MISTAKES: dict[str, Callable[[], object]] = {
    "TF names of another species": lambda: prepare_anndata(cells(), ["GENE1"]),
    "too high a threshold for cells": lambda: prepare_anndata(cells(), GENES),
    "too high a threshold for genes": lambda: prepare_anndata(cells(mean=0.01), GENES),
    "no such layer": lambda: prepare_anndata(cells(), GENES, nt_layers=("unspliced", "total")),
    "logarithms": lambda: prepare_anndata(logged_cells(), GENES),
    "swapped layers": lambda: prepare_anndata(cells(), GENES, nt_layers=("total", "new")),
    "total without the new RNA": lambda: prepare_anndata(
        cells(), GENES, nt_layers=("new", "other"), cell_filter_UMI=0
    ),
    "two genes of one name": lambda: prepare_anndata(
        cells(), GENES, gene_symbols="symbol", cell_filter_UMI=0
    ),
    "no TF in common": lambda: filter_links(["OTHER1", "OTHER2"]),
    "few TFs in common": lambda: filter_links(["Gene0", *(f"OTHER{i}" for i in range(30))]),
    "a name that is a date": lambda: read_peaks("2-Sep,Gene1,1"),
    "a peak that is missing": lambda: read_peaks("Gene0,Gene1,"),
    "bound pairs only": lambda: BindingReference.from_edges(
        pd.DataFrame({"TF": "Gene0", "target": GENES})
    ),
}


def message_of(mistake: Callable[[], object]) -> str:
    """Return the message of the error or of the warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            mistake()
        except (ValueError, UserWarning) as error:
            return str(error)
    raise AssertionError("nothing was raised")


@pytest.fixture(scope="module")
def patterns(pages: dict[str, Any]) -> list[re.Pattern[str]]:
    """Return the messages of the page; an ellipsis stands for any text."""
    shown = [b.text.strip() for b in pages["docs/questions.md"].blocks if b.language == "text"]
    return [re.compile(".+".join(map(re.escape, text.split("…")))) for text in shown]


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_frequent_message_is_on_the_page(
    mistake: Callable[[], object], patterns: list[re.Pattern[str]]
) -> None:
    message = message_of(mistake)
    assert any(pattern.fullmatch(message) for pattern in patterns), message


def test_no_message_of_the_page_is_outdated(patterns: list[re.Pattern[str]]) -> None:
    messages = [message_of(mistake) for mistake in MISTAKES.values()]
    assert not [p.pattern for p in patterns if not any(map(p.fullmatch, messages))]


def test_reasons_are_those_of_the_result_files(pages: dict[str, Any]) -> None:
    section = pages["docs/questions.md"].section("No links are left")
    cells = [row.split(" | ")[0] for row in section.splitlines() if row.startswith("| reasons ")]
    reasons = {span for cell in cells for span in re.findall(r"`([^`]+)`", cell)}
    assert len(reasons) > 3
    assert reasons <= set(pages["docs/command-line.md"].code_spans)
