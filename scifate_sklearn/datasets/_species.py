"""Table of the public references of each species, and one function to fetch them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, Unpack

from ..files import AdvisedError
from . import _references
from ._downloads import DownloadOptions, fetch_file

Kind: TypeAlias = Literal["tfs", "chip", "rankings", "annotations"]

_TF_LISTS = f"{_references.CISTARGET_URL}/tf_lists"
_ANIMAL_TFDB = "https://guolab.wchscu.cn/AnimalTFDB4_static/download/TF_list_final"


@dataclass(frozen=True)
class Sources:
    """Addresses of the references of a species.

    Attributes
    ----------
    tfs : str
        List of TFs, for `read_tf_names`.
    chip : str or None
        ChIP-seq table, for `BindingReference.read`.
    has_motifs : bool
        Whether `fetch_cistarget` has the species.
    """

    tfs: str
    chip: str | None = None
    has_motifs: bool = False

    def url(self, kind: str, species: str) -> str | None:
        """Return the address of a kind of reference; None if there is none."""
        if kind in ("tfs", "chip"):
            return self.tfs if kind == "tfs" else self.chip
        return _references.cistarget_url(kind, species, "10kb") if self.has_motifs else None


# One line per species.
SPECIES = {
    "human": Sources(_references.DYNAMO_TF_ANNOTATIONS_URL, _references.DYNAMO_ENCODE_URL, True),
    "mouse": Sources(f"{_TF_LISTS}/allTFs_mm.txt", has_motifs=True),
    "fly": Sources(f"{_TF_LISTS}/allTFs_dmel.txt", has_motifs=True),
    "zebrafish": Sources(f"{_ANIMAL_TFDB}/Danio_rerio_TF"),
    "rat": Sources(f"{_ANIMAL_TFDB}/Rattus_norvegicus_TF"),
    "chicken": Sources(f"{_ANIMAL_TFDB}/Gallus_gallus_TF"),
    "pig": Sources(f"{_ANIMAL_TFDB}/Sus_scrofa_TF"),
    "worm": Sources(f"{_ANIMAL_TFDB}/Caenorhabditis_elegans_TF"),
}
# What a user can give where no public file is known: the option, and files that fit.
_OWN_FILES = {
    "chip": ("--encode", "gene sets of ChEA or ENCODE, CollecTRI, TRRUST, or peaks of your own"),
    "rankings": ("--motifs", "a ranking database made with create_cisTarget_databases"),
    "annotations": ("--motif-annotations", "a table with the columns motif and TF"),
}


def fetch_reference(kind: Kind, species: str, **options: Unpack[DownloadOptions]) -> Path:
    """Fetch a public reference of a species.

    Parameters
    ----------
    kind : {"tfs", "chip", "rankings", "annotations"}
        List of TFs, ChIP-seq table, cisTarget's ranking database (10 kb around the transcription
        start) or its motif annotation (see `fetch_cistarget` for their sizes).
    species : str
        ``human``, ``mouse``, ``fly``, ``zebrafish``, ``rat``, ``chicken``, ``pig`` or ``worm``.
        All have a list of TFs; motifs are of human, mouse and fly, ChIP-seq is of human.
    **options
        ``known_hash``, ``cache_dir`` and ``progressbar`` of `fetch_file`.

    Returns
    -------
    pathlib.Path
        Path of the file in the cache.

    Raises
    ------
    ValueError
        If the species or the kind is unknown, or no public file is known; the message says what to
        give instead. Or if the checksum is wrong.
    OSError
        If it cannot be downloaded; the message says where to save the file manually.

    References
    ----------
    Shen, W.-K. et al. (2023). AnimalTFDB 4.0: a comprehensive animal transcription factor database.
    Nucleic Acids Research 51, D39–D45. (Academic use.)
    """
    if species not in SPECIES:
        raise ValueError(f"`species` must be one of {tuple(SPECIES)}, got {species!r}.")
    if kind not in ("tfs", *_OWN_FILES):
        raise ValueError(f"`kind` must be one of {('tfs', *_OWN_FILES)}, got {kind!r}.")
    url = SPECIES[species].url(kind, species)
    if url is None:
        option, files = _OWN_FILES[kind]
        raise AdvisedError(
            f"no public file of {kind!r} is known for {species}.",
            f"Use one of your own: {files}.",
            f"Give a file as {option}: {files}; files of another species need --aliases."
            if kind == "chip"
            else f"Give a file as {option}: {files}.",
        )
    return fetch_file(url, **options)
