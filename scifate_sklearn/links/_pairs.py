"""What tables of links share: pairs that are there once, and names that meet."""

from collections.abc import Collection

import pandas as pd

from ._table import check_links, check_named

PAIR = ["TF", "target"]
MODEL_COLUMNS = ("coef", "r2", "lambda_")
N_EXAMPLES = 5


def links_by_pair(links: object, caller: str) -> pd.DataFrame:
    """Return ``coef`` and, if they are there, ``r2`` and ``lambda_`` by (TF, target), sorted.

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table, a name is missing, or two rows of one pair disagree.
    """
    checked = check_named(check_links(links, caller))
    return by_pair(checked, [name for name in MODEL_COLUMNS if name in checked.columns], caller)


def by_pair(table: pd.DataFrame, values: list[str], caller: str) -> pd.DataFrame:
    """Return columns of numbers by (TF, target), sorted; rows that only repeat others count once.

    Tables of evidence, like the paper's, name a link once per kind of evidence, with the same
    numbers each time.

    Raises
    ------
    ValueError
        If two rows of one pair differ in `values`.
    """
    names = {name: table[name].astype(str) for name in PAIR}
    distinct = table[values].assign(**names).drop_duplicates()
    repeated = distinct[distinct.duplicated(PAIR)]
    if len(repeated):
        tf, target = repeated.iloc[0][PAIR]
        raise ValueError(
            f"{caller}: {len(repeated)} row(s) repeat a pair with other numbers in "
            f"{', '.join(values)}, for example {tf} → {target}. Give each pair once: these may be "
            "links of several fits; compare or combine the fits one by one."
        )
    return distinct.set_index(PAIR)[values].astype("float64").sort_index()


def require_common(
    ours: Collection[str], theirs: Collection[str], our_side: str, their_side: str
) -> None:
    """Raise an error with examples of both sides if no name is on both.

    Raises
    ------
    ValueError
        If there is no common name.
    """
    if not set(ours).isdisjoint(theirs):
        return
    hint = "They do not match in any letter case either: check species and kind of identifier."
    if {name.casefold() for name in ours} & {name.casefold() for name in theirs}:
        hint = "They match when letter case is ignored: rename one side."
    raise ValueError(
        f"No name of {our_side} is in {their_side}: {_examples(ours)} on one side, "
        f"{_examples(theirs)} on the other. {hint}"
    )


def _examples(names: Collection[str]) -> str:
    shown = ", ".join(map(repr, sorted(names)[:N_EXAMPLES]))
    return f"{shown}, …" if len(names) > N_EXAMPLES else shown
