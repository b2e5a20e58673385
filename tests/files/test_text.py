"""Text files: compression, encoding, line ends, delimiters."""

import gzip
import os
import tracemalloc

import pytest

from scifate_sklearn.files import (
    _text,
    check_lines,
    find_delimiter,
    prefix_errors,
    read_content,
    read_start,
    read_text,
    size_limit,
    split_fields,
)


def write(folder, content):
    (folder / "file").write_bytes(content)
    return folder / "file"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ""),
        (b"a\nb\n", "a\nb\n"),
        (b"\xef\xbb\xbfa\r\nb\rc", "a\nb\nc"),
        (b"\r\r\n\n", "\n\n\n"),
        ("α\x85\u2028".encode(), "α\x85\u2028"),
    ],
)
def test_text_with_plain_line_ends(tmp_path, content, expected, pack):
    path = write(tmp_path, pack(content))
    assert read_text(path) == read_text(str(path)) == expected
    assert read_content(path) == content
    assert read_start(path, 2) == content[:2]


@pytest.mark.parametrize("content", [b"a\0b", b"\xff\xfea", bytes(9), "a".encode("utf-16-le")])
def test_binary_files(tmp_path, content):
    with pytest.raises(ValueError, match=r"file is not UTF-8 text \(it begins with b'.*save it as"):
        read_text(write(tmp_path, content))


@pytest.mark.parametrize(
    "content", [gzip.compress(b"a" * 99)[:-1], b"\x1f\x8bnonsense", gzip.compress(b"a") + b"b"]
)
def test_damaged_gzip_files(tmp_path, content):
    path = write(tmp_path, content)
    with pytest.raises(ValueError, match=r"file is a damaged gzip file \(.*\); get it again"):
        read_content(path)


def gzip_of_lines(n_bytes, times=1):
    """Return a gzip file of one or more members, which expand about a thousandfold."""
    return gzip.compress(b"\n" * n_bytes) * times


@pytest.mark.parametrize("read", [read_content, read_text])
@pytest.mark.parametrize("content", [gzip_of_lines(300 * 2**20), gzip_of_lines(2**20, 300)])
def test_gzip_files_that_expand_too_much_take_no_memory(tmp_path, content, read):
    path = write(tmp_path, content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"file \(.* has more than [0-9,]+ bytes when"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_gzip_files_at_the_limit_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(_text, "MAX_TEXT_WITHOUT_RATIO", 1000)
    assert read_content(write(tmp_path, gzip.compress(b"a" * 1000))) == b"a" * 1000
    stored = len(gzip.compress(b"a" * 100_000))
    assert stored * 200 < 100_000
    with pytest.raises(ValueError, match=f"has more than {stored * 200:,} bytes"):
        read_content(write(tmp_path, gzip.compress(b"a" * 100_000)))


@pytest.mark.parametrize("start", [b"TF", b"TF,target\n" * 200_000, b"\xff\xfe"])
def test_binary_files_take_no_memory(tmp_path, start):
    path = write(tmp_path, start)
    os.truncate(path, 2**30)  # NUL bytes without content on the disk
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="is not UTF-8 text"):
            read_text(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_tables_of_many_columns_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"x\.csv is not a table: a row has 20,001 fields"):
        split_fields(["a," * 20_000], ",", "x.csv")


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(3 * 2**30)  # without content on the disk
    with pytest.raises(ValueError, match=r"large has 3,221,225,472 bytes; .* 2,147,483,648"):
        read_text(tmp_path / "large")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [(0, 2**28), (10**6, 2**28), (5 * 10**6, 10**9), (10**9, 2**31)],
)
def test_size_limit(stored, expected):
    assert size_limit(stored) == expected
    assert size_limit(10**9, most=None) == 2 * 10**11
    assert size_limit(10, always=5) == 2000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_long_lines_are_refused(tmp_path, pack):
    for end in (b"\n", b"\r", b"\r\n"):
        check_lines(write(tmp_path, pack((b"a" * 2**20 + end) * 10)), 4 * 2**20)
    for content in (bytes(5 * 2**20), b"a\n" * 2**20 + bytes(5 * 2**20), bytes(6 * 2**20) + b"\na"):
        with pytest.raises(ValueError, match="file has a line of more than 4,194,304 bytes"):
            check_lines(write(tmp_path, pack(content)), 4 * 2**20)
    check_lines(tmp_path / "absent", 0)


def test_start_of_files_that_cannot_be_read(tmp_path):
    assert read_start(tmp_path, 9) == read_start(tmp_path / "absent", 9) == b""
    assert read_start(write(tmp_path, b"\x1f\x8bnonsense"), 9) == b""
    with pytest.raises(FileNotFoundError, match=r"There is no file .*download a URL first"):
        read_text(tmp_path / "absent")


@pytest.mark.parametrize(
    ("header", "expected"), [("a\tb,c\td", "\t"), ("a,b;c,d", ","), ("a;b", ";"), ("a", "\t")]
)
def test_delimiters(header, expected):
    assert find_delimiter(header) == expected


def test_fields(tmp_path):
    lines = ['a,"b,', 'c""",d', "", "e"]
    assert split_fields(lines, ",", "x.csv") == [["a", 'b,c"', "d"], [], ["e"]]
    with pytest.raises(ValueError, match=r"x\.csv is not a table: field larger than"):
        split_fields(["a" * 200_000], ",", "x.csv")


def test_errors_with_the_path():
    with pytest.raises(ValueError, match=r"^x\.csv: no TF$"), prefix_errors("x.csv"):
        raise ValueError("no TF")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="requires named pipes")
def test_pipes_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert read_start(tmp_path / "pipe", 9) == b""
    check_lines(tmp_path / "pipe", 0)
    with pytest.raises(OSError, match=r"pipe is a pipe or a device\. Write its content to a file"):
        read_text(tmp_path / "pipe")
