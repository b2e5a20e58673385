"""Valid cells, and changes that make any file hostile.

Each change is a function of the path of a copy of a valid file, and of a folder ``outside`` that
holds a secret file, a pipe, and an h5ad file.
"""

import gzip
import os
import zlib
from functools import cache

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

N_CELLS, N_GENES = 40, 8


HUGE = 10**11


def make_cells():
    counts = np.random.default_rng(0).poisson(30, (N_CELLS, N_GENES)).astype(float)
    obs = pd.DataFrame(
        {"size": np.ones(N_CELLS), "batch": pd.Categorical(["a", "b"] * (N_CELLS // 2))},
        index=[f"cell{i}" for i in range(N_CELLS)],
    )
    var = pd.DataFrame({"symbol": list("abcdefgh")}, index=[f"Gene{i}" for i in range(N_GENES)])
    layers = {"new": sp.csr_matrix(counts // 2), "total": counts}
    return ad.AnnData(X=counts, obs=obs, var=var, layers=layers, uns={"notes": {"n": np.ones(3)}})


class Trap:
    """Object whose pickle creates a file when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@cache
def zeros(wbits=15, n_bytes=3 * 2**28):
    """Return compressed zeros, 800 kB, without keeping them in memory."""
    packer, block = zlib.compressobj(1, wbits=wbits), bytes(2**22)
    parts = [packer.compress(block) for _ in range(n_bytes // 2**22)]
    return b"".join(parts) + packer.flush()


def cut(share):
    def make(path, _):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return make


def content(data):
    return lambda path, outside: path.write_bytes(data)


def folder(path, _):
    path.unlink()
    path.mkdir()


def pipe(path, _):
    path.unlink()
    os.mkfifo(path)


def device(path, _):
    path.unlink()
    path.symlink_to("/dev/zero")


def compressed(path, _):
    path.write_bytes(gzip.compress(path.read_bytes()))


def sparse_file(size):
    """Return a function that makes a file of NUL bytes, which take no space."""

    def make(path, _):
        with path.open("r+b") as file:
            file.truncate(0)
            file.truncate(size)

    return make
