"""Tables, counts and summary of a run."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ..filters.evidence import Step
from ..solvers import CRITERIA
from ._console import one_line
from ._options import LARGEST_SEED, RULES, RunOptions

N_TOP_TFS = 10
FOUND_AGAIN = "links_found_again"
ABOVE_THRESHOLD = "links_above_threshold"


@dataclass(frozen=True)
class Results:
    """Tables and counts of one run.

    Attributes
    ----------
    tables : dict of DataFrame
        By the name of their file, without ``.csv``.
    steps : list of Step
        Counts before and after each step.
    groups : dict of list of Step
        Those of each group of --by.
    skipped : dict of str
        Why each other group has no network.
    """

    tables: dict[str, pd.DataFrame]
    steps: list[Step]
    groups: dict[str, list[Step]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """Return the counts for ``run.json``."""
        found: dict[str, Any] = {"steps": _described(self.steps)}
        if self.groups:
            found["groups"] = {name: _described(steps) for name, steps in self.groups.items()}
            found["skipped_groups"] = self.skipped
        return found


def _described(steps: list[Step]) -> dict[str, dict[str, int]]:
    return {
        each.name: {"before": each.before, "kept": each.kept, "dropped": each.before - each.kept}
        for each in steps
    }


def summarise(results: Results, options: RunOptions) -> str:
    """Return the summary for the terminal."""
    lines = [_line(step) for step in results.steps]
    for name, steps in results.groups.items():
        lines += ["", one_line(f"{options.by} {name}:"), *map(_line, steps)]
    for name, reason in results.skipped.items():
        lines += ["", one_line(f"{options.by} {name}: no network ({reason})")]
    tops = [_top_tfs(name, results.tables) for name in ("links", "links_filtered")]
    return "\n".join([*lines, "", *filter(None, tops), "", _seed_note(results.steps, options)])


def _line(step: Step) -> str:
    return f"{step.label:<24}{step.kept:>8,} of {step.before:,}"


def _seed_note(steps: list[Step], options: RunOptions) -> str:
    """Return a sentence on how far the links depend on the folds."""
    if not depends_on_seed(options):
        kept = " Those that --fdr or --stability keep may do so."
        is_tested = options.fdr is not None or options.stability is not None
        return f"The links do not depend on --seed.{kept if is_tested else ''}"
    advice = "More --repeats make them depend on it less."
    if options.lambda_rule == "1se":
        advice = "--lambda-rule 1se_cells makes them depend on it less."
    if options.by is not None:
        return f"The links depend on --seed. {advice}"
    again = next((step for step in steps if step.name == FOUND_AGAIN), None)
    if again is None:
        return f"The links depend on --seed; --seed-stability measures how much. {advice}"
    share = again.kept / max(1, again.before)
    return (
        f"The links depend on --seed: --seed {other_seed(options)} finds {share:.0%} of them "
        f"again. {advice}"
    )


def _top_tfs(name: str, tables: dict[str, pd.DataFrame]) -> str:
    if name not in tables:
        return ""
    top = tables[name]["TF"].value_counts().head(N_TOP_TFS)
    shown = ", ".join(f"{one_line(tf)} {count:,}" for tf, count in top.items()) or "none"
    return f"TFs with most links ({name}.csv): {shown}"


def depends_on_seed(options: RunOptions) -> bool:
    """Return whether the links depend on the folds."""
    if options.groups is not None and options.repeats == 1:  # the folds of GroupKFold
        return False
    return options.lambda_rule in RULES and options.lambda_rule not in CRITERIA


def other_seed(options: RunOptions) -> int:
    """Return a seed whose folds no repeat of the run has."""
    return (options.seed + options.repeats) % (LARGEST_SEED + 1)
