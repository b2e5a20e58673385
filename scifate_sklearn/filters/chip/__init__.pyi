from ._command import ChipEvidence as ChipEvidence
from ._encode import EncodeLinkFilter as EncodeLinkFilter
from ._harmonize import (
    harmonize_reference as harmonize_reference,
    name_overlap as name_overlap,
    read_gene_table as read_gene_table,
)
from ._reference import (
    PEAK as PEAK,
    BindingReference as BindingReference,
)
