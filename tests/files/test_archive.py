"""Files of moments: they are read as they were written, or refused with a reason."""

import json
import os
import pickle
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import ShuffleSplit

from scifate_sklearn import (
    PermutationFDR,
    RSampleKFold,
    SciFateRegressor,
    StabilitySelection,
    prepare_moments,
)
from scifate_sklearn.anndata_io import SciFateMoments
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.files import _archive as archive
from scifate_sklearn.moments import Moments, plan_folds

N, P, Q = 40, 4, 3
FIELDS = ("n_cells", "weight", "x_shift", "y_shift", "x_sum", "y_sum", "xx", "xy", "yy")
LAYOUT = ("training", "held_out", "training_of", "total")
READABLE = "moments of cells"


def make_moments(splitter=None, named=True):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(N, P)), rng.normal(size=(N, Q))
    names = (np.array(["Pax6", "α-TF", "x" * 40, ""], object), np.array(["a", "b", "c"], object))
    plan = plan_folds((splitter or RSampleKFold(4)).split(X), N)
    return Moments.from_arrays(X, Y, plan, rng.uniform(0, 2, N), *(names if named else ()))


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("moments") / "good.npz"
    make_moments().save(path)
    return path.read_bytes()


def arrays_of(moments):
    arrays = {name: getattr(moments, name) for name in FIELDS}
    return arrays | {f"layout_{name}": getattr(moments.layout, name) for name in LAYOUT}


@pytest.mark.parametrize("splitter", [None, ShuffleSplit(3, random_state=0)])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("as_path", [str, Path])
def test_what_is_loaded_is_what_was_saved(tmp_path, splitter, named, as_path):
    moments = make_moments(splitter, named)
    moments.save(as_path(tmp_path / "moments.npz"))
    loaded = Moments.load(as_path(tmp_path / "moments.npz"))
    for name, array in arrays_of(moments).items():
        found = arrays_of(loaded)[name]
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype
        assert found.flags.writeable
    for name in ("feature_names", "target_names"):
        names = getattr(moments, name)
        assert (names is None) == (getattr(loaded, name) is None)
        assert not named or getattr(loaded, name).tolist() == names.tolist()
    assert [file.name for file in tmp_path.iterdir()] == ["moments.npz"]


def test_numpy_reads_the_file(tmp_path):
    moments = make_moments()
    moments.save(tmp_path / "moments.npz")
    with np.load(tmp_path / "moments.npz") as file:
        np.testing.assert_array_equal(file["xy"], moments.xy)
        header = json.loads(str(file["header"]))
    assert (header["kind"], header["version"]) == (READABLE, 1)


def test_the_file_has_ordinary_permissions(tmp_path):
    (tmp_path / "ordinary").touch()
    make_moments().save(tmp_path / "moments.npz")
    modes = {stat.S_IMODE(os.stat(file).st_mode) for file in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "moments.npz"
    make_moments().save(path)
    before = path.read_bytes()

    def fail(file, *_, **__):
        file.write(b"half a file")
        raise OSError("No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(OSError, match="No space left"):
        make_moments(named=False).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["moments.npz"]


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        Moments.load(tmp_path / "nothing.npz")
    with pytest.raises(OSError, match="directory"):
        Moments.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        make_moments().save(tmp_path / "no" / "such" / "folder.npz")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_file_cut_anywhere_is_refused(content, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("cut") / "cut.npz"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match=r"cut\.npz is damaged, or not a file of"):
        Moments.load(path)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_refused_or_does_not_matter(content, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "bytes.npz"
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bytes(changed))
    loaded, message = load(path)
    if loaded is None:
        assert "bytes.npz" in message
    else:
        for name, array in arrays_of(make_moments()).items():
            np.testing.assert_array_equal(arrays_of(loaded)[name], array)


def test_every_bit_of_the_end_record(content, tmp_path):
    path = tmp_path / "end.npz"
    for position in range(len(content) - 22, len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[position] ^= 1 << bit
            path.write_bytes(changed)
            loaded, message = load(path)
            assert loaded is not None or "is damaged" in message


def load(path):
    try:
        return Moments.load(path), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize(
    "text", [b"", b"TF,target\nPax6,Isl1\n", pickle.dumps({"a": 1}), b"PK\3\4"]
)
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / "other").write_bytes(text)
    with pytest.raises(ValueError, match="other is damaged, or not a file of moments of cells"):
        Moments.load(tmp_path / "other")


class Trap:
    def __reduce__(self):
        return Path.touch, (Path("sprung"),)


def test_a_pickle_in_the_file_is_never_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "trap.npz"
    np.savez(path, header=np.array("{}"), weight=np.array([Trap()], object))
    with pytest.raises(ValueError, match=r"trap\.npz is damaged.*weight\.npy holds objects"):
        Moments.load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_promises_too_much_takes_no_memory(tmp_path):
    path = tmp_path / "huge.npz"
    header = (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117) + "\n"
    )
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weight.npy", member)
    with pytest.raises(
        ValueError, match=r"weight\.npy is not of the size that its header declares"
    ):
        Moments.load(path)


def test_headers_of_either_version_are_read(tmp_path):
    path = tmp_path / "moments.npz"
    moments = make_moments()
    moments.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    with zipfile.ZipFile(path, "w") as file:
        for name, array in arrays.items():
            with file.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, version=(2, 0))
    np.testing.assert_array_equal(Moments.load(path).xy, moments.xy)


def test_compressed_files_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "small.npz", weight=np.zeros(10**6))
    with pytest.raises(ValueError, match=r"weight\.npy is compressed"):
        Moments.load(tmp_path / "small.npz")


def test_another_kind_or_version_is_named(tmp_path):
    path = tmp_path / "file.npz"
    archive.write_arrays(path, "finished blocks", 1, {"a": np.ones(2)})
    with pytest.raises(ValueError, match="holds finished blocks, not moments of cells"):
        Moments.load(path)
    archive.write_arrays(path, READABLE, 2, {"a": np.ones(2)})
    with pytest.raises(ValueError, match=r"has version 2 .* reads version 1\. Update scifate"):
        Moments.load(path)


def saved_files(folder):
    """Save one file of each format of this package; return their paths and contents."""
    rng = np.random.default_rng(0)
    X, Y = (rng.normal(size=(N, size)) for size in (P, Q))
    lasso = SciFateRegressor(cv=3, checkpoint=folder / "fits")
    PermutationFDR(lasso, n_permutations=2).fit(X, Y)
    StabilitySelection(lasso, n_resamples=2).fit(X, Y)
    cells = make_labelled_cells(n_cells=60, n_tfs=4, n_targets=10, random_state=0)
    prepared = prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=0, cv=3)
    prepared.save(folder / "prepared.npz")
    make_moments().save(folder / "moments.npz")
    return {
        "moments of cells": folder / "moments.npz",
        "prepared moments": folder / "prepared.npz",
        "fitted targets": next(folder.rglob("targets-*.npz")),
        "links of a permutation": next(folder.rglob("permutations-*/round-*.npz")),
        "links of a half": next(folder.rglob("halves-*/round-*.npz")),
    }


def test_each_kind_is_refused_in_place_of_another(tmp_path):
    files = saved_files(tmp_path)
    readers = {"moments of cells": Moments.load, "prepared moments": SciFateMoments.load}
    for wanted, load_file in readers.items():
        load_file(files[wanted])
        for kind in files.keys() - {wanted}:
            with pytest.raises(ValueError, match=f"holds {kind}, not {wanted}. Give the path of"):
                load_file(files[kind])


def test_exchanged_arrays_are_refused(tmp_path):
    path = tmp_path / "moments.npz"
    make_moments().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {"x_shift": arrays["y_shift"], "y_shift": arrays["x_shift"]}))
    with pytest.raises(ValueError, match="checksum differs"):
        Moments.load(path)


def test_parts(tmp_path):
    path = tmp_path / "part.npz"
    archive.write_arrays(path, "anything", 1, {"a": np.ones(2)}, "part 1 of x")
    assert archive.read_arrays(path, "anything", 1, "part 1 of x")["a"].sum() == 2
    with pytest.raises(ValueError, match="holds part 1 of x, not part 2 of x: it was renamed or"):
        archive.read_arrays(path, "anything", 1, "part 2 of x")
    archive.write_arrays(path, "anything", 1, {"a": np.ones(2)})
    with pytest.raises(ValueError, match="holds no part, not part 2 of x"):
        archive.read_arrays(path, "anything", 1, "part 2 of x")


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda path: None, "'.*folder' is not an existing folder; create it"),
        (lambda path: path.parent.touch(), "'.*folder' is not an existing folder; create it"),
        (lambda path: path.mkdir(parents=True), "It is a folder; give the path of a file"),
    ],
    ids=["no folder", "a file as folder", "a folder as file"],
)
def test_errors_of_writing_name_the_file_and_say_what_to_do(tmp_path, make, advice):
    path = tmp_path / "folder" / "moments.npz"
    make(path)
    with pytest.raises(OSError, match=rf"^cannot write '.*moments\.npz' \(.*\)\. {advice}"):
        make_moments().save(path)


def test_changed_contents_with_the_old_checksum(tmp_path):
    path = tmp_path / "moments.npz"
    make_moments().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {"weight": arrays["weight"] + 1e-9}))
    with pytest.raises(ValueError, match="has changed since it was written: its checksum differs"):
        Moments.load(path)


def changed(**arrays):
    return arrays_of(make_moments(named=False)) | arrays


INVALID = {
    "missing": {k: v for k, v in changed().items() if k != "xy"},
    "unknown": changed(surprise=np.ones(1)),
    "shape": changed(xx=np.ones((4, P, P + 1))),
    "precision": changed(yy=np.ones((4, Q), np.float32)),
    "nan": changed(weight=np.array([1.0, np.nan, 1.0, 1.0])),
    "infinity": changed(xy=np.full((4, P, Q), np.inf)),
    "negative weight": changed(weight=-np.ones(4)),
    "no targets": changed(
        y_shift=np.ones(0), y_sum=np.ones((4, 0)), xy=np.ones((4, P, 0)), yy=np.ones((4, 0))
    ),
    "other parts": changed(layout_training=np.ones((4, 3)), layout_total=np.ones(3)),
    "part out of range": changed(layout_held_out=np.array([0, 1, 2, 4])),
    "negative part": changed(layout_held_out=np.array([0, 1, 2, -1])),
    "fold out of range": changed(layout_training_of=np.array([0, 1, 2, 9])),
    "folds in disorder": changed(layout_training_of=np.array([3, 2, 1, 0])),
    "index of floats": changed(layout_held_out=np.arange(4.0)),
    "index in two dimensions": changed(layout_held_out=np.zeros((4, 1), np.intp)),
    "no units": changed(
        layout_held_out=np.zeros(0, np.intp), layout_training_of=np.zeros(0, np.intp)
    ),
    "half a part": changed(layout_total=np.full(4, 0.5)),
    "one fold": changed(layout_training=np.ones((1, 4)), layout_training_of=np.zeros(4, np.intp)),
    "training in one dimension": changed(layout_training=np.ones(4)),
    "names twice": changed(feature_names=np.array(["a", "b", "c", "a"])),
    "too few names": changed(target_names=np.array(["a"])),
}


@pytest.mark.parametrize("arrays", INVALID.values(), ids=INVALID)
def test_a_valid_file_of_invalid_moments_is_refused(tmp_path, arrays):
    path = tmp_path / "strange.npz"
    archive.write_arrays(path, READABLE, 1, arrays)
    with pytest.raises(ValueError, match=r"strange\.npz holds no valid moments"):
        Moments.load(path)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(0, 4), max_size=3),
    dtype=st.sampled_from(["f8", "f4", "i8", "?", "U3", "c16", ">f8"]),
    is_fortran=st.booleans(),
)
def test_arrays_of_any_kind_come_back(tmp_path_factory, shape, dtype, is_fortran):
    path = tmp_path_factory.mktemp("arrays") / "arrays.npz"
    rng = np.random.default_rng(0)
    array = np.asarray(rng.integers(0, 9, shape).astype(dtype), order="F" if is_fortran else "C")
    archive.write_arrays(path, "anything", 3, {"array": array})
    found = archive.read_arrays(path, "anything", 3)["array"]
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
