"""The front page is short, works on PyPI, and leads to the answers in one step."""

import re
from typing import Any

import pytest


@pytest.fixture
def front_page(pages: dict[str, Any]) -> Any:
    return pages["README.md"]


def test_length(front_page: Any) -> None:
    assert 70 <= len(front_page.markdown.splitlines()) <= 160


def test_the_two_commands(front_page: Any) -> None:
    scripts = [block.text for block in front_page.blocks if block.language == "bash"]
    lines = [line for script in scripts for line in script.splitlines()]
    assert "pip install . && scifate demo" in lines
    assert "pip install '.[test]' && pytest" in lines


def test_links_are_absolute(front_page: Any) -> None:
    """On PyPI neither relative links nor anchors within the page lead anywhere."""
    written = re.findall(r"\]\(([^)\s]+)\)", front_page.prose)
    assert len(written) > 15
    assert [text for text in written if not text.startswith("https://")] == []


def test_all_pages_are_linked(front_page: Any, pages: dict[str, Any]) -> None:
    index = pages["docs/README.md"]
    for start in (front_page, index):
        linked = {link.file for link in start.links} | {front_page.path, index.path}
        assert {page.path for page in pages.values()} <= linked


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "How do I load my file?",
            ["read_h5ad", "nt_layers", "read_tf_names", "unspliced", "cell_filter_UMI"],
        ),
        (
            "What does each result column mean?",
            ["`coef`", "`r2`", "`lambda_`", "`chip_q`", "`reason`", "`verdict`", "`q`", "`Conf`"],
        ),
        (
            "Why did my run keep nothing?",
            ["`ledger.csv`", "`TF not in the ChIP-seq reference`", "coef_threshold", "lambda_rule"],
        ),
    ],
)
def test_answers_within_one_click(
    question: str, expected: list[str], front_page: Any, pages: dict[str, Any]
) -> None:
    """The row of the question links to the page, at the heading, below which the answer is."""
    row = next(line for line in front_page.prose.splitlines() if line.startswith(f"| {question}"))
    link = next(link for link in front_page.links if f"({link.written})" in row)
    page = next(page for page in pages.values() if page.path == link.file)
    answer = below(page, link.anchor)
    assert not [text for text in expected if text not in answer]


def below(page: Any, anchor: str) -> str:
    """Return the text below the heading of an anchor, subsections included; without it, all."""
    if not anchor:
        return page.markdown
    headings = list(re.finditer(r"^(#+) .+$", page.prose, re.MULTILINE))
    place = page.anchors.index(anchor)
    depth = len(headings[place][1])
    ends = [h.start() for h in headings[place + 1 :] if len(h[1]) <= depth]
    return page.prose[headings[place].end() : min(ends, default=None)]
