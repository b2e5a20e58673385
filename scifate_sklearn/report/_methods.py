"""A text for the methods section: versions, parameters, counts and citations of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ._text import as_text

if TYPE_CHECKING:
    import pandas as pd

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
_COUNTS = "divided by the size factor of the cell, transformed to log(x + 0.1) and z-scored"
# Contents of the response and of the regulators.
_SCALING = {
    ("counts", "counts"): f"Counts were {_COUNTS}.",
    ("values", "counts"): "The response consisted of values instead of counts, which were only "
    f"z-scored. Counts of the regulators were {_COUNTS}.",
    ("counts", "values"): "The regulators were values instead of counts, which were only z-scored. "
    "Counts of the response were transformed to log(x + 0.1) and z-scored, without size factors.",
    ("values", "values"): "Values were used instead of counts, for the response and the "
    "regulators; they were only z-scored.",
}


class Methods:
    """Text for the methods section, and the works that it cites, in this order.

    Sentences on options that `run` lacks, or has with another type, are left out.

    Parameters
    ----------
    run : mapping
        Content of ``run.json``; empty if there is none.
    links : DataFrame or None, default=None
        The links, which are counted if the options of the run are not known.
    """

    def __init__(self, run: Mapping[str, Any], links: pd.DataFrame | None = None) -> None:
        self._run = run
        self._options: Mapping[str, Any] = run.get("parameters", {})
        self._steps: Mapping[str, Mapping[str, int]] = run.get("steps", {})
        self._groups: Mapping[str, Mapping[str, Mapping[str, int]]] = run.get("groups", {})
        self._cited: list[str] = []
        sentences = self._sentences() if self._options else self._without_run(links)
        self.text = as_text(" ".join(filter(None, sentences)))

    @property
    def citations(self) -> list[str]:
        """The cited works, numbered from 1."""
        return [f"{k}. {_CITATIONS[name]}" for k, name in enumerate(self._cited, 1)]

    def _cite(self, name: str) -> str:
        if name not in self._cited:
            self._cited.append(name)
        return f"[{self._cited.index(name) + 1}]"

    def _text(self, name: str) -> str | None:
        value = self._options.get(name)
        return value if isinstance(value, str) else None

    def _number(self, name: str) -> float | None:
        value = self._options.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number else None

    def _versions(self) -> str:
        versions = dict(self._run.get("versions", {}))
        own = versions.pop("scifate_sklearn", __version__)
        others = ", ".join(f"{name} {version}" for name, version in versions.items())
        return f"scifate_sklearn {own}{f' ({others})' if others else ''}"

    def _without_run(self, links: pd.DataFrame | None) -> Iterator[str]:
        if links is not None:
            yield (
                f"There are {len(links):,} links of {links['TF'].nunique():,} transcription "
                "factors (TFs)."
            )
        yield (
            f"This report was made with {self._versions()}. How the links were inferred was not "
            "recorded with them: fill in the cells, the method and its parameters."
        )

    def _sentences(self) -> Iterator[str]:
        source = "" if self._text("response") == "values" else "from newly made RNA "
        yield (
            f"Links between transcription factors (TFs) and target genes were inferred {source}"
            f"by the method of sci-fate {self._cite('sci-fate')}, as implemented in "
            f"{self._versions()}."
        )
        yield from self._preparation()
        yield self._fit()
        yield self._links_found()
        yield from self._tests()
        yield from self._evidence()

    def _preparation(self) -> Iterator[str]:
        new, total = self._text("new"), self._text("total")
        if new is not None and total is not None:
            yield (
                f"The response was the layer “{new}” and the regulators were taken from the "
                f"layer “{total}”."
            )
        yield self._by()
        yield from self._filters()
        yield self._detection()
        yield _SCALING.get((self._text("response") or "", self._text("regulators") or ""), "")
        covariates = self._options.get("covariates")
        if isinstance(covariates, list | tuple) and covariates:
            yield f"Covariates of the models were {', '.join(map(str, covariates))}."

    def _by(self) -> str:
        by, least = self._text("by"), self._number("min_cells")
        if by is None:
            return ""
        names = f" ({', '.join(map(str, self._groups))})" if self._groups else ""
        skipped = ", ".join(map(str, self._run.get("skipped_groups", {})))
        rule = f" with at least {least:,g} cells that pass the filters" if least else ""
        return (
            f"Genes and cells were filtered, and a network was fitted, within each group of cells "
            f"by “{by}”{rule}{names}.{f' Groups without a network: {skipped}.' if skipped else ''}"
        )

    def _filters(self) -> Iterator[str]:
        rate, least = self._number("gene_filter_rate"), self._number("cell_filter_umi")
        has_values = [self._text(name) == "values" for name in ("response", "regulators")]
        if rate is not None and not all(has_values):
            yield (
                f"Genes detected in more than {100 * rate:g} % of the cells in each layer of "
                f"counts were kept{self._counts('genes', 'genes')}."
            )
        if least is not None and not has_values[1]:
            yield (
                f"Cells with more than {least:,g} counts in the kept genes were kept"
                f"{self._counts('cells', 'cells')}."
            )
        if found := self._found("tfs"):
            yield f"{found[1]} TFs of the list were among the kept genes{found[2]}."

    def _detection(self) -> str:
        given = self._options.get("detection_rate")
        if given is None or not isinstance(given, str | int | float):
            return ""
        try:
            rate = f"{float(given):g}"
        except ValueError:
            rate = f"the column “{given}” of the cells"
        return (
            f"New counts were divided by the share of new RNA that is recognised as new ({rate}), "
            "at most to the total counts."
        )

    def _fit(self) -> str:
        rule = self._text("lambda_rule")
        if rule is None:
            penalty = ""
        elif rule not in _RULES:
            penalty = f"; the penalty was fixed at {rule}"
        else:
            validation = "" if rule in _WITHOUT_FOLDS else self._validation()
            penalty = f"; the penalty was selected{validation}: {_RULES[rule]}"
        return (
            "For each target gene, a LASSO on the TFs whose absolute correlation with it exceeds "
            f"0.03 was fitted with the estimator of glmnet {self._cite('glmnet')}{penalty}."
        )

    def _validation(self) -> str:
        folds, repeats = self._number("folds"), self._number("repeats")
        groups, seed = self._text("groups"), self._number("seed")
        is_repeated = repeats is not None and repeats != 1
        # The folds of whole groups are random only if they are repeated.
        is_random = seed is not None and (groups is None or is_repeated)
        details = ", ".join(
            [f"seed {seed}"] * is_random + [f"repeated {repeats} times"] * is_repeated
        )
        return (
            f" by {'' if folds is None else f'{folds:g}-fold '}cross-validation"
            f"{self._whole_groups()}{f' ({details})' if details else ''}"
        )

    def _whole_groups(self) -> str:
        groups = self._text("groups")
        return (
            "" if groups is None else f", whose folds hold out whole groups of cells by “{groups}”"
        )

    def _links_found(self) -> str:
        found, threshold = self._found("links_above_threshold"), self._number("coef_threshold")
        if found is None:
            return ""
        before, kept, each = found
        strong = (
            ""
            if threshold is None
            else f", {kept} with an absolute coefficient above {threshold:g}"
        )
        return f"This gave {before} links with a coefficient other than 0{strong}{each}."

    def _tests(self) -> Iterator[str]:
        fdr, share = self._number("fdr"), self._number("stability")
        if fdr is not None:
            yield (
                "Each link was tested for an effect of its own TF, given all others, by a t "
                f"statistic that is robust to unequal noise; links with q ≤ {fdr:,g} "
                f"{self._cite('bh')} were kept{self._counts('links_kept_by_test', 'links')}."
            )
        if share is not None:
            seed, groups = self._number("seed"), self._text("groups")
            yield (
                f"Links were kept if at least {100 * share:g} % of 100 halves of the folds"
                f"{'' if groups is None else f' of whole groups of cells by “{groups}”'}"
                f"{'' if seed is None else f' (seed {seed})'} select them "
                f"{self._cite('stability')}{self._counts('links_stable', 'links')}."
            )

    def _evidence(self) -> Iterator[str]:
        encode, motifs = (_file_names(self._options.get(name)) for name in ("encode", "motifs"))
        if encode:
            yield self._chip(encode, is_only=not motifs)
        if motifs:
            yield (
                f"Links of TFs with an enriched motif ({motifs}; "
                f"{self._cite('cistarget')}) that ranks the target in its leading edge were kept."
            )
        if found := self._found("links_filtered"):
            yield f"Evidence kept {found[1]} of {found[0]} links{found[2]}."

    def _chip(self, files: str, *, is_only: bool) -> str:
        is_strict = self._options.get("strict") is True
        direction = "enriched" if is_strict else "enriched or depleted"
        threshold, weak = self._number("coef_threshold"), ""
        if threshold is not None:
            # Motifs may keep what this evidence does not.
            fate = "dropped" if is_only else "not kept by this test"
            weak = f"; links with an absolute coefficient up to {threshold:g} were {fate}"
        return (
            f"Links of TFs whose strong targets are {direction} in their ChIP-seq peaks "
            f"({files}; {self._cite('encode')} if from ENCODE) by Fisher's exact "
            f"test ({'one' if is_strict else 'two'}-sided, Holm-adjusted p < 0.05) were kept"
            f"{', of enriched TFs and with a peak only' if is_strict else ''}{weak}."
        )

    def _found(self, step: str) -> tuple[str, str, str] | None:
        """Return what a step found and kept, and words on the groups that these numbers are of."""
        every = [found[step] for found in self._groups.values() if step in found]
        each = " in each group" if every else ""
        if step in self._steps:
            every, each = [self._steps[step]], ""
        if not every:
            return None
        before, kept = (_range([found[name] for found in every]) for name in ("before", "kept"))
        return before, kept, each

    def _counts(self, step: str, things: str) -> str:
        found = self._found(step)
        return "" if found is None else f" ({found[1]} of {found[0]} {things}{found[2]})"


def _range(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _file_names(paths: object) -> str:
    given = paths if isinstance(paths, list) else [paths]
    return ", ".join(PurePath(path).name for path in given if isinstance(path, str))
