"""Published references: their addresses, and one function to fetch each."""

from pathlib import Path
from typing import Literal, Unpack

from ._downloads import DownloadOptions, fetch_file

DYNAMO_TF_ANNOTATIONS_URL = "https://figshare.com/ndownloader/files/47439455"
DYNAMO_ENCODE_URL = "https://figshare.com/ndownloader/files/47439458"
HARMONIZOME_ENCODE_URL = (
    "https://maayanlab.cloud/static/hdfs/harmonizome/data/encodetfppi/gene_attribute_edges.txt.gz"
)
CISTARGET_URL = "https://resources.aertslab.org/cistarget"

Species = Literal["human", "mouse", "fly"]
SearchSpace = Literal["10kb", "500bp"]

# Motif collection v10 (clustered): folder and name of the rankings, authority of the symbols. The
# rankings of the fly are of one search space.
_GENOMES = {
    "human": ("homo_sapiens/hg38/refseq_r80", "hg38_{space}_full_tx_v10_clust", "hgnc"),
    "mouse": ("mus_musculus/mm10/refseq_r80", "mm10_{space}_full_tx_v10_clust", "mgi"),
    "fly": ("drosophila_melanogaster/dm6/flybase_r6.02", "dm6_v10_clust", "flybase"),
}
_SEARCH_SPACES = {"10kb": "10kbp_up_10kbp_down", "500bp": "500bp_up_100bp_down"}


def fetch_dynamo_tf_annotations(**options: Unpack[DownloadOptions]) -> Path:
    """Fetch the motif annotation of human TFs that dynamo's `scifate_glmnet` uses by default.

    Parameters
    ----------
    **options
        ``known_hash``, ``cache_dir`` and ``progressbar`` of `fetch_file`. No checksum is published
        for this file, so by default none is verified.

    Returns
    -------
    pathlib.Path
        ``motifAnnotations_hgnc.csv``, for `read_tf_names`.

    Raises
    ------
    OSError
        If it cannot be downloaded; the message says where to save the file manually.
    ValueError
        If the checksum is wrong.
    """
    return fetch_file(DYNAMO_TF_ANNOTATIONS_URL, **options)


def fetch_dynamo_encode(**options: Unpack[DownloadOptions]) -> Path:
    """Fetch the ENCODE ChIP-seq table that dynamo's `scifate_glmnet` uses by default.

    Parameters
    ----------
    **options
        ``known_hash``, ``cache_dir`` and ``progressbar``, as in `fetch_dynamo_tf_annotations`.

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
    return fetch_file(DYNAMO_ENCODE_URL, **options)


def fetch_harmonizome_encode(**options: Unpack[DownloadOptions]) -> Path:
    """Fetch Harmonizome's edges of "ENCODE Transcription Factor Targets".

    Parameters
    ----------
    **options
        ``known_hash``, ``cache_dir`` and ``progressbar``, as in `fetch_dynamo_tf_annotations`.

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
    return fetch_file(HARMONIZOME_ENCODE_URL, **options)


def fetch_cistarget(
    kind: Literal["rankings", "annotations"],
    species: Species = "human",
    *,
    search_space: SearchSpace = "10kb",
    **options: Unpack[DownloadOptions],
) -> Path:
    """Fetch cisTarget's ranking of all genes by each motif, or its motif annotation.

    The files belong to the motif collection v10 (clustered), gene-based, on hg38, mm10 or dm6.

    Parameters
    ----------
    kind : {"rankings", "annotations"}
        The ranking database (about 300 MB) or the table of motifs and TFs (about 100 MB).
    species : {"human", "mouse", "fly"}, default="human"
        Species of the genes.
    search_space : {"10kb", "500bp"}, default="10kb"
        Region that the rankings are based on: 10 kb around the transcription start, or from 500 bp
        upstream to 100 bp downstream of it. The fly has one database only.
    **options
        ``known_hash``, ``cache_dir`` and ``progressbar``, as in `fetch_dynamo_tf_annotations`.

    Returns
    -------
    pathlib.Path
        A ``.feather`` or a ``.tbl`` file.

    Raises
    ------
    ValueError
        If an argument is not one of these values, or the checksum is wrong.
    OSError
        If it cannot be downloaded; the message says where to save the file manually.
    """
    return fetch_file(cistarget_url(kind, species, search_space), **options)


def cistarget_url(kind: str, species: str, search_space: str) -> str:
    """Return the URL of a cisTarget file, or raise ValueError for an unknown argument."""
    for name, value, known in (
        ("kind", kind, ("rankings", "annotations")),
        ("species", species, tuple(_GENOMES)),
        ("search_space", search_space, tuple(_SEARCH_SPACES)),
    ):
        if value not in known:
            raise ValueError(f"`{name}` must be one of {known}, got {value!r}.")
    genome, name, symbols = _GENOMES[species]
    if kind == "annotations":
        return f"{CISTARGET_URL}/motif2tf/motifs-v10nr_clust-nr.{symbols}-m0.001-o0.0.tbl"
    file = name.format(space=_SEARCH_SPACES[search_space])
    folder = f"databases/{genome}/mc_v10_clust/gene_based"
    return f"{CISTARGET_URL}/{folder}/{file}.genes_vs_motifs.rankings.feather"
