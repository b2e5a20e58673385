import contextlib
import gzip
import hashlib
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scifate_sklearn.datasets import (
    SPECIES,
    _references,
    _transfer,
    fetch_cistarget,
    fetch_dynamo_encode,
    fetch_dynamo_tf_annotations,
    fetch_file,
    fetch_harmonizome_encode,
    fetch_reference,
)

CONTENT = b"TF,target,peak\nE2F1,MCM2,1\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """A loopback server: its responses, and the number of requests for each path."""

    url: str
    requests: Counter[str] = field(default_factory=Counter)
    body: bytes = CONTENT
    failures_left: int = 0
    breaks_left: int = 0
    declared_length: int | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    tells_length: bool = True
    pause: float = 0


def slowly(file: Any, pause: float) -> None:
    """Write single bytes until the connection is closed."""
    with contextlib.suppress(OSError):
        for _ in range(1000):
            file.write(b"T")
            file.flush()
            threading.Event().wait(pause)  # time.sleep is replaced


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests[self.path] += 1
            if "absent" in self.path:
                return self.send_error(404)
            if state.failures_left:
                state.failures_left -= 1
                return self.send_error(503)
            self.send_response(state.status)
            if state.tells_length:
                self.send_header("Content-Length", str(state.declared_length or len(state.body)))
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if state.pause:
                return slowly(self.wfile, state.pause)
            if state.breaks_left:
                state.breaks_left -= 1
                self.wfile.write(state.body[:5])
                return self.wfile.flush()
            self.wfile.write(state.body)
            return None

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def test_local_file_is_returned_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "peaks.csv"
    path.write_bytes(CONTENT)
    assert fetch_file(path) == path
    assert fetch_file(str(path), known_hash=SHA256) == path


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "peaks.csv").write_bytes(CONTENT)
    assert fetch_file("~/peaks.csv") == tmp_path / "peaks.csv"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_pipes_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "peaks.csv")
    with pytest.raises(FileNotFoundError, match="that is a pipe or a device"):
        fetch_file(tmp_path / "peaks.csv")


def test_local_problems_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"peaks\.csv, but it does not exist"):
        fetch_file(tmp_path / "peaks.csv")
    with pytest.raises(FileNotFoundError, match="that is a folder"):
        fetch_file(tmp_path)
    path = tmp_path / "other.csv"
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="`known_hash`"):
        fetch_file(path, known_hash=SHA256)


def test_download_once_then_from_the_cache(server: Server, tmp_path: Path) -> None:
    url = f"{server.url}/peaks.csv"
    first = fetch_file(url, known_hash=f"sha256:{SHA256}", cache_dir=tmp_path)
    assert first.read_bytes() == CONTENT
    assert fetch_file(url, cache_dir=tmp_path) == first
    assert server.requests == {"/peaks.csv": 1}
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_cache_folder_from_the_environment(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIFATE_CACHE", str(tmp_path / "cache"))
    assert fetch_file(f"{server.url}/peaks.csv").parent == tmp_path / "cache"


@pytest.mark.parametrize(
    ("path", "ending"),
    [
        ("/s/a1/df_gene.csv?dl=1", "-df_gene.csv"),
        ("/s/a1/df_gene.csv.gz?dl=1&x=../../etc", "-df_gene.csv.gz"),
        ("/my%20peaks%2F..%2Fmouse.tsv", "-my_peaks_.._mouse.tsv"),
        ("/", "-"),
    ],
)
def test_file_names(server: Server, tmp_path: Path, path: str, ending: str) -> None:
    found = fetch_file(server.url + path, cache_dir=tmp_path)
    assert found.name.endswith(ending)
    assert found.parent == tmp_path


def test_same_name_from_two_places_are_two_files(server: Server, tmp_path: Path) -> None:
    a = fetch_file(f"{server.url}/a/peaks.csv", cache_dir=tmp_path)
    b = fetch_file(f"{server.url}/b/peaks.csv", cache_dir=tmp_path)
    assert a != b


def test_server_errors_are_retried(server: Server, tmp_path: Path) -> None:
    server.failures_left = 2
    assert fetch_file(f"{server.url}/peaks.csv", cache_dir=tmp_path).read_bytes() == CONTENT
    assert server.requests["/peaks.csv"] == 3


def test_broken_connections_are_retried(server: Server, tmp_path: Path) -> None:
    server.breaks_left = 2
    path = fetch_file(f"{server.url}/peaks.csv", known_hash=SHA256, cache_dir=tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.requests["/peaks.csv"] == 3


def test_a_missing_file_is_requested_once(server: Server, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"absent\.csv .*404.* local path"):
        fetch_file(f"{server.url}/absent.csv", cache_dir=tmp_path)
    assert server.requests["/absent.csv"] == 1


def test_a_web_page_is_not_a_table(server: Server, tmp_path: Path) -> None:
    server.body = b"\n<!DOCTYPE html><html>This file was deleted</html>"
    with pytest.raises(OSError, match=r"peaks\.csv.* web page .* local path"):
        fetch_file(f"{server.url}/peaks.csv?dl=0", cache_dir=tmp_path)
    assert fetch_file(f"{server.url}/page.html", cache_dir=tmp_path).read_bytes() == server.body


def assert_refused(server: Server, folder: Path, reason: str, name: str = "peaks.csv") -> None:
    """Check that one request is made, and that nothing is left in the cache."""
    with pytest.raises(OSError, match=f"could not download .*{reason}.* local path"):
        fetch_file(f"{server.url}/{name}", cache_dir=folder)
    assert list(folder.iterdir()) == []
    assert server.requests.total() == 1


@pytest.mark.parametrize("status", [201, 202, 203, 206, 226])
def test_only_the_status_200_is_a_file(server: Server, tmp_path: Path, status: int) -> None:
    server.status = status
    assert_refused(server, tmp_path, f"the server answered {status} instead of 200")


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(server: Server, tmp_path: Path, status: int) -> None:
    server.status, server.body, server.tells_length = status, b"", False
    assert_refused(server, tmp_path, f"the server answered {status} instead of 200")


def test_an_empty_file_is_refused(server: Server, tmp_path: Path) -> None:
    server.body = b""
    assert_refused(server, tmp_path, "the server sent an empty file")


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf<!DOCTYPE html><html>login</html>",
        b"\xef\xbb\xbf\n <HTML>login</html>",
        b"<!-- x --><html>TF,target</html>",
        b"<head><title>Sign in</title></head>",
        b'{"error": "quota exceeded"}',
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        b"<Error><Code>NoSuchKey</Code></Error>",
    ],
)
def test_messages_are_not_files(server: Server, tmp_path: Path, body: bytes) -> None:
    server.body = body
    assert_refused(server, tmp_path, "the server sent a web page or a message instead")


@pytest.mark.parametrize(
    "kind", ["text/html", "Text/HTML; charset=utf-8", "application/json", "application/xml"]
)
def test_the_declared_kind_is_checked(server: Server, tmp_path: Path, kind: str) -> None:
    server.headers["Content-Type"] = kind
    assert_refused(server, tmp_path, "the server sent a web page or a message")


@pytest.mark.parametrize(
    ("name", "kind", "body"),
    [
        ("x.json", "application/json", b"{}"),
        ("x.xml", "application/xml", b"<?xml ?>"),
        ("x.csv", "text/plain", CONTENT),
        ("x.gz", "application/x-gzip", gzip.compress(CONTENT)),
    ],
)
def test_files_of_the_kind_of_their_name(
    server: Server, tmp_path: Path, name: str, kind: str, body: bytes
) -> None:
    server.headers["Content-Type"], server.body = kind, body
    assert fetch_file(f"{server.url}/{name}", cache_dir=tmp_path).read_bytes() == body


def test_a_file_of_unknown_length_requires_a_checksum(server: Server, tmp_path: Path) -> None:
    server.tells_length = False
    assert_refused(server, tmp_path, "does not tell the length of the file.*known_hash")
    path = fetch_file(f"{server.url}/peaks.csv", known_hash=SHA256, cache_dir=tmp_path)
    assert path.read_bytes() == CONTENT


def test_a_file_that_is_declared_too_large(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_transfer, "MAX_BYTES", 10)
    assert_refused(server, tmp_path, f"the file has {len(CONTENT)} bytes; the limit is 10")


def test_a_file_that_becomes_too_large(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_transfer, "MAX_BYTES", 100_000)
    server.body = gzip.compress(bytes(1_000_000))
    server.headers["Content-Encoding"] = "gzip"
    assert_refused(server, tmp_path, "the file has more than 100,000 bytes")


def test_a_file_that_the_server_compressed(server: Server, tmp_path: Path) -> None:
    server.body = gzip.compress(CONTENT)
    server.headers["Content-Encoding"] = "gzip"
    path = fetch_file(f"{server.url}/peaks.csv", cache_dir=tmp_path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("limit", "reason"), [("SLOW_SECONDS", "too slow"), ("MAX_SECONDS", "took more than 0 seconds")]
)
def test_a_slow_server_is_not_waited_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, reason: str
) -> None:
    monkeypatch.setattr(_transfer, limit, 0.3)
    server.pause, server.declared_length = 0.05, 10**6
    start = time.monotonic()
    assert_refused(server, tmp_path, reason)
    assert time.monotonic() - start < 5


def test_bad_checksum_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"bad checksum for http.*peaks\.csv.* local path"):
        fetch_file(f"{server.url}/peaks.csv", known_hash="0" * 64, cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_truncated_download_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    server.declared_length = len(CONTENT) + 100
    with pytest.raises(OSError, match=r"peaks\.csv.* local path"):
        fetch_file(f"{server.url}/peaks.csv", cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_a_killed_download_left_is_removed(server: Server, tmp_path: Path) -> None:
    server.pause, server.declared_length = 0.05, 10**6
    program = (
        "import sys; from scifate_sklearn.datasets import fetch_file; "
        "fetch_file(sys.argv[1], cache_dir=sys.argv[2])"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, f"{server.url}/slow.csv", str(tmp_path)]
    )
    while not server.requests["/slow.csv"]:
        threading.Event().wait(0.1)
    threading.Event().wait(0.5)  # until the server has read its state
    server.pause, server.declared_length = 0, None
    first = fetch_file(f"{server.url}/peaks.csv", cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2  # the other process still writes its file
    other.kill()
    other.wait()
    second = fetch_file(f"{server.url}/others.csv", cache_dir=tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([first, second])


def test_damaged_cached_file_is_replaced(server: Server, tmp_path: Path) -> None:
    url = f"{server.url}/peaks.csv"
    fetch_file(url, cache_dir=tmp_path).write_bytes(b"damaged")
    assert fetch_file(url, known_hash=SHA256, cache_dir=tmp_path).read_bytes() == CONTENT


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    # Port 9 (discard) refuses connections on a loopback interface.
    with pytest.raises(OSError, match=r"could not download http://127\.0\.0\.1:9/x\.csv"):
        fetch_file("http://127.0.0.1:9/x.csv", cache_dir=tmp_path)


def test_cache_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="could not download"):
        fetch_file(f"{server.url}/peaks.csv", cache_dir=tmp_path / "file" / "cache")


def test_other_schemes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"ftp://host/x\.csv; only http"):
        fetch_file("ftp://host/x.csv")


def test_downloads_are_logged_and_not_printed(
    server: Server,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="scifate_sklearn"):
        fetch_file(f"{server.url}/peaks.csv", cache_dir=tmp_path)
    assert capfd.readouterr() == ("", "")
    assert "/peaks.csv into" in caplog.text


def test_progress_on_request(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fetch_file(f"{server.url}/peaks.csv", cache_dir=tmp_path, progressbar=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "100%" in err


FETCHERS = {
    "DYNAMO_TF_ANNOTATIONS_URL": fetch_dynamo_tf_annotations,
    "DYNAMO_ENCODE_URL": fetch_dynamo_encode,
    "HARMONIZOME_ENCODE_URL": fetch_harmonizome_encode,
    "CISTARGET_URL": partial(fetch_cistarget, "annotations"),
}


@pytest.fixture(params=FETCHERS)
def fetcher(
    request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Return a function that fetches a published file from the loopback server."""
    _, _, path = getattr(_references, request.param).split("//")[1].partition("/")
    monkeypatch.setattr(_references, request.param, f"{server.url}/{path}")
    return FETCHERS[request.param]


def test_published_files_are_fetched_once(
    fetcher: Callable[..., Path], server: Server, tmp_path: Path
) -> None:
    path = fetcher(cache_dir=tmp_path, known_hash=SHA256)
    assert path.read_bytes() == CONTENT
    assert fetcher(cache_dir=tmp_path) == path
    assert sum(server.requests.values()) == 1


def test_published_files_after_retries(
    fetcher: Callable[..., Path], server: Server, tmp_path: Path
) -> None:
    server.failures_left, server.breaks_left = 1, 1
    assert fetcher(cache_dir=tmp_path).read_bytes() == CONTENT
    assert sum(server.requests.values()) == 3


def test_published_files_with_another_checksum(
    fetcher: Callable[..., Path], server: Server, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="bad checksum for http"):
        fetcher(cache_dir=tmp_path, known_hash="0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("trouble", ["absent", "offline"])
@pytest.mark.parametrize("name", FETCHERS)
def test_published_files_downloaded_manually(
    name: str, trouble: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the path under which a file that was downloaded manually is found."""
    host = f"{server.url}/absent" if trouble == "absent" else "http://127.0.0.1:9"
    monkeypatch.setattr(_references, name, f"{host}/table.csv")
    with pytest.raises(OSError, match=r"could not download .*by other means") as caught:
        FETCHERS[name](cache_dir=tmp_path)
    match = re.search(r"save it as (\S+), which is used if it exists", str(caught.value))
    assert match is not None
    Path(match[1]).write_bytes(CONTENT)
    assert FETCHERS[name](cache_dir=tmp_path) == Path(match[1])


def test_files_of_cistarget(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_references, "CISTARGET_URL", server.url)
    folder = "/databases/mus_musculus/mm10/refseq_r80/mc_v10_clust/gene_based"
    for options, asked in [
        (("rankings", "mouse"),
         f"{folder}/mm10_10kbp_up_10kbp_down_full_tx_v10_clust.genes_vs_motifs.rankings.feather"),
        (("annotations", "mouse"), "/motif2tf/motifs-v10nr_clust-nr.mgi-m0.001-o0.0.tbl"),
        (("annotations",), "/motif2tf/motifs-v10nr_clust-nr.hgnc-m0.001-o0.0.tbl"),
    ]:  # fmt: skip
        path = fetch_cistarget(*options, cache_dir=tmp_path)
        assert path.name.endswith(asked.rpartition("/")[2])
        assert server.requests[asked] == 1
    fly = "/databases/drosophila_melanogaster/dm6/flybase_r6.02/mc_v10_clust/gene_based"
    fetch_cistarget("rankings", "fly", search_space="500bp", cache_dir=tmp_path)
    assert server.requests[f"{fly}/dm6_v10_clust.genes_vs_motifs.rankings.feather"] == 1
    fetch_cistarget("rankings", search_space="500bp", cache_dir=tmp_path)
    assert [path for path in server.requests if "hg38_500bp_up_100bp_down_full" in path]
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"kind": "scores"}, "kind"),
        ({"kind": "rankings", "species": "zebrafish"}, "species"),
        ({"kind": "rankings", "search_space": "5kb"}, "search_space"),
    ],
)
def test_files_that_cistarget_does_not_have(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}` must be one of"):
        fetch_cistarget(**options)


@pytest.mark.parametrize("species", SPECIES)
def test_references_of_species(
    species: str, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_references, "CISTARGET_URL", server.url)
    sources = SPECIES[species]
    local = {
        name: f"{server.url}/{url.split('/', 3)[3]}"
        for name in ("tfs", "chip")
        if (url := getattr(sources, name)) is not None
    }
    monkeypatch.setitem(SPECIES, species, replace(sources, **local))
    known = {"tfs": True, "chip": sources.chip is not None}
    for kind in ("tfs", "chip", "rankings", "annotations"):
        if known.get(kind, sources.has_motifs):
            path = fetch_reference(kind, species, cache_dir=tmp_path)
            assert path.read_bytes() == CONTENT
            assert fetch_reference(kind, species, cache_dir=tmp_path) == path
        else:
            with pytest.raises(ValueError, match=f"no public file of '{kind}' is known for"):
                fetch_reference(kind, species, cache_dir=tmp_path)
    assert all(count == 1 for count in server.requests.values())


def test_unknown_references() -> None:
    with pytest.raises(ValueError, match="`species` must be one of"):
        fetch_reference("tfs", "unicorn")
    with pytest.raises(ValueError, match="`kind` must be one of"):
        fetch_reference("peaks", "human")


def test_hosts_of_the_published_addresses() -> None:
    addresses = [getattr(_references, name) for name in FETCHERS]
    assert all(address.startswith("https://") for address in addresses)
    assert [address.split("/")[2] for address in addresses] == [
        "figshare.com", "figshare.com", "maayanlab.cloud", "resources.aertslab.org",
    ]  # fmt: skip
