"""Local paths of reference files; URLs are downloaded to a cache with checksums."""

import hashlib
import logging
import os
import re
import time
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypedDict
from urllib.parse import unquote, urlsplit

from ..files import lock_file, remove_unfinished, replacing
from ._transfer import RefusedError, Transfer, refuse_other_kinds, run_in_time

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "SCIFATE_CACHE"
# Two more attempts, after one and two seconds, for short interruptions and damaged transfers.
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
        found = "it does not exist"
        if path.exists():
            found = "that is a folder" if path.is_dir() else "that is a pipe or a device"
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
    import requests

    path = folder / _cache_name(url)
    logger.info("Fetching %s into %s", url, path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (path.exists() and _matches(path, known_hash)):
            remove_unfinished(folder)
            _download_with_retries(url, known_hash, path, progressbar)
    except (RefusedError, requests.exceptions.RequestException, OSError) as error:
        problem = f"could not download {url} into {folder}: {error}"
        raise OSError(_advice(problem, path)) from error
    except ValueError as error:
        raise ValueError(_advice(f"bad checksum for {url}: {error}", path)) from error
    return path


def _download_with_retries(url: str, known_hash: str | None, path: Path, progressbar: bool) -> None:
    import requests

    for attempt in range(RETRIES + 1):
        try:
            with replacing(path) as part:
                _get(url, part, progressbar=progressbar, known_hash=known_hash)
            return
        except (requests.exceptions.RequestException, ValueError):
            if attempt == RETRIES:
                raise
            time.sleep(attempt + 1)


def _matches(path: Path, known_hash: str | None) -> bool:
    import pooch

    return bool(pooch.hashes.hash_matches(path, known_hash))


def _advice(problem: str, path: Path) -> str:
    return (
        f"{problem.rstrip('.')}. Download the file by other means and pass its local path instead, "
        f"or save it as {path}, which is used if it exists."
    )


def _get(url: str, part: Path, *, progressbar: bool, known_hash: str | None) -> None:
    """Download `url` to a file; raise RefusedError where a retry cannot help."""
    import pooch
    import requests

    with part.open("xb") as file:
        with suppress(OSError):  # some file systems have no locks
            lock_file(file.fileno())  # until the file is closed; other processes do not remove it
        transfer = Transfer(file, url, has_hash=known_hash is not None)
        downloader = pooch.HTTPDownloader(
            progressbar=progressbar,
            chunk_size=_BLOCK,
            hooks={"response": transfer.check_response},
            headers={"Accept-Encoding": "identity"},
        )
        try:
            run_in_time(partial(downloader, url, transfer, None), transfer)
        except requests.exceptions.HTTPError as error:
            status = error.response.status_code if error.response is not None else 500
            if 400 <= status < 500 and status not in PASSING_STATUSES:
                raise RefusedError(f"the server answered {status}") from error
            raise
        transfer.check_complete()
        file.flush()
        refuse_other_kinds(url, part)
        if not _matches(part, known_hash):
            raise ValueError(f"the file is not the expected one ({known_hash})")
