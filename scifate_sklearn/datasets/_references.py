"""The published references: where they lie, and one function to fetch each."""

import os
from pathlib import Path
from typing import Literal

from ._downloads import fetch_file

DYNAMO_TF_ANNOTATIONS_URL = "https://figshare.com/ndownloader/files/47439455"
DYNAMO_ENCODE_URL = "https://figshare.com/ndownloader/files/47439458"
HARMONIZOME_ENCODE_URL = (
    "https://maayanlab.cloud/static/hdfs/harmonizome/data/encodetfppi/gene_attribute_edges.txt.gz"
)
CISTARGET_URL = "https://resources.aertslab.org/cistarget"

Species = Literal["human", "mouse"]
SearchSpace = Literal["10kb", "500bp"]

# Of the motif collection v10 (clustered), on RefSeq r80: folder, assembly, whose symbols.
_GENOMES = {
    "human": ("homo_sapiens", "hg38", "hgnc"),
    "mouse": ("mus_musculus", "mm10", "mgi"),
}
_SEARCH_SPACES = {"10kb": "10kbp_up_10kbp_down", "500bp": "500bp_up_100bp_down"}


def fetch_dynamo_tf_annotations(
    *,
    known_hash: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progressbar: bool = False,
) -> Path:
    """Fetch the motif annotation of human TFs that dynamo's `scifate_glmnet` takes by default.

    Parameters
    ----------
    known_hash : str, optional
        As in `fetch_file`. None is published for this file, so by default there is no check.
    cache_dir : str or path-like, optional
        As in `fetch_file`.
    progressbar : bool, default=False
        As in `fetch_file`.

    Returns
    -------
    pathlib.Path
        ``motifAnnotations_hgnc.csv``, for `read_tf_names`.

    Raises
    ------
    OSError
        If it cannot be downloaded; the message says where to put the file by hand.
    ValueError
        If the checksum is wrong.
    """
    return fetch_file(
        DYNAMO_TF_ANNOTATIONS_URL,
        known_hash=known_hash,
        cache_dir=cache_dir,
        progressbar=progressbar,
    )


def fetch_dynamo_encode(
    *,
    known_hash: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progressbar: bool = False,
) -> Path:
    """Fetch the ENCODE ChIP-seq table that dynamo's `scifate_glmnet` takes by default.

    Parameters
    ----------
    known_hash, cache_dir, progressbar
        As in `fetch_dynamo_tf_annotations`.

    Returns
    -------
    pathlib.Path
        ``df_gene_TF_link_ENCODE.csv``: human pairs with and without a peak, for
        `BindingReference.read`.

    Raises
    ------
    OSError, ValueError
        As `fetch_dynamo_tf_annotations`.
    """
    return fetch_file(
        DYNAMO_ENCODE_URL, known_hash=known_hash, cache_dir=cache_dir, progressbar=progressbar
    )


def fetch_harmonizome_encode(
    *,
    known_hash: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progressbar: bool = False,
) -> Path:
    """Fetch Harmonizome's edges of "ENCODE Transcription Factor Targets".

    Parameters
    ----------
    known_hash, cache_dir, progressbar
        As in `fetch_dynamo_tf_annotations`.

    Returns
    -------
    pathlib.Path
        ``gene_attribute_edges.txt.gz``: bound pairs of 181 human TFs and 22,449 genes, for
        `BindingReference.read`.

    Raises
    ------
    OSError, ValueError
        As `fetch_dynamo_tf_annotations`.

    References
    ----------
    Rouillard, A. D. et al. (2016). The harmonizome: a collection of processed datasets gathered to
    serve and mine knowledge about genes and proteins. Database 2016, baw100.
    """
    return fetch_file(
        HARMONIZOME_ENCODE_URL, known_hash=known_hash, cache_dir=cache_dir, progressbar=progressbar
    )


def fetch_cistarget(
    kind: Literal["rankings", "annotations"],
    species: Species = "human",
    *,
    search_space: SearchSpace = "10kb",
    known_hash: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progressbar: bool = False,
) -> Path:
    """Fetch cisTarget's ranking of all genes by each motif, or its motif annotation.

    Of the motif collection v10 (clustered), gene-based, on hg38 or mm10.

    Parameters
    ----------
    kind : {"rankings", "annotations"}
        Which file: the database (some 300 MB) or the table of motifs and TFs (some 100 MB).
    species : {"human", "mouse"}, default="human"
        Whose genes.
    search_space : {"10kb", "500bp"}, default="10kb"
        Of the rankings: 10 kb around the transcription start, or from 500 bp before it to 100 bp
        behind it.
    known_hash, cache_dir, progressbar
        As in `fetch_dynamo_tf_annotations`.

    Returns
    -------
    pathlib.Path
        A ``.feather`` or a ``.tbl`` file.

    Raises
    ------
    ValueError
        If there is no such file to choose, or the checksum is wrong.
    OSError
        If it cannot be downloaded; the message says where to put the file by hand.
    """
    url = cistarget_url(kind, species, search_space)
    return fetch_file(url, known_hash=known_hash, cache_dir=cache_dir, progressbar=progressbar)


def cistarget_url(kind: str, species: str, search_space: str) -> str:
    """Return where a file of cisTarget lies."""
    for name, value, known in (
        ("kind", kind, ("rankings", "annotations")),
        ("species", species, tuple(_GENOMES)),
        ("search_space", search_space, tuple(_SEARCH_SPACES)),
    ):
        if value not in known:
            raise ValueError(f"`{name}` must be one of {known}, got {value!r}.")
    organism, assembly, symbols = _GENOMES[species]
    if kind == "annotations":
        return f"{CISTARGET_URL}/motif2tf/motifs-v10nr_clust-nr.{symbols}-m0.001-o0.0.tbl"
    folder = f"databases/{organism}/{assembly}/refseq_r80/mc_v10_clust/gene_based"
    space = _SEARCH_SPACES[search_space]
    file = f"{assembly}_{space}_full_tx_v10_clust.genes_vs_motifs.rankings.feather"
    return f"{CISTARGET_URL}/{folder}/{file}"
