"""One table of all links and all evidence, over several estimators."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ._summary import Summary, ledger_from
from .links import LEDGER_COLUMNS, PAIR, check_links, ledger_of

_NO_LINKS = (
    "No step has links: pass a fitted Pipeline, or fitted estimators such as SciFateRegressor and "
    "EncodeLinkFilter."
)


def link_ledger(*steps: Any) -> pd.DataFrame:
    """Return all links with the evidence of each step, and the reason why a link was dropped.

    Parameters
    ----------
    *steps : Pipeline or fitted estimators
        In the order in which links pass them: a fitted pipeline, or estimators with a ``ledger_``
        (filters, `PermutationFDR`, `StabilitySelection`) or ``links_`` (`SciFateRegressor`). Steps
        without either, such as scalers, are ignored. Lists of steps are accepted as well.

    Returns
    -------
    DataFrame
        One row per link of the first step, followed by the links that only later steps have. The
        columns are those of the links table, the evidence of each step (missing for links that did
        not reach it), ``kept``, and ``reason``: the first reason for which the link was dropped, ""
        if it was kept. If two steps have different evidence under the same name, as two ChIP-seq
        filters do, the number of the later step is put in front of its columns: ``3__chip_q``.

    Raises
    ------
    ValueError
        If no step has links, or a table of links holds a pair of TF and target twice.

    Examples
    --------
    >>> import pandas as pd
    >>> from scifate_sklearn import BindingReference, EncodeLinkFilter, link_ledger
    >>> genes = [f"G{i}" for i in range(40)]
    >>> bound = pd.DataFrame({"TF": "MYC", "target": genes[:10]})
    >>> links = pd.DataFrame({"TF": "MYC", "target": genes[:6] + genes[30:32], "coef": 0.1})
    >>> chip = EncodeLinkFilter(BindingReference.from_edges(bound, genes), require_peak=True)
    >>> link_ledger(chip.fit(links))["reason"].value_counts().to_dict()
    {'': 6, 'no ChIP-seq peak': 2}
    """
    ledgers = [ledger for step in _flatten(steps) if (ledger := _ledger(step)) is not None]
    if not ledgers:
        raise ValueError(_NO_LINKS)
    whole = ledgers[0]
    for place, ledger in enumerate(ledgers[1:], start=2):
        whole = _join(whole, ledger, place)
    return whole.reset_index()


def link_summary(*steps: Any) -> pd.DataFrame:
    """Return what each step found: numbers of targets, links, kept links and warnings, and TFs.

    Notebooks show the same under scikit-learn's diagram of a fitted estimator of this package. The
    diagram of a `Pipeline` is scikit-learn's alone.

    Parameters
    ----------
    *steps : Pipeline or fitted estimators
        As for `link_ledger`.

    Returns
    -------
    DataFrame
        One row per step with links, by the name of its class: ``targets`` and ``without_model``
        (missing for filters), ``links``, ``kept``, ``dropped`` (the most frequent reasons, with
        their numbers), ``top_tfs`` (the TFs with the most kept links) and ``warnings`` (how many
        the fit issued; the attribute ``warnings_`` of the step has them).

    Raises
    ------
    ValueError
        If no step has links.

    Examples
    --------
    >>> import pandas as pd
    >>> from scifate_sklearn import BindingReference, EncodeLinkFilter, link_summary
    >>> genes = [f"G{i}" for i in range(40)]
    >>> bound = pd.DataFrame({"TF": "MYC", "target": genes[:10]})
    >>> links = pd.DataFrame({"TF": "MYC", "target": genes[:6] + genes[30:32], "coef": 0.1})
    >>> chip = EncodeLinkFilter(BindingReference.from_edges(bound, genes), require_peak=True)
    >>> link_summary(chip.fit(links))[["links", "kept", "top_tfs"]].values.tolist()
    [[8, 6, 'MYC (6)']]
    """
    flat = _flatten(steps)
    found = [(type(each).__name__, Summary.from_estimator(each)) for each in flat]
    named = [(name, summary) for name, summary in found if summary is not None]
    if not named:
        raise ValueError(_NO_LINKS)
    table = pd.DataFrame([summary for _, summary in named], columns=list(Summary._fields))
    numbers = {name: table[name].astype("Int64") for name in ("targets", "without_model")}
    table = table.assign(**numbers, warnings=table["warnings"].map(len))
    return table.set_axis(pd.Index([name for name, _ in named], name="step"))


def _flatten(steps: tuple[Any, ...]) -> list[Any]:
    """Return the estimators, with pipelines and lists expanded."""
    found = []
    for step in steps:
        inner = tuple(named[1] for named in step.steps) if isinstance(step, Pipeline) else step
        found += _flatten(tuple(inner)) if isinstance(inner, list | tuple) else [step]
    return found


def _ledger(step: Any) -> pd.DataFrame | None:
    """Return the ledger of a step by TF and target, or None if it has no links."""
    name = type(step).__name__
    ledger = ledger_from(step)
    if ledger is None:
        return None
    check_links(ledger, name)
    ledger = ledger.astype(dict.fromkeys(PAIR, object)).set_index(PAIR)
    if not ledger.index.is_unique:
        repeated = ledger.index[ledger.index.duplicated()][0]
        raise ValueError(
            f"The links of {name} have {repeated[0]} → {repeated[1]} more than once; drop repeated "
            "rows before the fit."
        )
    ledger.attrs = {"step": name}
    return ledger


def _join(whole: pd.DataFrame, later: pd.DataFrame, place: int) -> pd.DataFrame:
    """Add the links, evidence and reasons of a later step."""
    added = later.loc[later.index.difference(whole.index, sort=False)]
    links = whole.columns.drop(list(LEDGER_COLUMNS))
    joined = whole[links]
    if len(added):
        joined = pd.concat([joined, added[links.intersection(added.columns)]])
    joined = joined.join(_new_evidence(whole, later, place))
    rows = joined.index
    before = whole["reason"].reindex(rows, fill_value="").to_numpy(object)
    missing = f"not among the links of {later.attrs['step']}"
    after = later["reason"].reindex(rows, fill_value=missing).to_numpy(object)
    return ledger_of(joined, np.where(before == "", after, before))


def _new_evidence(whole: pd.DataFrame, later: pd.DataFrame, place: int) -> pd.DataFrame:
    """Return the columns of `later` that are new, or differ, under names that are free."""
    both = whole.index.intersection(later.index)
    names = {}
    for name in later.columns.drop(list(LEDGER_COLUMNS)):
        if name not in whole.columns:
            names[name] = name
        elif not _same(whole.loc[both, name], later.loc[both, name]):
            names[name] = f"{place}__{name}"
    return later[list(names)].rename(columns=names)


def _same(one: "pd.Series[Any]", other: "pd.Series[Any]") -> bool:
    """Return whether all values are equal, whatever their types."""
    is_there = one.notna().to_numpy(bool)
    if not np.array_equal(is_there, other.notna().to_numpy(bool)):
        return False
    return bool(np.all(one[is_there].to_numpy(object) == other[is_there].to_numpy(object)))
