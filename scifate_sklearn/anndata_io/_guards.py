"""Checks that layers given as counts hold counts, on a sample of the cells.

`scifate_sklearn.preprocessing.CountSample` has the rule that tells counts and estimates from
logarithms, normalised counts and fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ..preprocessing import CountPairs, CountSample, Finding
from ._chunks import Chunk
from ._recipe import Recipe

# Number of cells in the sample.
SAMPLE_SIZE = 500
# Share of the entries with new counts that may exceed the total.
_FEW_ABOVE = 0.01
# Share of the values that are not whole where total RNA is no raw count.
_MOSTLY = 0.5
# Layers that scVelo and dynamo smooth over neighbouring cells.
MOMENTS = frozenset({"Ms", "Mu", "M_s", "M_u", "M_n", "M_t", "M_uu", "M_ul", "M_su", "M_sl"})

SMOOTHED = "smoothed counts (moments of scVelo or dynamo)"

# What each kind of numbers is called.
_KINDS = {
    "logged": "logarithms",
    "normalised": "normalised counts",
    "fractions": "fractions",
    "scaled": "normalised counts",
    "small": "numbers that may be logarithms",
    "slow": "numbers that may be logarithms",
    "flat": "numbers that may be fractions",
}
# Kinds with which the results would be meaningless.
_REFUSED = ("logged", "fractions")


class Problem(NamedTuple):
    """What is wrong with a layer, and whether that is an error and no warning."""

    message: str
    is_refused: bool


@dataclass(frozen=True)
class Samples:
    """Sampled cells of both layers; None for a layer of values. Those of chunks can be added.

    Attributes
    ----------
    kinds : (CountSample or None, CountSample or None)
        Of new and total RNA.
    pairs : CountPairs or None
        None unless both layers hold counts.
    """

    kinds: tuple[CountSample | None, CountSample | None]
    pairs: CountPairs | None

    @classmethod
    def from_chunk(cls, chunk: Chunk, rows: NDArray[np.intp], recipe: Recipe) -> Self:
        """Summarise some cells of a chunk."""
        layers = (chunk.new[rows], chunk.total[rows])
        are_counts = (recipe.new_is_counts, recipe.total_is_counts)
        new, total = (
            CountSample.from_cells(layer) if is_counts else None
            for layer, is_counts in zip(layers, are_counts, strict=True)
        )
        return cls((new, total), CountPairs.from_cells(*layers) if all(are_counts) else None)

    def __add__(self, other: Self) -> Self:
        new, total = (
            one + two if one is not None and two is not None else None
            for one, two in zip(self.kinds, other.kinds, strict=True)
        )
        ours, theirs = self.pairs, other.pairs
        pairs = ours + theirs if ours is not None and theirs is not None else None
        return type(self)((new, total), pairs)


def sample_rows(bounds: Sequence[slice]) -> list[NDArray[np.intp]]:
    """Return the sampled cells of each chunk, by their position in the chunk.

    The sample has up to `SAMPLE_SIZE` cells at equal distances, whatever the chunks are.

    Parameters
    ----------
    bounds : sequence of slice
        Range of cells of each chunk.

    Returns
    -------
    list of ndarray of int
    """
    n_cells = bounds[-1].stop
    size = min(n_cells, SAMPLE_SIZE)
    rows = np.arange(size) * n_cells // size
    edges = np.searchsorted(rows, [each.start for each in bounds])
    parts = np.split(rows, edges[1:])
    return [part - each.start for part, each in zip(parts, bounds, strict=True)]


def check_samples(samples: Samples, recipe: Recipe) -> None:
    """Raise or warn if layers given as counts hold other numbers, or are confused.

    Parameters
    ----------
    samples : Samples
        Of all cells.
    recipe : Recipe

    Raises
    ------
    ValueError
        If a layer holds logarithms or fractions, or if the two layers are swapped.

    Warns
    -----
    UserWarning
        If a layer holds normalised or smoothed counts, new counts exceed the total ones, or both
        layers are the same.
    """
    problems = find_problems(samples, recipe)
    refused = next((each for each in problems if each.is_refused), None)
    if refused is not None:
        raise ValueError(refused.message)
    for each in problems:
        warn(each.message)


def find_problems(samples: Samples, recipe: Recipe) -> list[Problem]:
    """Return what is wrong with the two layers, as `check_samples` reports it."""
    return [*_problems_of_layers(samples, recipe), *_problems_of_pairs(samples, recipe)]


def are_moments(layer: str) -> bool:
    """Return whether a layer, or a part of a sum, has the name of smoothed counts."""
    return any(part.rpartition("/")[2] in MOMENTS for part in layer.split("+"))


def describe_sample(sample: CountSample) -> str:
    """Return what the numbers of a layer look like, in a few words."""
    if not sample.n_values:
        return "no positive values"
    largest = f"the largest {sample.largest:.4g}"
    found = sample.findings()
    if found:
        kind = "fractions or few counts" if found[0].kind == "fractions" else _KINDS[found[0].kind]
        return f"{kind} ({largest}; {found[0].reason})"
    if not sample.n_fractional:
        return f"counts ({largest})"
    return f"estimates of counts ({sample.fractional_share:.0%} are not whole, {largest})"


def _problems_of_layers(samples: Samples, recipe: Recipe) -> Iterator[Problem]:
    """Yield what is wrong with each layer."""
    advice = recipe.arguments.advice
    for place, (layer, kind, sample) in enumerate(
        zip(recipe.nt_layers, recipe.arguments.kinds, samples.kinds, strict=True)
    ):
        if sample is None:
            continue
        if are_moments(layer):
            yield Problem(_about_moments(layer, kind, advice), False)
        found = sample.findings()
        if place == 0:
            found = [each for each in found if _is_wrong_for_new(each, samples)]
            found += _findings_of_pairs(samples)
        if found:
            message = _about_kind(layer, kind, sample, found[0], advice)
            yield Problem(message, found[0].kind in _REFUSED)


def _is_wrong_for_new(finding: Finding, samples: Samples) -> bool:
    """Return whether a finding is a problem in the layer of new RNA."""
    pairs, total = samples.pairs, samples.kinds[1]
    if finding.kind == "fractions":
        return pairs is None or pairs.are_ratios()  # and no estimates of little new RNA
    if finding.kind == "scaled":
        # New counts may have been divided by the detection rate of the cell, total counts not.
        return total is None or total.fractional_share > _MOSTLY
    return finding.kind != "small"  # as estimates of new RNA may be


def _findings_of_pairs(samples: Samples) -> list[Finding]:
    """Return what the totals beside new counts say about them."""
    pairs, new = samples.pairs, samples.kinds[0]
    if pairs is None or new is None:
        return []
    found = _findings_of_growth("slow", "log(total + 1)", pairs.slow_growth())
    if any(each.kind == "fractions" for each in new.findings()):
        return _findings_of_growth("flat", "1", pairs.flat_growth()) or found
    return found


def _findings_of_growth(
    kind: Literal["flat", "slow"], limit: str, elasticity: float | None
) -> list[Finding]:
    if elasticity is None:
        return []
    reason = (
        f"none exceeds {limit}, and where the total of a gene is 10% larger, they are "
        f"{elasticity / 10:.1%} larger (a part of it would be 10% larger)"
    )
    return [Finding(kind, reason)]


def _about_kind(layer: str, kind: str, sample: CountSample, finding: Finding, advice: str) -> str:
    as_values = f" `{kind}='values'` takes the numbers as they are." if kind else ""
    logged, ratio = "or undo the logarithm", "the product of total counts and the share of new RNA"
    few = "ignore this if they are estimates of few counts"
    by_kind = {
        "logged": f"{advice}, {logged} (x = numpy.expm1(x) for log(x + 1)).{as_values}",
        "fractions": f"{advice}; {ratio} serves as new counts.{as_values}",
        "flat": f"{advice}; {ratio} serves as new counts; {few}.",
        "small": f"{advice}, {logged}; {few}.",
        "slow": f"{advice}, {logged}; estimates that follow their prior more than the labels look "
        "the same.",
    }
    otherwise = (
        f"{advice}: size factors are computed here, and 0.1 counts are added before the logarithm."
    )
    return (
        f"layer {layer!r} does not hold counts but {_KINDS[finding.kind]}: "
        f"{_about_values(sample)}, and {finding.reason} ({sample.n_cells:,} cells looked at). "
        f"{by_kind.get(finding.kind, otherwise)}"
    )


def _about_values(sample: CountSample) -> str:
    least = f"the smallest of its positive values is {sample.least:.4g}"
    if sample.n_fractional:
        least = f"{sample.fractional_share:.0%} of its positive values are not whole numbers"
    return f"{least}, the largest is {sample.largest:.4g}"


def _about_moments(layer: str, kind: str, advice: str) -> str:
    as_values = f"; or `{kind}='values'` to use it as it is" if kind else ""
    return (
        f"layer {layer!r} has the name of {SMOOTHED}: a cell shares its values with its "
        "neighbours, so that cross-validation and tests overrate the links. "
        f"{advice}{as_values}."
    )


def _problems_of_pairs(samples: Samples, recipe: Recipe) -> Iterator[Problem]:
    """Yield what is wrong with new counts against total ones."""
    pairs, (new, total) = samples.pairs, recipe.nt_layers
    if pairs is None or pairs.n_new == 0 or pairs.largest_beside == 0:
        return  # if a layer has no counts, the gene filter says so
    if pairs.n_above <= _FEW_ABOVE * pairs.n_new:
        if pairs.n_below <= _FEW_ABOVE * pairs.n_new and new != total:
            yield Problem(_about_equal(new, total, pairs), False)
        return
    share = f"in {pairs.n_above / pairs.n_new:.0%} of the entries with counts of {new!r}"
    if pairs.n_below <= _FEW_ABOVE * pairs.n_above:
        yield Problem(
            f"layer {new!r} (new RNA) exceeds layer {total!r} (total RNA) {share}, and is below it "
            f"in {pairs.n_below:,}: the layers are swapped. Name {total!r} as the new and {new!r} "
            "as the total RNA in `nt_layers`.",
            True,
        )
        return
    yield Problem(
        f"layer {new!r} (new RNA) exceeds layer {total!r} (total RNA) {share}, but new RNA is part "
        f"of the total. Pass the total with the new RNA in it, such as {f'{total}+{new}'!r}.",
        False,
    )


def _about_equal(new: str, total: str, pairs: CountPairs) -> str:
    return (
        f"layers {new!r} (new RNA) and {total!r} (total RNA) are equal in all but "
        f"{pairs.n_above + pairs.n_below:,} of {pairs.n_new:,} entries with counts, so that links "
        "are those of total RNA. Pass a layer with new RNA only."
    )
