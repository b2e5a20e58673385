"""Files made to harm: nothing outside of them is read, run or written, and memory stays bounded.

A second process reads each file, with the library and with `scifate run`.
"""

import json
import os
import re
import selectors
import shutil
import subprocess
import sys
from pathlib import Path

import anndata as ad
import pytest

pytest.importorskip("pyarrow")
if not Path("/proc/self/clear_refs").exists():
    pytest.skip("requires Linux, which tells the peak of memory", allow_module_level=True)

from hostile_common import make_cells
from hostile_h5ad import H5AD, HARMLESS
from hostile_tables import (
    ANY_TEXT,
    EVIDENCE,
    FEATHER,
    GMT,
    MOMENTS,
    PARQUET,
    TABLES,
    write_moments,
    write_rankings,
)
from hostile_zarr import ZARR

SECRET = "content of another file"
READER = Path(__file__).parent / "helpers" / "hostile_reader.py"
TIMEOUT = 120
# Peak above the memory of a process that has read valid files.
MOST_MEMORY = 2**30

FILES = [
    ("cells", "cells.h5ad", H5AD),
    ("cells", "cells_v2.zarr", ZARR),
    ("cells", "cells_v3.zarr", ZARR),
    ("encode", "evidence.csv", ANY_TEXT | TABLES | PARQUET),
    ("encode", "sets.gmt", ANY_TEXT | GMT),
    ("tfs", "tfs.txt", ANY_TEXT),
    ("motif-annotations", "annotations.tbl", ANY_TEXT | TABLES),
    ("motifs", "motifs.feather", FEATHER),
    ("moments", "moments.npz", MOMENTS),
]
# The first of each technique are in the default suite.
ERRORS = (
    "AdvisedError", "ValueError", "TypeError", "FileNotFoundError", "IsADirectoryError", "OSError",
)  # fmt: skip
QUICK = {
    "external link to a pipe", "soft link", "external names", "virtual dataset", "huge names",
    "layer of references", "chunk that expands", "compressed twice", "cut in the middle",
    "pickle as compressor", "pickle in the copy of the metadata", "codec that allocates",
    "link to a folder", "index outside", "zstd chunk without size", "blosc chunk", "deep metadata",
    "zip file", "gzip of lines", "pickle", "pipe", "device", "UTF-16, cut",
    "a quote that never closes",
    "extension type", "declared length, zstd", "wrong offsets", "version 1, damaged",
    "pickled array", "name outside", "huge shape", "zip bomb",
}  # fmt: skip


# The same techniques as in files of other names.
SLOW = ("cells_v2.zarr", "sets.gmt", "annotations.tbl")


def cases():
    for kind, base, table in FILES:
        for name, change in table.items():
            if (base, name) not in HARMLESS:
                is_quick = name in QUICK and base not in SLOW
                marks = () if is_quick else pytest.mark.slow
                yield pytest.param(kind, base, change, id=f"{base}-{name}", marks=marks)


def test_there_are_enough():
    assert len(list(cases())) > 200


class Reader:
    """Process that reads files; started again if it crashes or hangs."""

    def __init__(self, valid):
        self.valid = valid
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", READER, self.valid],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        for kind, base, _ in FILES:  # imports what the readers use
            result = self.read(kind, self.valid / base)
            assert result["error"] is None
            assert result["code"] in (0, None), result
            shutil.rmtree(self.valid / "out", ignore_errors=True)

    def read(self, kind, path):
        self.process.stdin.write(json.dumps([kind, str(path)]) + "\n")
        self.process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if selector.select(TIMEOUT) else ""
        if line:
            return json.loads(line)
        self.process.kill()
        code = self.process.wait()
        self.start()
        pytest.fail(f"the process crashed or hung (exit code {code})")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """Return a folder of valid files."""
    folder = tmp_path_factory.mktemp("valid")
    make_cells().write_h5ad(folder / "cells.h5ad")
    for version in (2, 3):
        if hasattr(ad.settings, "zarr_write_format"):
            with ad.settings.override(zarr_write_format=version):
                make_cells().write_zarr(folder / f"cells_v{version}.zarr")
        else:
            make_cells().write_zarr(folder / f"cells_v{version}.zarr")
    (folder / "tfs.txt").write_text("Gene0\nGene1\n")
    (folder / "evidence.csv").write_text(EVIDENCE)
    (folder / "sets.gmt").write_text("Gene0\tx\tGene1\tGene2\nGene1\tx\tGene3\n")
    (folder / "annotations.tbl").write_text("motif\tTF\nm1\tGene0\nm2\tGene1\n")
    write_rankings(folder / "motifs.feather")
    write_moments(folder / "moments.npz")
    return folder


@pytest.fixture(scope="module")
def reader(valid):
    reader = Reader(valid)
    yield reader
    reader.close()


@pytest.fixture
def outside(tmp_path, valid):
    """Return a folder with a secret and a pipe, whose opening would hang."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text(SECRET * 50)
    os.mkfifo(folder / "pipe")
    shutil.copy(valid / "cells.h5ad", folder)
    return folder


def make(valid, base, change, folder, outside):
    path = folder / "stranger" / base
    path.parent.mkdir()
    (shutil.copytree if (valid / base).is_dir() else shutil.copy)(valid / base, path)
    change(path, outside)
    return path


@pytest.mark.parametrize(("kind", "base", "change"), cases())
def test_one_clear_error(reader, valid, outside, tmp_path, kind, base, change):
    before = sorted(path.name for path in outside.iterdir())
    path = make(valid, base, change, tmp_path, outside)
    result = reader.read(kind, path)
    has_results = (valid / "out").exists()
    shutil.rmtree(valid / "out", ignore_errors=True)
    assert not has_results, result
    assert result["error"] in ERRORS, result
    assert names_its_object(result["message"], base)
    assert len(result["message"]) < 1000
    if result["code"] is not None:
        assert result["code"] in (1, 2)
        assert result["stdout"] == ""
        text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", result["stderr"]).split())
        assert text.count("Error: ") == 1 or result["code"] == 2, text
        assert names_its_object(text, base), text
        assert "Traceback" not in text
        assert "unexpected" not in text
    assert SECRET not in result["message"] + result["stderr"]
    assert result["memory"] < MOST_MEMORY
    # Nothing was created, removed or run.
    assert sorted(path.name for path in outside.iterdir()) == before
    assert [entry.name for entry in path.parent.iterdir()] == [base]


def names_its_object(message, base):
    """Return whether a message names the file, its layer or the option."""
    return any(word in message for word in (base, "layer 'total'", "layer 'new'", "CELLS", "--"))


@pytest.mark.slow
@pytest.mark.parametrize(("base", "name"), sorted(HARMLESS))
def test_harmless_files_are_read(reader, valid, outside, tmp_path, base, name):
    change = (H5AD | ZARR | TABLES | FEATHER)[name]
    path = make(valid, base, change, tmp_path, outside)
    result = reader.read(next(kind for kind, file, _ in FILES if file == base), path)
    shutil.rmtree(valid / "out", ignore_errors=True)
    assert result["error"] is None
    assert result["code"] in (0, None)
    assert result["memory"] < MOST_MEMORY
