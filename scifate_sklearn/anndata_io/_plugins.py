"""Packages that some h5ad files and zarr folders need: zarr itself, and filters of HDF5."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Filters with smaller numbers are part of the HDF5 library, if it was built with them.
_FIRST_REGISTERED = 256
_NAMES = {
    4: "szip",
    307: "bzip2",
    32001: "Blosc",
    32004: "LZ4",
    32008: "Bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32017: "SZ",
    32024: "SZ3",
    32026: "Blosc2",
    32028: "SPERR",
}


def import_zarr(path: Path) -> Any:
    """Return the package zarr, or raise an error if it is missing or too old for a folder.

    Parameters
    ----------
    path : Path
        A zarr folder.

    Raises
    ------
    ImportError
        With what to install.
    """
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            f"{path} is a zarr folder, and the package zarr is not installed: pip install zarr."
        ) from error
    is_format_3 = (path / "zarr.json").exists()
    if is_format_3 and zarr_version() < 3:
        raise ImportError(
            f"{path} is a zarr folder of format 3, and zarr {zarr.__version__} reads format 2 "
            "only: pip install 'zarr>=3'."
        )
    return zarr


def zarr_version() -> int:
    """Return the major version of the installed package zarr."""
    import zarr

    return int(zarr.__version__.split(".")[0])


def check_filters(stored: Any) -> None:
    """Raise an error if an array of an HDF5 file needs a filter that is not installed.

    Filters of the package hdf5plugin are registered if it is installed.

    Parameters
    ----------
    stored : h5py.Dataset, h5py.Group or object
        An array, or a group of arrays. Those of zarr are not checked.

    Raises
    ------
    ImportError
        With the array, the filter and what to install.
    """
    import h5py

    if isinstance(stored, h5py.Group):
        for name in stored:
            check_filters(stored[name])
    elif isinstance(stored, h5py.Dataset):
        for number, name in _filters(stored):
            if not _is_available(number):
                raise ImportError(
                    f"{stored.name} is compressed with the HDF5 filter {name} ({number}), which "
                    f"is not installed. {_advice(number)}"
                )


def _filters(dataset: Any) -> list[tuple[int, str]]:
    """Return number and name of each filter that is required to read a data set."""
    created = dataset.id.get_create_plist()
    found = [created.get_filter(position) for position in range(created.get_nfilters())]
    return [
        (number, _NAMES.get(number) or name.decode("utf-8", "replace") or "without a name")
        for number, _, _, name in found
    ]


def _is_available(number: int) -> bool:
    import h5py

    if not h5py.h5z.filter_avail(number) and find_spec("hdf5plugin"):
        import hdf5plugin  # noqa: F401  # registers its filters
    return bool(h5py.h5z.filter_avail(number))


def _advice(number: int) -> str:
    if number < _FIRST_REGISTERED:
        return "Install h5py from conda-forge, whose HDF5 library has it, or write the file again."
    if find_spec("hdf5plugin"):
        return "The package hdf5plugin does not have it; write the file again with gzip."
    return "Install the package that has it: pip install hdf5plugin."
