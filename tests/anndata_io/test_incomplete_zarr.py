"""Zarr folders in which chunks are missing, for example because a copy was interrupted."""

import warnings
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest
import scipy.sparse as sp
import zarr
from anndata.io import write_elem

from scifate_sklearn import open_anndata, prepare_moments
from scifate_sklearn.datasets import make_labelled_cells

CELLS = make_labelled_cells(40, 3, 12, random_state=0)


def write(path: Path, make: Any, **settings: Any) -> None:
    """Write cells whose layer ``new`` has several chunks where it is dense."""
    new = np.asarray(sp.csr_array(CELLS.adata.layers["new"]).todense())
    none = sp.csr_matrix(new.shape)
    adata = anndata.AnnData(obs=CELLS.adata.obs, var=CELLS.adata.var)
    adata.layers["total"] = CELLS.adata.layers["total"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zarr, about its versions
        adata.write_zarr(path)
        layers = zarr.open_group(path, mode="r+", use_consolidated=False)["layers"]
        write_elem(layers, "new", make(new), dataset_kwargs=settings)
        write_elem(layers, "none", none)
        zarr.consolidate_metadata(path)


def prepare(path: Path, total: str = "total") -> Any:
    layers = ("new", total)
    with open_anndata(path, layers) as adata:
        return prepare_moments(adata, CELLS.tf_names, nt_layers=layers, cell_filter_UMI=0)


def chunks(path: Path) -> list[Path]:
    return sorted(each for each in path.rglob("*") if each.name[0].isdigit() and each.is_file())


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize("part", ["data", "indices", "indptr"])
def test_sparse_matrices_are_refused(tmp_path: Path, make: Any, part: str) -> None:
    path = tmp_path / "cells.zarr"
    write(path, make)
    for each in chunks(path / "layers" / "new" / part):
        each.unlink()
    with pytest.raises(ValueError, match=r"layer 'new' is incomplete: 1 of 1 chunks of its `"):
        prepare(path)


def test_one_warning_for_dense_arrays(tmp_path: Path) -> None:
    path = tmp_path / "cells.zarr"
    write(path, np.asarray, chunks=(20, 5))
    complete = prepare(path)
    chunks(path / "layers" / "new")[0].unlink()
    with pytest.warns(UserWarning, match=r"layer 'new': 1 of 6 chunks are not in") as found:
        incomplete = prepare(path)
    assert len(found) == 1
    assert not np.array_equal(complete.moments.xy, incomplete.moments.xy)


def test_a_sparse_matrix_without_entries_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "cells.zarr"
    write(path, sp.csr_matrix)
    assert np.array_equal(prepare(path).moments.xy, prepare(path, "total+none").moments.xy)
