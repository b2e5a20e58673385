"""A text for the methods section: versions, parameters, counts and citations of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from .._version import __version__
from ._text import as_text

_CITATIONS = {
    "sci-fate": "Cao J, Zhou W, Steemers F, Trapnell C, Shendure J. Sci-fate characterizes the "
    "dynamics of gene expression in single cells. Nature Biotechnology 38, 980–988 (2020). "
    "doi:10.1038/s41587-020-0480-9",
    "glmnet": "Friedman J, Hastie T, Tibshirani R. Regularization paths for generalized linear "
    "models via coordinate descent. Journal of Statistical Software 33(1), 1–22 (2010). "
    "doi:10.18637/jss.v033.i01",
    "bh": "Benjamini Y, Hochberg Y. Controlling the false discovery rate: a practical and powerful "
    "approach to multiple testing. Journal of the Royal Statistical Society B 57, 289–300 (1995).",
    "stability": "Shah RD, Samworth RJ. Variable selection with error control: another look at "
    "stability selection. Journal of the Royal Statistical Society B 75, 55–80 (2013). "
    "doi:10.1111/j.1467-9868.2011.01034.x",
    "encode": "The ENCODE Project Consortium. An integrated encyclopedia of DNA elements in the "
    "human genome. Nature 489, 57–74 (2012).",
    "cistarget": "Aibar S et al. SCENIC: single-cell regulatory network inference and clustering. "
    "Nature Methods 14, 1083–1086 (2017). doi:10.1038/nmeth.4463",
}
_RULES = {
    "1se": "the largest penalty within one standard error of the lowest cross-validated error",
    "min": "the penalty with the lowest cross-validated error",
    "1se_cells": "the largest penalty whose error, compared cell by cell, is within one standard "
    "error of the lowest",
    "aic": "the penalty with the lowest Akaike information criterion",
    "bic": "the penalty with the lowest Bayesian information criterion",
    "ebic": "the penalty with the lowest extended Bayesian information criterion",
}
_WITHOUT_FOLDS = ("aic", "bic", "ebic")


class Methods:
    """Text for the methods section, and the works that it cites, in this order."""

    def __init__(self, run: Mapping[str, Any]) -> None:
        self._run = run
        self._options: Mapping[str, Any] = run.get("parameters", {})
        self._steps: Mapping[str, Mapping[str, int]] = run.get("steps", {})
        self._cited: list[str] = []
        self.text = as_text(" ".join(self._sentences()))

    @property
    def citations(self) -> list[str]:
        """The cited works, numbered from 1."""
        return [f"{k}. {_CITATIONS[name]}" for k, name in enumerate(self._cited, 1)]

    def _cite(self, name: str) -> str:
        if name not in self._cited:
            self._cited.append(name)
        return f"[{self._cited.index(name) + 1}]"

    def _sentences(self) -> Iterator[str]:
        versions = dict(self._run.get("versions", {"scifate_sklearn": __version__}))
        own = versions.pop("scifate_sklearn", __version__)
        others = ", ".join(f"{name} {version}" for name, version in versions.items())
        yield (
            "Links between transcription factors (TFs) and target genes were inferred from newly "
            f"made RNA by the method of sci-fate {self._cite('sci-fate')}, as implemented in "
            f"scifate_sklearn {own}{f' ({others})' if others else ''}."
        )
        if self._options:
            yield from self._preparation()
            yield self._fit()
            yield from self._tests()
            yield from self._evidence()

    def _preparation(self) -> Iterator[str]:
        get = self._options.get
        yield (
            f"The response was the layer “{get('new')}” and the regulators were taken from the "
            f"layer “{get('total')}”."
        )
        yield (
            f"Genes detected in more than {_percent(get('gene_filter_rate'))} of the cells in both "
            f"layers were kept{self._counts('genes', 'genes')}, then cells with more than "
            f"{_number(get('cell_filter_umi'))} counts in these genes"
            f"{self._counts('cells', 'cells')}; {self._n('tfs')}TFs of the list were among the "
            "kept genes."
        )
        if get("response") == get("regulators") == "counts":
            yield (
                "Counts were divided by the size factor of the cell, transformed to log(x + 0.1) "
                "and z-scored."
            )
        if covariates := get("covariates"):
            yield f"Covariates of the models were {', '.join(map(str, covariates))}."
        if by := get("by"):
            groups = ", ".join(map(str, self._run.get("groups", {})))
            yield f"A network was fitted for each group of cells by “{by}” ({groups})."

    def _fit(self) -> str:
        get, rule = self._options.get, str(self._options.get("lambda_rule"))
        if rule in _WITHOUT_FOLDS:
            validation = ""
        else:
            repeats = get("repeats", 1)
            times = f", repeated {repeats} times" if repeats != 1 else ""
            validation = f" by {get('folds')}-fold cross-validation (seed {get('seed')}{times})"
        chosen = _RULES.get(rule, f"the fixed penalty {rule}")
        return (
            "For each target gene, a LASSO on the TFs whose absolute correlation with it exceeds "
            f"0.03 was fitted with the estimator of glmnet {self._cite('glmnet')}; the penalty was "
            f"selected{validation}: {chosen}. {self._links_found()}"
        )

    def _links_found(self) -> str:
        step = self._steps.get("links_above_threshold")
        if step is None:
            return ""
        threshold = _number(self._options.get("coef_threshold"))
        return (
            f"This gave {step['before']:,} links with a coefficient other than 0, of which "
            f"{step['kept']:,} have an absolute coefficient above {threshold}."
        )

    def _tests(self) -> Iterator[str]:
        get = self._options.get
        if get("fdr") is not None:
            yield (
                "Each link was tested for an effect of its own TF, given all others, by a t "
                f"statistic that is robust to unequal noise; links with q ≤ {_number(get('fdr'))} "
                f"{self._cite('bh')} were kept{self._counts('links_kept_by_test', 'links')}."
            )
        if get("stability") is not None:
            yield (
                f"Links were kept if at least {_percent(get('stability'))} of 100 halves of the "
                f"folds select them {self._cite('stability')}"
                f"{self._counts('links_stable', 'links')}."
            )

    def _evidence(self) -> Iterator[str]:
        get = self._options.get
        if encode := get("encode"):
            strict = ", of enriched TFs and with a peak only" if get("strict") else ""
            yield (
                f"Links of TFs whose strong targets are enriched in their ChIP-seq peaks "
                f"({_file_names(encode)}; {self._cite('encode')} if from ENCODE) by Fisher's exact "
                f"test (Holm-adjusted p < 0.05) were kept{strict}."
            )
        if motifs := get("motifs"):
            yield (
                f"Links of TFs with an enriched motif ({_file_names(motifs)}; "
                f"{self._cite('cistarget')}) that ranks the target in its leading edge were kept."
            )
        if "links_filtered" in self._steps:
            step = self._steps["links_filtered"]
            yield f"Evidence kept {step['kept']:,} of {step['before']:,} links."

    def _counts(self, step: str, things: str) -> str:
        found = self._steps.get(step)
        return "" if found is None else f" ({found['kept']:,} of {found['before']:,} {things})"

    def _n(self, step: str) -> str:
        found = self._steps.get(step)
        return "" if found is None else f"{found['kept']:,} "


def _number(value: object) -> str:
    return f"{value:,g}" if isinstance(value, int | float) else str(value)


def _percent(share: object) -> str:
    return f"{100 * share:g} %" if isinstance(share, int | float) else str(share)


def _file_names(paths: object) -> str:
    given = paths if isinstance(paths, list) else [paths]
    return ", ".join(PurePath(str(path)).name for path in given)
