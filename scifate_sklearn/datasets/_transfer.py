"""Downloads with limits: only complete files of plausible content, size and speed are accepted."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from ..files import size_limit

# cisTarget's rankings, the largest references, have 0.3 to 1.5 GB.
MAX_BYTES = 4 * 2**30
MAX_SECONDS = 2 * 3600.0
# Bytes per second, on average since the start, that are expected after SLOW_SECONDS.
MIN_SPEED = 1000
SLOW_SECONDS = 60.0

_CHECK_SECONDS = 0.2
_GLANCE = 512
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WEB_PAGE, _MESSAGE = (".html", ".htm"), (".json", ".xml")
# Kinds of answers that servers give instead of a file, and the extensions of such files.
_OTHER_TYPES = {
    "text/html": _WEB_PAGE,
    "application/xhtml+xml": _WEB_PAGE,
    "application/json": _MESSAGE,
    "application/problem+json": _MESSAGE,
    "application/xml": _MESSAGE,
}
_OTHER_BEGINNINGS = {
    b"<!doctype html": _WEB_PAGE,
    b"<html": _WEB_PAGE,
    b"<head": _WEB_PAGE,
    b"<!--": _WEB_PAGE,
    b"<?xml": (*_WEB_PAGE, *_MESSAGE),
    b"<error": _MESSAGE,
    b"{": _MESSAGE,
}


class RefusedError(Exception):
    """A response that a retry would not change; pooch does not retry after this exception."""


class Transfer:
    """The file that a download is written to, with checks of the response.

    Parameters
    ----------
    file : binary file
    url : str
    has_hash : bool
        Whether a checksum is known. Without one, the end of the file must be recognisable.

    Attributes
    ----------
    n_written : int
        Number of bytes written.
    is_abandoned : bool
        Whether further bytes are refused.
    """

    def __init__(self, file: IO[bytes], url: str, has_hash: bool) -> None:
        self.n_written = 0
        self.is_abandoned = False
        self._file, self._url, self._has_hash = file, url, has_hash
        self._response: Any = None

    def check_response(self, response: Any, **_: Any) -> None:
        """Raise RefusedError for a response that is not a whole file, before its body is read.

        Parameters
        ----------
        response : requests.Response
            Redirections and errors are left to requests.
        """
        if response.is_redirect or response.status_code >= 400:
            return
        if response.status_code != 200:
            raise RefusedError(f"the server answered {response.status_code} instead of 200")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in _OTHER_TYPES and not _has_extension(self._url, _OTHER_TYPES[kind]):
            raise RefusedError(f"the server sent a web page or a message ({kind}), not the file")
        declared = _declared_length(response)
        is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        if declared is None and not is_chunked and not self._has_hash:
            raise RefusedError(
                "the server does not tell the length of the file, so that a part of it could be "
                "taken for the whole; pass its checksum as `known_hash`"
            )
        if declared is not None and declared > MAX_BYTES:
            raise RefusedError(f"the file has {declared:,} bytes; the limit is {MAX_BYTES:,}")
        self._response = response

    def write(self, block: bytes) -> int:
        """Write a block; raise RefusedError if the file is then too large."""
        if self.is_abandoned:
            raise RefusedError("the download was abandoned")
        self.n_written += len(block)
        # A response may be compressed: then its content can be much larger.
        limit = min(MAX_BYTES, size_limit(self._response.raw.tell(), most=None))
        if self.n_written > limit:
            raise RefusedError(f"the file has more than {limit:,} bytes, which is the limit")
        return self._file.write(block)

    def flush(self) -> None:
        """Do nothing: the file is flushed when it is closed."""

    def check_complete(self) -> None:
        """Raise an error if the response was empty or shorter than declared.

        Raises
        ------
        RefusedError
            If nothing was written.
        requests.exceptions.ConnectionError
            If bytes are missing; another attempt may succeed.
        """
        import requests

        declared, received = _declared_length(self._response), self._response.raw.tell()
        if declared is not None and declared != received:
            raise requests.exceptions.ConnectionError(
                f"the server sent {received:,} of {declared:,} bytes"
            )
        if not self.n_written:
            raise RefusedError("the server sent an empty file")


def run_in_time(download: Callable[[], None], transfer: Transfer) -> None:
    """Call `download`, and raise RefusedError if it is too slow.

    A server that sends single bytes blocks the reading of a block, so that it is read in a thread.

    Parameters
    ----------
    download : callable
        Its errors are raised here.
    transfer : Transfer
        What `download` writes to.
    """
    errors: list[BaseException] = []

    def work() -> None:
        try:
            download()
        except BaseException as error:  # raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True, name="scifate-download")
    start = time.monotonic()
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_CHECK_SECONDS)
            _check_speed(time.monotonic() - start, transfer.n_written)
    finally:
        transfer.is_abandoned = thread.is_alive()
    if errors:
        raise errors[0]


def _check_speed(seconds: float, n_bytes: int) -> None:
    if seconds > MAX_SECONDS:
        raise RefusedError(f"the download took more than {MAX_SECONDS:,.0f} seconds")
    if seconds > SLOW_SECONDS and n_bytes < MIN_SPEED * seconds:
        raise RefusedError(
            f"the server sent {n_bytes:,} bytes in {seconds:,.0f} seconds, which is too slow"
        )


def refuse_other_kinds(url: str, path: Path) -> None:
    """Raise RefusedError for a web page or an error message in place of the file.

    Share links return web pages if the file was removed; storage services return XML or JSON.
    """
    with path.open("rb") as file:
        beginning = file.read(_GLANCE)
    beginning = beginning.removeprefix(_BYTE_ORDER_MARK).lstrip().lower()
    for mark, extensions in _OTHER_BEGINNINGS.items():
        if beginning.startswith(mark) and not _has_extension(url, extensions):
            raise RefusedError("the server sent a web page or a message instead of the file")


def _declared_length(response: Any) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isdigit() else None


def _has_extension(url: str, extensions: tuple[str, ...]) -> bool:
    return urlsplit(url).path.lower().endswith(extensions)
