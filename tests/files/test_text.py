"""Text files: compression, encoding, line ends, delimiters."""

import gzip

import pytest

from scifate_sklearn.files import (
    find_delimiter,
    prefix_errors,
    read_content,
    read_start,
    read_text,
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


@pytest.mark.parametrize("content", [b"a\0b", b"\xff\xfe", bytes(9), "a".encode("utf-16")])
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
