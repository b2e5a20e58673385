"""Simulated cells with labelled new RNA, a known network and an imperfect ChIP reference."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

if TYPE_CHECKING:
    from anndata import AnnData

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

# Spread of the quantities that differ between genes and between cells.
ABUNDANCE_LOG_SD = 0.7
HALF_LIFE_LOG_SD = 0.3
BURST_SIZE_LOG_SD = 0.5
EFFICIENCY_CONCENTRATION = 50.0
# Largest rate relative to its base; effects that add up to more are not realistic.
LARGEST_FOLD_CHANGE = 1e5


@dataclass(frozen=True, eq=False)
class LabelledCells:
    """Simulated cells, their true network and an imperfect reference.

    Attributes
    ----------
    adata : AnnData of shape (n_cells, n_tfs + n_targets)
        Counts as CSR float32: ``layers["new"]``, ``layers["total"]``, and `X`, a copy of the total.
        `obs` holds each cell's ``size``, ``capture`` and ``labelling`` efficiency; `var` each
        gene's ``is_tf``, ``molecules`` (mean per cell at base rate), ``half_life`` (hours) and
        ``burst_size`` (molecules).
    tf_names : list of str
        The regulators, all of them in ``adata.var_names``.
    network : DataFrame
        The true links: ``TF``, ``target``, ``effect`` (change of the log transcription rate per
        standard deviation of the TF's log concentration).
    reference : DataFrame
        The ChIP evidence: ``TF``, ``target``, ``peak`` (0 or 1), one row per tested pair; every TF
        is tested against every gene except itself.
    """

    adata: AnnData
    tf_names: list[str]
    network: pd.DataFrame
    reference: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Kinetics:
    """Per gene: `molecules` at base rate, `half_life` in hours, `burst_size` in molecules."""

    molecules: Floats
    half_life: Floats
    burst_size: Floats

    def surviving(self, hours: float) -> Floats:
        """Return the share of molecules that are left after `hours`."""
        return np.exp2(-hours / self.half_life)

    def part(self, genes: slice) -> _Kinetics:
        return _Kinetics(self.molecules[genes], self.half_life[genes], self.burst_size[genes])


class _Molecules(NamedTuple):
    """Molecules per cell and gene: before labelling, the rest of these, and those made since."""

    before: Counts
    old: Counts
    new: Counts


_COUNT: list[Any] = [Interval(Integral, 1, None, closed="left")]
_POSITIVE: list[Any] = [Interval(Real, 0, None, closed="neither")]
_NON_NEGATIVE: list[Any] = [Interval(Real, 0, None, closed="left")]
_SHARE: list[Any] = [Interval(Real, 0, 1, closed="both")]
_POSITIVE_SHARE: list[Any] = [Interval(Real, 0, 1, closed="right")]

_CONSTRAINTS: dict[str, list[Any]] = {
    "n_cells": _COUNT,
    "n_tfs": _COUNT,
    "n_targets": _COUNT,
    "links_per_target": _NON_NEGATIVE,
    "effect_size": _NON_NEGATIVE,
    "activator_share": _SHARE,
    "n_programmes": _COUNT,
    "programme_share": _SHARE,
    "tf_log_sd": _NON_NEGATIVE,
    "state_memory": _SHARE,
    "molecules": _POSITIVE,
    "burst_size": _POSITIVE,
    "half_life": _POSITIVE,
    "tf_half_life": _POSITIVE,
    "labelling_hours": _POSITIVE,
    "labelling_efficiency": _POSITIVE_SHARE,
    "capture_efficiency": _POSITIVE_SHARE,
    "cell_size_log_sd": _NON_NEGATIVE,
    "sensitivity": _SHARE,
    "false_positive_rate": _SHARE,
    "random_state": [Interval(Integral, 0, None, closed="left"), np.random.Generator, None],
}


def make_labelled_cells(
    n_cells: int = 1000,
    n_tfs: int = 50,
    n_targets: int = 200,
    *,
    links_per_target: float = 3.0,
    effect_size: float = 0.25,
    activator_share: float = 0.7,
    n_programmes: int = 4,
    programme_share: float = 0.6,
    tf_log_sd: float = 0.8,
    state_memory: float = 0.2,
    molecules: float = 30.0,
    burst_size: float = 3.0,
    half_life: float = 4.0,
    tf_half_life: float = 0.7,
    labelling_hours: float = 2.0,
    labelling_efficiency: float = 0.8,
    capture_efficiency: float = 0.1,
    cell_size_log_sd: float = 0.3,
    sensitivity: float = 0.8,
    false_positive_rate: float = 0.1,
    random_state: int | np.random.Generator | None = None,
) -> LabelledCells:
    r"""Simulate metabolically labelled cells whose regulatory network is known.

    RNA of every gene, TF or target, is transcribed in bursts and decays. The rates of TFs depend on
    hidden states of the cell, those of targets on the TFs' RNA. RNA made during labelling depends
    on the TFs at harvest; older RNA depends on the TFs before labelling.

    Parameters
    ----------
    n_cells, n_tfs, n_targets : int
        Dimensions. The genes are the TFs (``TF1``, …) followed by the targets (``Gene1``, …).
    links_per_target : float, default=3
        Mean number of regulators of a target, :math:`k`; some have none.
    effect_size : float, default=0.25
        Mean :math:`|\beta|`, change of the log rate per standard deviation of a regulator.
    activator_share : float, default=0.7
        Share of the links with a positive effect.
    n_programmes : int, default=4
        Number of transcriptional programmes that TFs share, which makes TFs correlate.
    programme_share : float, default=0.6
        Share :math:`h` of the variance of a TF's state that the programmes explain.
    tf_log_sd : float, default=0.8
        Standard deviation :math:`\sigma` of the log transcription rates of the TFs.
    state_memory : float, default=0.2
        Correlation :math:`\rho` of a cell's state during labelling with its state before.
    molecules : float, default=30
        Median over genes of the mean number of RNA molecules per cell, :math:`m`.
    burst_size : float, default=3
        Median over genes of the mean number of molecules per transcriptional burst, :math:`b`.
    half_life, tf_half_life : float, default=4 and 0.7
        Median half-life of targets' and of TFs' RNA in hours. Regulators' RNA is short-lived, so
        that its total reflects the current state.
    labelling_hours : float, default=2
        Duration :math:`T` of the labelling in hours.
    labelling_efficiency : float, default=0.8
        Mean probability :math:`\lambda` that a new molecule is recognized as new.
    capture_efficiency : float, default=0.1
        Mean probability :math:`\pi` that a molecule is sequenced.
    cell_size_log_sd : float, default=0.3
        Standard deviation of the log cell size, which scales all rates of a cell equally.
    sensitivity : float, default=0.8
        Probability that the reference has a peak for a true link.
    false_positive_rate : float, default=0.1
        Probability that the reference has a peak for any other pair.
    random_state : int, Generator or None, default=None
        Seed. The same integer gives the same cells, bit for bit. Network, genes, cells and
        reference have separate random streams: with the same seed, another `n_cells` changes
        neither network nor genes nor reference.

    Returns
    -------
    LabelledCells
        ``adata``, ``tf_names``, ``network`` and ``reference``.

    Raises
    ------
    ValueError
        If a parameter is out of range, or if effects and links together raise a transcription rate
        beyond 10⁵ times its base.

    Notes
    -----
    For cell :math:`c`, gene :math:`g`, TF :math:`j`; *before* is when labelling starts, *now*
    when the cell is harvested.

    **Network.** Each pair is a link with probability :math:`k / n_\mathrm{tfs}`;
    :math:`|\beta_{jg}| \sim \mathrm{Uniform}(\tfrac12, \tfrac32) \cdot` `effect_size`.

    **State of the cell.** TF :math:`j` loads on the programmes with a random unit vector
    :math:`w_j`; with independent standard normal programme scores :math:`a_c` and private parts
    :math:`\epsilon_{cj}` its state is
    :math:`u_{cj} = \sqrt{h}\, w_j \cdot a_c + \sqrt{1 - h}\, \epsilon_{cj}`, so that two TFs
    correlate with :math:`h\, w_i \cdot w_j`. States follow an Ornstein-Uhlenbeck process, observed
    at two times: :math:`u^{now} = \rho\, u^{before} + \sqrt{1 - \rho^2}\, u'`.

    **Steady-state level** (molecules), with the cell's size :math:`s_c`
    (log-normal, mean 1) and the gene's abundance :math:`m_g` (log-normal over genes):

    .. math::
        M_{cj} &= s_c\, m_j \exp(\sigma u_{cj} - \sigma^2 / 2) &&\text{for TFs} \\
        M_{cg} &= s_c\, m_g \exp\bigl(\textstyle\sum_j \beta_{jg} z_{cj}\bigr)
        &&\text{for targets}

    where :math:`z_{cj}` is :math:`\log((x_{cj} + 1) / s_c)` of the TF's molecules
    :math:`x_{cj}` at that time, centered and scaled over all cells and both times.

    **Bursts.** Bursts of geometric size (mean :math:`b`) occur as a Poisson process whose
    frequency is regulated [1]_; molecules decay with rate :math:`\gamma_g`. Their
    number at steady state is negative binomial, a Poisson-Gamma mixture with mean :math:`M` and
    Fano factor :math:`1 + b` [2]_. With the share :math:`e = \exp(-\gamma_g T)` that survives
    the labelling,

    .. math::
        x^{before} &\sim \mathrm{Poisson}(\mathrm{Gamma}(M^{before} / b,\; b)) \\
        old &\sim \mathrm{Binomial}(x^{before}, e) \\
        new &\sim \mathrm{Poisson}\Bigl(\mathrm{Gamma}\Bigl(
        \tfrac{M^{now}}{b}\, \tfrac{1 - e}{1 + e},\; b (1 + e)\Bigr)\Bigr)

    where the last line has the exact mean, :math:`M^{now} (1 - e)`, and Fano factor,
    :math:`1 + b (1 + e)`, of the molecules that are made in bursts within :math:`T` and still
    present (from the time-dependent solution in [2]_). If the state does not change, mean and
    variance of old + new are again those of the steady state. Half-lives and burst sizes are
    log-normal over genes.

    **Measurement.** For each cell, capture :math:`\pi_c` and labelling :math:`\lambda_c` are beta
    distributed (concentration 50). A molecule is counted with probability :math:`\pi_c`. A counted
    new molecule is recognized as new with probability :math:`\lambda_c`; otherwise it is counted
    in the total only.

    References
    ----------
    .. [1] Larsson et al., *Nature* 565 (2019): enhancers act on burst frequency.
    .. [2] Shahrezaei & Swain, *PNAS* 105 (2008): distributions of a product made in
       geometric bursts.

    The simulated experiment is sci-fate: Cao et al., *Nature Biotechnology* 38 (2020).

    Examples
    --------
    >>> from scifate_sklearn.datasets import make_labelled_cells
    >>> cells = make_labelled_cells(n_cells=100, n_tfs=10, n_targets=40, random_state=0)
    >>> cells.adata.shape
    (100, 50)
    >>> list(cells.network.columns)
    ['TF', 'target', 'effect']
    """
    validate_parameter_constraints(_CONSTRAINTS, locals(), caller_name="make_labelled_cells")
    network_rng, gene_rng, cell_rng, reference_rng = np.random.default_rng(random_state).spawn(4)

    tf_names = [f"TF{j}" for j in range(1, n_tfs + 1)]
    gene_names = np.array(tf_names + [f"Gene{g}" for g in range(1, n_targets + 1)], dtype=object)
    effects = _draw_effects(
        network_rng, n_tfs, n_targets, links_per_target, effect_size, activator_share
    )
    loadings = _draw_loadings(gene_rng, n_tfs, n_programmes)
    median_half_life = np.repeat([float(tf_half_life), float(half_life)], [n_tfs, n_targets])
    kinetics = _draw_kinetics(gene_rng, molecules, burst_size, median_half_life)

    obs = {
        "size": _log_normal(cell_rng, 1.0, cell_size_log_sd, n_cells)
        * np.exp(-(cell_size_log_sd**2) / 2),
        "capture": _draw_efficiency(cell_rng, capture_efficiency, n_cells),
        "labelling": _draw_efficiency(cell_rng, labelling_efficiency, n_cells),
    }
    states = _draw_states(cell_rng, n_cells, loadings, programme_share, state_memory)
    rna = _grow(cell_rng, states, obs["size"], effects, kinetics, tf_log_sd, labelling_hours)
    new, total = _sequence(cell_rng, rna, obs["capture"], obs["labelling"])

    var = {"is_tf": np.arange(len(gene_names)) < n_tfs, **vars(kinetics)}
    return LabelledCells(
        adata=_to_anndata(new, total, obs, var, gene_names),
        tf_names=tf_names,
        network=_to_network(effects, gene_names),
        reference=_draw_reference(
            reference_rng, effects, gene_names, sensitivity, false_positive_rate
        ),
    )


def _log_normal(
    rng: np.random.Generator, median: float | Floats, log_sd: float, size: int
) -> Floats:
    return np.asarray(median * np.exp(log_sd * rng.standard_normal(size)), dtype=np.float64)


def _draw_efficiency(rng: np.random.Generator, mean: float, n_cells: int) -> Floats:
    if mean == 1:  # the beta distribution degenerates to a point
        return np.ones(n_cells)
    concentration = EFFICIENCY_CONCENTRATION
    return rng.beta(concentration * mean, concentration * (1 - mean), n_cells)


def _draw_effects(
    rng: np.random.Generator,
    n_tfs: int,
    n_targets: int,
    links_per_target: float,
    effect_size: float,
    activator_share: float,
) -> Floats:
    """Return the signed effects (n_tfs, n_targets), 0 where there is no link."""
    shape = (n_tfs, n_targets)
    is_link = rng.random(shape) < links_per_target / n_tfs
    sign = np.where(rng.random(shape) < activator_share, 1.0, -1.0)
    return is_link * sign * effect_size * rng.uniform(0.5, 1.5, shape)


def _draw_kinetics(
    rng: np.random.Generator, molecules: float, burst_size: float, half_life: Floats
) -> _Kinetics:
    """Draw the values of each gene; `half_life` holds one median per gene."""
    n_genes = len(half_life)
    return _Kinetics(
        molecules=_log_normal(rng, molecules, ABUNDANCE_LOG_SD, n_genes),
        half_life=_log_normal(rng, half_life, HALF_LIFE_LOG_SD, n_genes),
        burst_size=_log_normal(rng, burst_size, BURST_SIZE_LOG_SD, n_genes),
    )


def _draw_loadings(rng: np.random.Generator, n_tfs: int, n_programmes: int) -> Floats:
    """Return random directions (n_tfs, n_programmes) with rows of length 1."""
    loadings = rng.standard_normal((n_tfs, n_programmes))
    return np.asarray(loadings / np.linalg.norm(loadings, axis=1, keepdims=True))


def _draw_states(
    rng: np.random.Generator,
    n_cells: int,
    loadings: Floats,
    programme_share: float,
    memory: float,
) -> tuple[Floats, Floats]:
    """Return the TFs' states before and now, each (n_cells, n_tfs) and standard normal."""

    def draw() -> Floats:
        scores = rng.standard_normal((n_cells, loadings.shape[1]))
        private = rng.standard_normal((n_cells, len(loadings)))
        shared = np.sqrt(programme_share) * scores @ loadings.T
        return np.asarray(shared + np.sqrt(1 - programme_share) * private)

    before = draw()
    return before, memory * before + np.sqrt(1 - memory**2) * draw()


def _grow(
    rng: np.random.Generator,
    states: tuple[Floats, Floats],
    size: Floats,
    effects: Floats,
    kinetics: _Kinetics,
    tf_log_sd: float,
    hours: float,
) -> _Molecules:
    """Return the molecules of all genes, TFs first, whose molecules regulate the targets."""
    n_tfs = len(effects)
    tfs, targets = kinetics.part(slice(n_tfs)), kinetics.part(slice(n_tfs, None))
    tf_folds = [np.exp(tf_log_sd * state - tf_log_sd**2 / 2) for state in states]
    tf_rna = _transcribe(rng, tf_folds, size, tfs, hours)
    target_folds = [_fold_change(z @ effects) for z in _concentrations(tf_rna, size)]
    target_rna = _transcribe(rng, target_folds, size, targets, hours)
    return _Molecules(*(np.hstack(pair) for pair in zip(tf_rna, target_rna, strict=True)))


def _transcribe(
    rng: np.random.Generator, folds: list[Floats], size: Floats, genes: _Kinetics, hours: float
) -> _Molecules:
    """Draw bursty counts; `folds` are the rates before and now, relative to their bases."""
    surviving, burst = genes.surviving(hours), genes.burst_size
    frequency = size[:, None] * (genes.molecules / burst)
    before = rng.poisson(rng.gamma(frequency * folds[0], burst))
    now_shape = frequency * folds[1] * ((1 - surviving) / (1 + surviving))
    return _Molecules(
        before=before,
        old=rng.binomial(before, surviving),
        new=rng.poisson(rng.gamma(now_shape, burst * (1 + surviving))),
    )


def _concentrations(tf_rna: _Molecules, size: Floats) -> tuple[Floats, Floats]:
    """Return the TFs' log concentrations before and now, scaled together."""
    molecules = np.stack([tf_rna.before, tf_rna.old + tf_rna.new])
    logs = np.log((molecules + 1) / size[:, None])
    scale = logs.std(axis=(0, 1))
    scale[scale == 0] = 1.0
    before, now = (logs - logs.mean(axis=(0, 1))) / scale
    return before, now


def _fold_change(log_fold: Floats) -> Floats:
    largest = log_fold.max(initial=0.0)
    if largest > np.log(LARGEST_FOLD_CHANGE):
        raise ValueError(
            "`effect_size` and `links_per_target` together raise a transcription rate to "
            f"exp({largest:.0f}) times its base; the limit is {LARGEST_FOLD_CHANGE:.0e}. "
            "Lower one of them."
        )
    return np.exp(log_fold)


def _sequence(
    rng: np.random.Generator, rna: _Molecules, capture: Floats, labelling: Floats
) -> tuple[Counts, Counts]:
    """Return the counts of new and of all molecules after sequencing."""
    captured_new = rng.binomial(rna.new, capture[:, None])
    captured_old = rng.binomial(rna.old, capture[:, None])
    return rng.binomial(captured_new, labelling[:, None]), captured_new + captured_old


def _to_anndata(
    new: Counts,
    total: Counts,
    obs: dict[str, Floats],
    var: dict[str, Any],
    gene_names: NDArray[np.object_],
) -> AnnData:
    # Deferred, so that `import scifate_sklearn` does not load it.
    from anndata import AnnData

    cell_names = [f"cell{c}" for c in range(1, len(total) + 1)]
    counts = sparse.csr_matrix(total, dtype=np.float32)
    return AnnData(
        X=counts,
        obs=pd.DataFrame(obs, index=cell_names),
        var=pd.DataFrame(var, index=gene_names),
        layers={"new": sparse.csr_matrix(new, dtype=np.float32), "total": counts.copy()},
    )


def _to_network(effects: Floats, gene_names: NDArray[np.object_]) -> pd.DataFrame:
    tf, target = np.nonzero(effects)
    return pd.DataFrame(
        {
            "TF": gene_names[tf],
            "target": gene_names[len(effects) + target],
            "effect": effects[tf, target],
        }
    )


def _draw_reference(
    rng: np.random.Generator,
    effects: Floats,
    gene_names: NDArray[np.object_],
    sensitivity: float,
    false_positive_rate: float,
) -> pd.DataFrame:
    """Return simulated peaks for every TF and every gene except itself."""
    n_tfs, n_genes = len(effects), len(gene_names)
    is_link = np.hstack([np.zeros((n_tfs, n_tfs), dtype=bool), effects != 0])
    peak = rng.random((n_tfs, n_genes)) < np.where(is_link, sensitivity, false_positive_rate)
    tf, target = np.nonzero(~np.eye(n_tfs, n_genes, dtype=bool))
    return pd.DataFrame(
        {"TF": gene_names[tf], "target": gene_names[target], "peak": peak[tf, target].astype(int)}
    )
