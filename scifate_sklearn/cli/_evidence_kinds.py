"""Table of the kinds of evidence that `scifate run` offers."""

import pkgutil

from ..filters.evidence import EvidenceKind

# One line per kind, module:class. The order is that of the options in the help, and of the
# filters in the union.
EVIDENCE_KINDS = (
    "scifate_sklearn.filters.chip:ChipEvidence",
    "scifate_sklearn.filters.motifs:MotifEvidence",
)


def evidence_kinds() -> tuple[type[EvidenceKind], ...]:
    """Return the classes that the table names."""
    return tuple(pkgutil.resolve_name(name) for name in EVIDENCE_KINDS)
