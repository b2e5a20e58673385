"""ChIP-seq evidence: references and their files, Fisher's exact test and the filter."""

from ._encode import EncodeLinkFilter
from ._harmonize import harmonize_reference, name_overlap
from ._reference import PEAK, BindingReference

__all__ = ["PEAK", "BindingReference", "EncodeLinkFilter", "harmonize_reference", "name_overlap"]
