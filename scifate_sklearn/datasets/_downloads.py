"""Local paths of reference files; URLs are downloaded to a cache with checksums."""

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypedDict
from urllib.parse import unquote, urlsplit

from ._transfer import RefusedError, Transfer, refuse_other_kinds, run_in_time

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "SCIFATE_CACHE"
# Two more attempts, after one and two seconds, for short interruptions.
RETRIES = 2
# 4xx statuses after which a later attempt may succeed.
PASSING_STATUSES = (408, 425, 429)
# Bytes that are read at once.
_BLOCK = 2**14


class DownloadOptions(TypedDict, total=False):
    """Options of `fetch_file` that all functions for single references pass on."""

    known_hash: str | None
    cache_dir: str | os.PathLike[str] | None
    progressbar: bool


def fetch_file(
    path_or_url: str | os.PathLike[str],
    *,
    known_hash: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progressbar: bool = False,
) -> Path:
    """Return the local path of a file given by path or by http(s) URL.

    A URL is downloaded once to the cache. The file name consists of a digest of the URL and the
    last part of its path (``…/peaks.csv.gz?dl=1`` keeps ``.csv.gz``). The file appears under that
    name only when it is complete and its checksum, if known, is correct. Empty and partial
    responses, web pages and error messages are refused, and so are files above 4 GiB and servers
    that send less than 1 kB per second.

    Parameters
    ----------
    path_or_url : str or path-like
        A local file (``~`` is expanded) or a URL that begins with ``http://`` or ``https://``.
    known_hash : str, optional
        SHA256 of the file in hexadecimal, or ``"algorithm:digest"``. Local files are checked too; a
        cached file with another checksum is downloaded again.
    cache_dir : str or path-like, optional
        Folder of the downloads. Default: the environment variable ``SCIFATE_CACHE``, else the
        user's cache folder for ``scifate_sklearn``.
    progressbar : bool, default=False
        Whether to show a progress bar of the download on stderr.

    Returns
    -------
    pathlib.Path
        Path of the file.

    Raises
    ------
    FileNotFoundError
        If there is no file at a local path.
    OSError
        If the URL cannot be downloaded; the message says where to save the file manually.
    ValueError
        If the checksum is wrong, or the URL is not http(s).
    """
    source = os.fspath(path_or_url)
    scheme, separator, _ = source.partition("://")
    if not separator:
        return _check_local(Path(source).expanduser(), known_hash)
    if scheme.lower() not in ("http", "https"):
        raise ValueError(
            f"`path_or_url`: cannot download from {source}; only http:// and https:// are "
            "supported. Download it by other means and pass the local path."
        )
    return _download(source, known_hash, _cache_folder(cache_dir), progressbar)


def _check_local(path: Path, known_hash: str | None) -> Path:
    import pooch

    if not path.is_file():
        found = "that is a folder" if path.is_dir() else "it does not exist"
        raise FileNotFoundError(f"`path_or_url`: expected a file at {path}, but {found}.")
    if known_hash is not None and not pooch.hashes.hash_matches(path, known_hash):
        raise ValueError(
            f"`known_hash`: {path} is not the expected file ({known_hash}); "
            "replace it, or leave `known_hash` out to use it as it is."
        )
    return path


def _cache_folder(cache_dir: str | os.PathLike[str] | None) -> Path:
    import pooch

    chosen = cache_dir or os.environ.get(CACHE_VARIABLE) or pooch.os_cache("scifate_sklearn")
    return Path(chosen).expanduser().resolve()


def _cache_name(url: str) -> str:
    """Return a unique file name for `url`, valid on every file system, with the same extension.

    >>> _cache_name("https://www.dropbox.com/s/x1/df_gene.csv.gz?dl=1")
    '878e7ecab79dc4ae-df_gene.csv.gz'
    """
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]
    last_part = unquote(PurePosixPath(urlsplit(url).path).name)
    return f"{digest}-{re.sub(r'[^A-Za-z0-9._-]+', '_', last_part)[-100:]}"


def _download(url: str, known_hash: str | None, folder: Path, progressbar: bool) -> Path:
    import pooch
    import requests

    name = _cache_name(url)
    cache = pooch.create(
        folder, base_url="", registry={name: known_hash}, urls={name: url}, retry_if_failed=RETRIES
    )
    get = partial(_get, progressbar=progressbar, has_hash=known_hash is not None)
    logger.info("Fetching %s into %s", url, folder / name)
    try:
        with _quiet_pooch():
            return Path(cache.fetch(name, downloader=get))
    except (RefusedError, requests.exceptions.RequestException, OSError) as error:
        problem = f"could not download {url} into {folder}: {error}"
        raise OSError(_advice(problem, folder / name)) from error
    except ValueError as error:
        raise ValueError(_advice(f"bad checksum for {url}: {error}", folder / name)) from error


def _advice(problem: str, path: Path) -> str:
    return (
        f"{problem.rstrip('.')}. Download the file by other means and pass its local path instead, "
        f"or save it as {path}, which is used if it exists."
    )


def _get(
    url: str, output_file: str, pooch_instance: Any, *, progressbar: bool, has_hash: bool
) -> None:
    """Download `url` to `output_file`; raise RefusedError where a retry cannot help."""
    import pooch
    import requests

    with Path(output_file).open("wb") as file:
        transfer = Transfer(file, url, has_hash)
        downloader = pooch.HTTPDownloader(
            progressbar=progressbar,
            chunk_size=_BLOCK,
            hooks={"response": transfer.check_response},
            headers={"Accept-Encoding": "identity"},
        )
        try:
            run_in_time(partial(downloader, url, transfer, pooch_instance), transfer)
        except requests.exceptions.HTTPError as error:
            status = error.response.status_code if error.response is not None else 500
            if 400 <= status < 500 and status not in PASSING_STATUSES:
                raise RefusedError(f"the server answered {status}") from error
            raise
        transfer.check_complete()
    refuse_other_kinds(url, Path(output_file))


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Suppress the messages of pooch on stderr; this module logs instead."""
    import pooch

    pooch_logger = pooch.get_logger()
    level = pooch_logger.level
    pooch_logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        pooch_logger.setLevel(level)
