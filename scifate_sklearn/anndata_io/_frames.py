"""Tables of cells and genes in h5ad files and zarr folders of any age.

Up to version 0.6, anndata wrote ``obs`` and ``var`` as one array of records each, and the
categories of their columns to ``uns``. Other writers leave out the attributes of a table.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CATEGORIES = "_categories"


def read_frames(store: Any) -> dict[str, pd.DataFrame]:
    """Read ``obs`` and ``var``.

    Parameters
    ----------
    store : h5py.File or zarr.Group

    Returns
    -------
    dict of DataFrame
        With the keys "obs" and "var".
    """
    frames = {name: read_frame(store[name]) for name in ("obs", "var")}
    if any(_is_array(store[name]) for name in frames) and "uns" in store:
        _set_categories(list(frames.values()), store["uns"])
    return frames


def read_frame(stored: Any) -> pd.DataFrame:
    """Read one of these tables, or that of ``raw``."""
    import anndata

    if _is_array(stored):
        return _from_records(stored[()])
    if "encoding-type" in stored.attrs:
        return pd.DataFrame(anndata.io.read_elem(stored))
    return _from_columns(stored)


def _is_array(stored: Any) -> bool:
    return hasattr(stored, "dtype")


def _from_records(records: NDArray[Any]) -> pd.DataFrame:
    """Return a table from an array of records, whose first field has the names."""
    if records.dtype.names is None:
        raise ValueError(f"obs and var must be tables, found an array of {records.dtype}.")
    columns = {name: decoded(records[name]) for name in records.dtype.names}
    return pd.DataFrame(columns).set_index(records.dtype.names[0])


def _from_columns(group: Any) -> pd.DataFrame:
    """Return a table from a group of arrays without attributes."""
    arrays = {name: group[name] for name in group if _is_array(group[name])}
    index = str(group.attrs.get("_index", "_index" if "_index" in arrays else "index"))
    if index not in arrays:
        raise ValueError(f"{group.name} has no names of its rows, such as an array {index!r}.")
    columns = {name: decoded(np.asarray(array[()])) for name, array in arrays.items()}
    return pd.DataFrame(columns).set_index(index)


def decoded(values: NDArray[Any]) -> NDArray[Any]:
    """Return text where there are bytes, and any other values as they are."""
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8").astype(object)
    if values.dtype.kind == "O":
        text = [each.decode("utf-8") if isinstance(each, bytes) else each for each in values]
        return np.array([*text, None], object)[:-1]  # None keeps NumPy from making another type
    # pandas supports the byte order of the machine only.
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def _set_categories(frames: list[pd.DataFrame], uns: Any) -> None:
    """Replace codes by categories in place, where ``uns`` has those of a column."""
    for key in uns:
        if not key.endswith(_CATEGORIES) or not _is_array(uns[key]):
            continue
        column = key.removesuffix(_CATEGORIES)
        categories = pd.Index(decoded(np.atleast_1d(np.asarray(uns[key][()]))))
        for frame in frames:
            codes: Any = frame[column].to_numpy() if column in frame else None
            if codes is not None and _are_codes(codes, len(categories)):
                frame[column] = pd.Categorical.from_codes(codes, categories)


def _are_codes(values: NDArray[Any], n_categories: int) -> bool:
    if values.dtype.kind not in "iu":
        return False
    return not values.size or bool(-1 <= values.min() <= values.max() < n_categories)
