"""Simulated cells for directed information: independent genes, pairs, chains, kinetics, shapes.

All simulations take a random generator; values are z-scored (ddof 1), counts c first as
log(c/size factor + 0.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scifate_sklearn.causality import CellStates
from scifate_sklearn.datasets import make_labelled_cells

Floats = NDArray[np.float64]

PSEUDOCOUNT = 0.1
# Standard deviation of the logarithm of the sequencing depth.
DEPTH_LOG_SD = 0.5
# Chains and forks: effect of a standard deviation of the logarithm of the regulator, noise of the
# logarithm of a level, spread of that of the first gene, and its correlation before and after.
EFFECT, NOISE, FIRST_LOG_SD, MEMORY = 0.8, 0.6, 0.6, 0.5
# Two-gene kinetics, in hours.
LABELLING, BEFORE, STEP = 2.0, 20.0, 0.02


def zscored(values: Floats) -> Floats:
    """Return columns with mean 0 and sd 1; those without spread as 0."""
    deviations = values - values.mean(axis=0)
    sd = values.std(axis=0, ddof=1)
    return np.asarray(deviations / np.where(sd > 0, sd, 1.0))


def labelled_counts_states(
    new: pd.DataFrame,
    total: pd.DataFrame,
    tfs: Sequence[str],
    *,
    gene_filter_rate: float = 0.0,
    given_depth: bool = True,
) -> CellStates:
    """Return total RNA of the TFs, old and new RNA of all genes, and the size factor.

    Genes are kept whose new and total RNA are above 0 in more than a share of the cells.
    """
    is_kept = ((new > 0).mean() > gene_filter_rate) & ((total > 0).mean() > gene_filter_rate)
    new, total = new.loc[:, is_kept], total.loc[:, is_kept]
    log_molecules = np.log(total.round().sum(axis=1).to_numpy())
    log_size = log_molecules - log_molecules.mean()
    size = np.exp(log_size)[:, None]
    old, new_rna, all_rna = (
        pd.DataFrame(
            zscored(np.log(layer.to_numpy() / size + PSEUDOCOUNT)), total.index, total.columns
        )
        for layer in (total - new, new, total)
    )
    given = pd.DataFrame({"size_factor": zscored(log_size)}, total.index)
    regulators = [name for name in tfs if name in total.columns]
    return CellStates(
        all_rna[regulators], old, new_rna, given if given_depth else given.iloc[:, :0]
    )


def labelled_states(
    n_cells: int, seed: int, *, tfs_only: bool, **options: float
) -> tuple[CellStates, pd.DataFrame]:
    """Return states of `make_labelled_cells` and the true links; regulators are TFs or all genes.

    With TFs only, the targets are the genes that are not TFs.
    """
    cells = make_labelled_cells(n_cells, random_state=seed, **options)
    names = cells.adata.var_names
    new, total = (
        pd.DataFrame(cells.adata.layers[layer].toarray().astype(float), columns=names)
        for layer in ("new", "total")
    )
    states = labelled_counts_states(new, total, cells.tf_names if tfs_only else list(names))
    links = cells.network[["TF", "target"]].assign(coef=1.0)
    links = links[links["TF"].isin(states.tf_names) & links["target"].isin(states.target_names)]
    if not tfs_only:
        return states, links
    targets = states.target_names.difference(cells.tf_names, sort=False)
    return CellStates(
        states.regulator, states.target_t0[targets], states.target_t1[targets], states.given
    ), links


def pair_states(
    x: Floats, y0: Floats, y1: Floats, given: Floats | None = None
) -> tuple[CellStates, pd.DataFrame]:
    """Return states of pairs (columns), and the links from each x to its own y."""
    tfs, targets = ([f"{kind}{i}" for i in range(x.shape[1])] for kind in ("TF", "Gene"))
    index = pd.RangeIndex(len(x))
    of_cells = pd.DataFrame(index=index) if given is None else pd.DataFrame(zscored(given), index)
    states = CellStates(
        pd.DataFrame(zscored(x), index, tfs),
        pd.DataFrame(zscored(y0), index, targets),
        pd.DataFrame(zscored(y1), index, targets),
        of_cells,
    )
    return states, pd.DataFrame({"TF": tfs, "target": targets, "coef": 1.0})


def gaussian_triple(
    rng: np.random.Generator, n: int, partial: float, with_x: float, with_y: float
) -> tuple[Floats, Floats, Floats, float]:
    """Return x, y, z of unit variance and cor(x, y).

    ``partial`` is the correlation of x and y given z; the others are those with z.
    """
    z, noise_x, noise_y = rng.normal(size=(3, n))
    noise_y = partial * noise_x + np.sqrt(1 - partial**2) * noise_y
    own_x, own_y = np.sqrt(1 - with_x**2), np.sqrt(1 - with_y**2)
    x, y = with_x * z + own_x * noise_x, with_y * z + own_y * noise_y
    return x, y, z, with_x * with_y + own_x * own_y * partial


def independent_counts(
    rng: np.random.Generator, n: int, mean: float, n_pairs: int, *, given_depth: bool
) -> tuple[CellStates, pd.DataFrame]:
    """Return pairs of genes whose counts have nothing in common but the depth of the cells."""
    log_size = DEPTH_LOG_SD * rng.normal(size=(n, 1))
    size = np.exp(log_size)
    x, y0, y1 = (
        np.log(rng.poisson(mean * size, (n, n_pairs)) / size + PSEUDOCOUNT) for _ in range(3)
    )
    return pair_states(x, y0, y1, log_size if given_depth else None)


def null_gaussian(rng: np.random.Generator, n: int, n_pairs: int) -> tuple[Floats, ...]:
    """Return x, y0, y1 and no depth: x and y1 depend on y0 alone, linearly."""
    y0, x, y1 = rng.normal(size=(3, n, n_pairs))
    return x + y0, y0, y1 + y0


def null_not_monotone(rng: np.random.Generator, n: int, n_pairs: int) -> tuple[Floats, ...]:
    """Return x, y0, y1 and no depth: x and y1 follow the square and a sine of y0."""
    y0, x, y1 = rng.normal(size=(3, n, n_pairs))
    return 0.5 * x + y0**2, y0, 0.5 * y1 + np.sin(2.0 * y0)


def null_counts(rng: np.random.Generator, n: int, n_pairs: int) -> tuple[Floats, ...]:
    """Return counts x, y0, y1 and the log depth: the rates of x and y1 depend on y0 and depth."""
    log_size = DEPTH_LOG_SD * rng.normal(size=(n, 1))
    size = np.exp(log_size)
    y0 = rng.poisson(size, (n, n_pairs))
    level = np.log(y0 / size + PSEUDOCOUNT)
    rate = size * (0.5 + 0.5 * y0 / size)
    x, y1 = (np.log(rng.poisson(rate) / size + PSEUDOCOUNT) for _ in range(2))
    return x, level, y1, log_size


NULLS: dict[str, Callable[[np.random.Generator, int, int], tuple[Floats, ...]]] = {
    "Gaussian": null_gaussian,
    "non-monotone": null_not_monotone,
    "counts": null_counts,
}


class Indirect:
    """Cells in which x and y have only a third gene in common; new RNA depends on total RNA.

    Old RNA is what is left of the levels before labelling, and a half of the total. The new RNA of
    a gene depends on the total RNA of its regulator at harvest and on nothing else, so that x says
    nothing of the new RNA of y given the total of the third gene.

    Parameters
    ----------
    rng : Generator
    n : int
    is_fork : bool
        The third gene drives x and y (fork), or is driven by x and drives y (chain).
    """

    def __init__(self, rng: np.random.Generator, n: int, *, is_fork: bool) -> None:
        self._rng = rng
        before, change = rng.normal(size=(2, n))
        now = MEMORY * before + np.sqrt(1 - MEMORY**2) * change
        first = 0.5 * np.exp(FIRST_LOG_SD * np.array([before, now]))
        second = self._driven_by(first)
        self._old_new = {
            "z" if is_fork else "x": first,
            "x" if is_fork else "z": second,
            "y": self._driven_by(first if is_fork else second),
        }

    def observed(self, molecules: float | None, *, given_z: bool) -> CellStates:
        """Return the states of x → y from exact levels, or from counts with this mean."""
        of_gene = {name: self._counted(each, molecules) for name, each in self._old_new.items()}
        offset = 0.0 if molecules is None else PSEUDOCOUNT
        total = {name: np.log(each.sum(axis=0) + offset)[:, None] for name, each in of_gene.items()}
        y0, y1 = np.log(of_gene["y"] + offset)[:, :, None]
        return pair_states(total["x"], y0, y1, total["z"] if given_z else None)[0]

    def _driven_by(self, regulator: Floats) -> Floats:
        """Return old and new RNA (2, n) of a gene, from those of its regulator."""
        totals = np.log(np.array([2.0 * regulator[0], regulator.sum(axis=0)]))
        noise = self._rng.normal(size=totals.shape)
        return np.asarray(0.5 * np.exp(EFFECT * zscored(totals.T).T + NOISE * noise))

    def _counted(self, levels: Floats, molecules: float | None) -> Floats:
        if molecules is None:
            return levels
        share = levels / levels.sum(axis=0).mean()
        return self._rng.poisson(molecules * share).astype(float)


# Rate of the second gene from the molecules of the first and the rate of the first, all with mean
# about 1. Without a link the state of the cell drives both genes.
KINETICS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "proportional": lambda x, of_state: x,
    "Hill": lambda x, of_state: 2.0 * x**2 / (x**2 + 1.0),
    "no link": lambda x, of_state: of_state,
}


def two_genes(
    rng: np.random.Generator,
    n: int,
    molecules: float,
    effect: str,
    half_lives: Floats,
) -> tuple[Floats, Floats]:
    """Simulate births and deaths of the RNA of two genes, the second driven by the first.

    The rate of the first follows a state of the cell (Ornstein–Uhlenbeck process of its logarithm,
    sd 0.6, relaxation time 2 h); that of the second is one of `KINETICS`. In steps of 0.02 h births
    are Poisson and deaths binomial. Molecules that are made in the last two hours are new.
    Half-lives are in hours.

    Returns
    -------
    new, total : ndarray of shape (n, 2)
    """
    decay = np.log(2) / half_lives[:, None]
    dies = 1.0 - np.exp(-decay * STEP)
    state = rng.normal(size=n)
    old = rng.poisson(molecules, (2, n))
    new = np.zeros((2, n), dtype=np.int64)
    keep = np.exp(-STEP / 2.0)
    for step in range(round((BEFORE + LABELLING) / STEP)):
        x = old[0] + new[0]
        of_state = np.exp(0.6 * state - 0.18)
        level = np.array([of_state, KINETICS[effect](x / molecules, of_state)])
        births = rng.poisson(molecules * decay * level * STEP)
        old, new = old - rng.binomial(old, dies), new - rng.binomial(new, dies)
        if step * STEP < BEFORE:
            old += births
        else:
            new += births
        state = keep * state + np.sqrt(1 - keep**2) * rng.normal(size=n)
    return new.T.astype(float), (old + new).T.astype(float)


def kinetic_states(new: Floats, total: Floats) -> CellStates:
    """Return states of two genes, both regulators and targets, without depth."""
    names = ["X", "Y"]
    all_rna, old, new_rna = (
        pd.DataFrame(zscored(np.log(counts + PSEUDOCOUNT)), columns=names)
        for counts in (total, total - new, new)
    )
    return CellStates(all_rna, old, new_rna)


# Effects of one TF, or of two, on a target, each standardized.
SHAPES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "linear": lambda a, b: a,
    "Hill": lambda a, b: 1.0 / (1.0 + np.exp(-4.0 * a)),
    "bell": lambda a, b: np.exp(-2.0 * a**2),
    "and": lambda a, b: 1.0 / (1.0 + np.exp(-4.0 * a)) / (1.0 + np.exp(-4.0 * b)),
    "xor": lambda a, b: np.sign(a) * np.sign(b),
}


def shaped_links(
    rng: np.random.Generator, n: int, shape: str, n_tfs: int, n_targets: int
) -> tuple[CellStates, pd.DataFrame]:
    """Return states of targets that depend on one TF or two, and the true links.

    The effect has twice the sd of the noise; a third of the target's past remains.
    """
    x = rng.normal(size=(n, n_tfs))
    y0 = rng.normal(size=(n, n_targets))
    drivers = np.array([rng.choice(n_tfs, 2, replace=False) for _ in range(n_targets)])
    effect = zscored(SHAPES[shape](x[:, drivers[:, 0]], x[:, drivers[:, 1]]))
    y1 = effect + y0 / 3.0 + 0.5 * rng.normal(size=y0.shape)
    tfs, targets = ([f"{k}{i}" for i in range(m)] for k, m in (("TF", n_tfs), ("Gene", n_targets)))
    states = CellStates(
        pd.DataFrame(zscored(x), columns=tfs),
        pd.DataFrame(zscored(y0), columns=targets),
        pd.DataFrame(zscored(y1), columns=targets),
    )
    n_drivers = 2 if shape in ("and", "xor") else 1
    pairs = [
        (tfs[driver], name)
        for name, own in zip(targets, drivers, strict=True)
        for driver in own[:n_drivers]
    ]
    return states, pd.DataFrame(pairs, columns=["TF", "target"])
