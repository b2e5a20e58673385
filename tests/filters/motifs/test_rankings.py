import builtins
import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.filters import MotifRankings
from scifate_sklearn.filters.motifs._rankings import as_rankings

pyarrow = pytest.importorskip("pyarrow", reason="ranking databases are read with pyarrow")
pytest.importorskip("pyarrow.feather")

GENES = ["NKX2-1", "MARCH1", "NA", "1", "A.B", "ACTB"]
MOTIFS = ["cisbp__M1", "JUN (var.2)", "m3"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    ranks = [rng.permutation(len(GENES)) for _ in MOTIFS]
    return pd.DataFrame(ranks, index=MOTIFS, columns=GENES, dtype=np.int16)


def write(table, path, row_column="motifs", first=False, **options):
    columns = {name: table[name].to_numpy() for name in table.columns}
    rows = {row_column: table.index.astype(str).to_numpy(object)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Feather version 1
        pyarrow.feather.write_feather(
            pyarrow.table(rows | columns if first else columns | rows), str(path), **options
        )
    return path


def ranks_of(rankings, genes):
    return pd.DataFrame(rankings.columns(genes), index=rankings.motifs)


@pytest.mark.parametrize("row_column", ["motifs", "tracks", "features"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    "options",
    [{"version": 1}, {"compression": "uncompressed"}, {"compression": "zstd"}, {"chunksize": 2}],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_all_layouts_read_alike(tmp_path, table, row_column, first, options):
    path = write(table, tmp_path / "db.feather", row_column, first, **options)
    rankings = MotifRankings.read(path)
    assert list(rankings.motifs) == MOTIFS
    assert list(rankings.genes) == GENES
    assert rankings.n_ranked == len(GENES)
    some = [GENES[4], GENES[0], GENES[4]]
    pd.testing.assert_frame_equal(
        ranks_of(rankings, some), table[[GENES[4], GENES[0]]], check_index_type=False
    )


def test_a_gene_with_the_name_of_the_column_of_motifs(tmp_path, table):
    table = table.rename(columns={"NA": "tracks"})
    rankings = MotifRankings.read(write(table, tmp_path / "db.feather"))
    assert "tracks" in rankings.genes
    assert list(MotifRankings.from_table(table).genes) == list(table.columns)


def test_tables_and_files_agree(tmp_path, table):
    rankings = MotifRankings.from_table(table)
    pd.testing.assert_frame_equal(ranks_of(rankings, GENES), table, check_index_type=False)
    as_read = table.reset_index(names="motifs")
    again = MotifRankings.from_table(as_read[["A.B", "motifs", *as_read.columns.drop("A.B")[1:]]])
    assert list(again.motifs) == MOTIFS
    assert set(again.genes) == set(GENES)
    path = write(table, tmp_path / "db.feather")
    for given in (rankings, table, path, str(path)):
        pd.testing.assert_frame_equal(
            ranks_of(as_rankings(given), GENES), table, check_index_type=False
        )


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float64, "Int32"])
def test_types_of_ranks(table, kind):
    ranks = ranks_of(MotifRankings.from_table(table.astype(kind)), GENES)
    np.testing.assert_array_equal(ranks, table)
    assert all(dtype.kind in "iu" for dtype in ranks.dtypes)


def test_some_of_the_ranked_genes(tmp_path, table):
    some = table[["1", "NA"]]
    rankings = MotifRankings.from_table(some, n_ranked=6)
    assert rankings.n_ranked == 6
    path = write(some, tmp_path / "some.feather")
    assert MotifRankings.read(path, n_ranked=6).n_ranked == 6
    with pytest.raises(ValueError, match="pass their number as `n_ranked`"):
        MotifRankings.from_table(some)
    with pytest.raises(ValueError, match=r"some.feather: `n_ranked` = 1 is less than the 2 ranked"):
        MotifRankings.read(path, n_ranked=1)


def test_copies_and_pickles(tmp_path, table):
    path = write(table, tmp_path / "db.feather")
    for rankings in (MotifRankings.from_table(table), MotifRankings.read(path)):
        assert copy.deepcopy(rankings) is rankings
        again = pickle.loads(pickle.dumps(rankings))
        pd.testing.assert_frame_equal(ranks_of(again, GENES), ranks_of(rankings, GENES))
        assert repr(again) == "MotifRankings(3 motifs × 6 genes)"
        with pytest.raises(ValueError, match="read-only"):
            rankings.genes[0] = "other"
        assert rankings.columns([]) == {}
    # Those of a file are its path.
    assert len(pickle.dumps(MotifRankings.read(path))) < 2000


def test_the_table_stays_untouched(table):
    rankings = MotifRankings.from_table(table)
    before = ranks_of(rankings, GENES)
    table.iloc[:] = 0
    table.columns = range(6)
    pd.testing.assert_frame_equal(ranks_of(rankings, GENES), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t + 1, r"'NKX2-1' run from 1 to|run from . to 6.*counted from 1, subtract 1"),
        (lambda t: t - 1, "run from -1 to"),
        (lambda t: t + 0.5, "must hold ranks, which are integers, for example"),
        (lambda t: t.astype(float).replace(0, np.nan), "integers, for example nan"),
        (lambda t: t.astype("Int16").replace(0, pd.NA), "integers, for example nan"),
        (lambda t: t > 2, "must hold ranks, which are integers, got bool"),
        (lambda t: t.astype(str), "column 'NKX2-1' holds"),
        (lambda t: pd.concat([t, t["1"]], axis=1), "a column .* more than once: '1'"),
        (lambda t: t.set_axis(["a", "b", "a"]), "a motif .* more than once: 'a'"),
        (lambda t: t.set_axis(["a", "b", None]), "a motif of the ranking database has no name"),
        (lambda t: t.set_axis(["a", "b", ""]), "a motif of the ranking database has no name"),
        (lambda t: t.iloc[:1], r"database of 1 motif\(s\) × 6 gene\(s\): motifs are compared"),
        (lambda t: t.iloc[:, :0], r"3 motif\(s\) × 0 gene\(s\)"),
    ],
)
def test_bad_tables(table, change, message):
    with pytest.raises(ValueError, match=message):
        MotifRankings.from_table(change(table))


@pytest.mark.parametrize("given", [3, [[0, 1]], np.eye(3)])
def test_no_table(given):
    with pytest.raises(TypeError, match=r"`table` must be a pandas DataFrame.*MotifRankings.read"):
        as_rankings(given)


def test_unknown_genes(table):
    with pytest.raises(ValueError, match="`genes` not in the ranking database: 'MYC'"):
        MotifRankings.from_table(table).columns(["ACTB", "MYC"])


class TestBadFiles:
    def test_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"There is no file .*absent.feather"):
            MotifRankings.read(tmp_path / "absent.feather")

    @pytest.mark.parametrize("content", [b"", b"PAR1....", b"motifs,A1BG\nm1,0\n", b"\x1f\x8b"])
    def test_no_feather(self, tmp_path, content):
        path = tmp_path / "db.feather"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"db.feather is not a feather file \(it begins with"):
            MotifRankings.read(path)

    @pytest.mark.parametrize("version", [1, 2])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
    def test_truncated(self, tmp_path, table, version, share):
        path = write(table, tmp_path / "db.feather", version=version)
        raw = path.read_bytes()
        path.write_bytes(raw[: int(share * len(raw))])
        with pytest.raises(
            ValueError, match=r"db.feather cannot be read as a feather file.*truncated"
        ):
            MotifRankings.read(path)

    def test_no_column_of_motifs(self, tmp_path, table):
        path = write(table, tmp_path / "db.feather", "genes")
        with pytest.raises(ValueError, match=r"column of text called 'motifs'.*found \['genes'\]"):
            MotifRankings.read(path)

    def test_two_columns_of_motifs(self, tmp_path, table):
        path = write(table.assign(tracks=["a", "b", "c"]), tmp_path / "db.feather")
        with pytest.raises(ValueError, match=r"found \['tracks', 'motifs'\] among 8 columns"):
            MotifRankings.read(path)

    def test_repeated_gene(self, tmp_path, table):
        columns = [table["1"].to_numpy(), table["NA"].to_numpy(), pyarrow.array(MOTIFS)]
        repeated = pyarrow.table(columns, names=["G", "G", "motifs"])
        pyarrow.feather.write_feather(repeated, str(tmp_path / "db.feather"))
        with pytest.raises(ValueError, match=r"db.feather: a gene .* more than once: 'G'"):
            MotifRankings.read(tmp_path / "db.feather")

    def test_missing_rank(self, tmp_path, table):
        holed = pyarrow.table({"G": pyarrow.array([0, None, 0]), "motifs": MOTIFS})
        pyarrow.feather.write_feather(holed, str(tmp_path / "db.feather"))
        with pytest.raises(ValueError, match=r"db.feather: column 'G' has missing values"):
            MotifRankings.read(tmp_path / "db.feather").columns(["G"])

    @pytest.mark.parametrize(
        ("change", "message"),
        [(lambda t: t + 0.5, "column 'A.B' must hold ranks"), (lambda t: t + 1, "run from")],
    )
    def test_wrong_ranks_are_found_when_they_are_read(self, tmp_path, table, change, message):
        rankings = MotifRankings.read(write(change(table), tmp_path / "db.feather"))
        with pytest.raises(ValueError, match=rf"db.feather: .*{message}"):
            rankings.columns(GENES[::-1] if "run" in message else ["A.B"])

    def test_deleted_file(self, tmp_path, table):
        path = write(table, tmp_path / "db.feather")
        rankings = MotifRankings.read(path)
        path.unlink()
        with pytest.raises(FileNotFoundError, match=r"There is no file .*db.feather"):
            rankings.columns(["1"])

    @pytest.mark.parametrize(
        "change",
        [lambda t: t.iloc[::-1], lambda t: t.iloc[:, ::-1], lambda t: t.rename({MOTIFS[0]: "m"})],
        ids=["order of motifs", "order of genes", "names"],
    )
    def test_replaced_file(self, tmp_path, table, change):
        path = write(table, tmp_path / "db.feather")
        content = pickle.dumps(MotifRankings.read(path))
        write(change(table), path)
        with pytest.raises(ValueError, match=r"db\.feather is not the file that was opened"):
            pickle.loads(content).columns(["1"])

    def test_without_pyarrow(self, tmp_path, table, monkeypatch):
        path = write(table, tmp_path / "db.feather")
        true_import = builtins.__import__

        def no_pyarrow(name, *args, **kwargs):
            if name.startswith("pyarrow"):
                raise ImportError(name)
            return true_import(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", no_pyarrow)
        with pytest.raises(ImportError, match="pip install pyarrow"):
            MotifRankings.read(path)


@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
def test_real_files_of_both_layouts(shared):
    folder = shared / "data" / "cistarget"
    old, new = (
        MotifRankings.read(folder / f"hg19-tss-centered-10kb-10species.mc9nr{end}.feather")
        for end in ("", ".genes_vs_motifs.rankings")
    )
    assert list(old.motifs) == list(new.motifs)
    assert list(old.genes) == list(new.genes)
    assert (len(old.motifs), old.n_ranked) == (5, 22_284)
    assert "NKX2-1" in old.genes
    genes = old.genes[::100]
    pd.testing.assert_frame_equal(ranks_of(old, genes), ranks_of(new, genes))
    # Ranks are counted from 0, and each motif has each of them once.
    ranks = np.sort(list(new.columns(new.genes).values()), axis=0)
    assert (ranks == np.arange(22_284)[:, None]).all()


def test_tables_do_not_require_pyarrow():
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import pandas as pd\n"
        "from scifate_sklearn import MotifLinkFilter, MotifRankings\n"
        "table = pd.DataFrame([[0, 1], [1, 0]], index=['m', 'n'], columns=['A', 'B'])\n"
        "print(MotifRankings.from_table(table))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("MotifRankings(2 motifs × 2 genes)\n", "")


def test_tables_without_motifs_are_rejected():
    with pytest.raises(ValueError, match="`table` has no row; it requires one per motif"):
        MotifRankings.from_table(pd.DataFrame(columns=["A", "B"], dtype=int))


def test_the_table_may_change_afterwards():
    table = pd.DataFrame({"A": [0, 1], "B": [1, 0]}, index=["m1", "m2"])
    rankings = MotifRankings.from_table(table)
    table.iloc[0, 0] = 1
    assert rankings.columns(["A"])["A"].tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        rankings.columns(["A"])["A"][0] = 1
