"""Time of directed information, of two rivals, and a lower bound.

Processor seconds are compared, because other work may share the cores.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import report
from directed_cells import labelled_states
from neighbour_rivals import COPIES, NeighbourLists, all_points_at_once, loop_over_points

from scifate_sklearn import CellStates, RDIScorer
from scifate_sklearn.causality import all_pairs, conditional_mutual_information

# What `causality.Row` takes.
Found = tuple[Any, ...]

N_PERMUTATIONS = 99
# Links of the whole problems, of which some samples are timed.
N_LINKS, N_PERMUTED = 10_000, 1_000


def _spent(call: Callable[[], object]) -> tuple[float, float]:
    """Return seconds on the clock, and of the processor in all threads."""
    clock, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - clock, time.process_time() - processor


def _warm_up(states: CellStates) -> None:
    RDIScorer(states, n_neighbors=5, n_permutations=2).fit(all_pairs(states).head(2))


def time_of_links(quick: bool, n_jobs: int) -> Iterator[Found]:
    """Time 100 TFs × 100 targets of labelled cells, k = 5, given depth."""
    size = (10, 5) if quick else (100, 100)
    n_cells = 200 if quick else 2000
    report.progress("time, cells")
    states, _ = labelled_states(
        n_cells, 0, tfs_only=True, n_tfs=size[0], n_targets=size[1], capture_efficiency=0.1
    )
    links = all_pairs(states)
    _warm_up(states)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    per_link = {}
    for n_conditions, name in ((0, "RDI"), (1, "RDI and cRDI")):
        report.progress(f"time, {name}")
        scorer = RDIScorer(states, n_neighbors=5, n_conditions=n_conditions, n_jobs=n_jobs)
        clock, processor = _spent(lambda scorer=scorer: scorer.fit(links))
        per_link[name] = processor / len(links)
        text = f"{clock:.1f} s on the clock, {processor:.1f} s of processor"
        text += f" ({processor / n_jobs:.1f} s on {n_jobs} idle cores)"
        what = f"{len(links):,} links × {n_cells:,} cells, k = 5, {name}"
        idle = processor / n_jobs
        yield what, "≤ 60 s" if n_conditions == 0 else "", text, idle, -np.inf, 60.0
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield "memory above the inputs", "", f"{grown:.0f} MB", grown
    sample = links.sample(3 if quick else 20, random_state=0)
    points = [_points(states, *link) for link in sample[["TF", "target"]].itertuples(index=False)]
    yield from _rival_times(points, per_link["RDI"])
    yield from _floor(points, per_link["RDI"])


def _points(states: CellStates, tf: str, target: str) -> tuple[Any, ...]:
    z = np.column_stack([states.target_t0[target], states.given])
    return states.regulator[[tf]].to_numpy(), states.target_t1[[target]].to_numpy(), z


def _rival_times(points: list[tuple[Any, ...]], per_link: float) -> Iterator[Found]:
    own = [conditional_mutual_information(*each, estimator="scribe") for each in points]
    for name, rival, least in (
        ("per-point cKDTree loop", loop_over_points, 8.0),
        ("vectorised cKDTree", all_points_at_once, 3.0),
    ):
        report.progress(f"time, {name}")
        found: list[float] = []
        _, processor = _spent(
            lambda rival=rival, found=found: found.extend(rival(*each, 5) for each in points)
        )
        np.testing.assert_allclose(found, own, atol=1e-10)
        ratio = processor / len(points) / per_link
        text = f"{ratio:.1f} × ({1e3 * processor / len(points):.1f} against {1e3 * per_link:.2f} ms"
        text += f" of processor per link, {len(points)} links)"
        yield f"speed over a {name}", f"≥ {least:g} ×", text, ratio, least


def _floor(points: list[tuple[Any, ...]], per_link: float) -> Iterator[Found]:
    """Compare with one pass over the points that have to be counted."""
    report.progress("time, lower bound")
    lists = [NeighbourLists(*each, 5) for each in points]
    lists[0].passes()
    _, processor = _spent(lambda: [each.passes() for each in lists])
    floor = processor / COPIES / len(lists)
    n_cells = len(points[0][0])
    listed, in_range = (
        np.mean([getattr(each, name) for each in lists]) / n_cells
        for name in ("n_distances", "n_in_range")
    )
    text = f"{1e3 * floor:.3f} ms per link: one pass over {listed * n_cells:,.0f} distances, "
    text += f"{listed:.0f} per cell; {32e-6 * listed * n_cells:.1f} MB"
    yield "lower bound of the time", "", text, 1e3 * floor
    text = f"{per_link / floor:.1f} ×; {in_range:.0f} points per cell in the range of depth"
    yield "time over the lower bound", "", text, per_link / floor


def permutation_times(quick: bool, n_jobs: int) -> Iterator[Found]:
    """Time 99 permutations of a sample of links, k = √n, given depth."""
    for n_cells in (200,) if quick else (1000, 2000):
        n_sample = 2 if quick else 24
        report.progress(f"permutations, {n_cells} cells")
        states, _ = labelled_states(n_cells, 0, tfs_only=True, capture_efficiency=0.1)
        links = all_pairs(states).sample(n_sample, random_state=0)
        _warm_up(states)
        scorer = RDIScorer(states, n_conditions=0, n_permutations=N_PERMUTATIONS, n_jobs=n_jobs)
        clock, processor = _spent(lambda scorer=scorer, links=links: scorer.fit(links))
        scale = N_PERMUTED / n_sample / 60
        idle = processor * scale / n_jobs
        text = f"{idle:.1f} min of {n_jobs} idle cores ({clock * scale:.1f} on the clock), "
        text += f"extrapolated from {n_sample} links"
        what = f"{N_PERMUTED:,} links × {N_PERMUTATIONS} permutations, {n_cells:,} cells, k = √n"
        yield what, "≤ 10 min", text, idle, -np.inf, 10.0


def scaling_exponent(quick: bool) -> Iterator[Found]:
    """Fit the exponent of the processor time over the number of cells."""
    sizes = (200, 400) if quick else (1000, 2000, 4000, 8000)
    found: dict[Any, list[float]] = {5: [], "sqrt": []}
    for n_cells in sizes:
        report.progress(f"scaling, {n_cells} cells")
        states, _ = labelled_states(n_cells, 0, tfs_only=True, capture_efficiency=0.1)
        pairs = all_pairs(states)
        links = pairs[pairs["target"].isin(states.target_names[:: len(states.target_names) // 4])]
        _warm_up(states)
        for k, seconds in found.items():
            scorer = RDIScorer(states, n_neighbors=k, n_conditions=0)
            spent = min(
                _spent(lambda scorer=scorer, links=links: scorer.fit(links))[1] for _ in range(2)
            )
            seconds.append(spent / len(links))
    for k, seconds in found.items():
        exponent = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
        each = ", ".join(f"{1e3 * spent:.2f}" for spent in seconds)
        text = f"{exponent:.2f} ({each} ms per link)"
        what = f"exponent, {sizes[0]:,} to {sizes[-1]:,} cells, k = {k}"
        yield what, "≤ 1.7" if k == 5 else "", text, exponent, -np.inf, 1.7
